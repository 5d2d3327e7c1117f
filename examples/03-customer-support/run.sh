#!/usr/bin/env bash
# A customer support agent in front of a small customer desk. Ends with 0 only if every answer is the one this example promises. Listens
# on loopback only; PORT chooses where.
set -euo pipefail
cd "$(dirname "$0")"
. ../common.sh

serve crm "${PORT:-18484}"

support=$(token sam support-agent '"roles":["support"],"tenant":"acme","scope":"crm:read"')
operator=$(token olga operations-agent '"roles":["operator"],"tenant":"acme","scope":"crm:read"')
nobody=$(token sam support-agent '"roles":["support"],"scope":"crm:read"')

"$gatewright" policy test -c .run.yaml
echo
# What the server says of its tools is pinned when they are first listed.
expect 200 '"name":"refund"' "support lists the tools" "$(ask "$support" tools/list "")"
expect 200 Ada "support looks at a customer" "$(call "$support" get_customer '{"tenant":"acme","id":7}')"
expect 403 '"reason"' "support looks at another tenant's" "$(call "$support" get_customer '{"tenant":"umbrella","id":7}')"
expect 403 '"reason"' "without a tenant in the token, nothing" "$(call "$nobody" get_customer '{"tenant":"acme","id":7}')"
expect 200 '\"refunded\":40' "support refunds 40" "$(call "$support" refund '{"tenant":"acme","id":7,"amount":40}')"
expect 403 argument_denied "support refunds 150" "$(call "$support" refund '{"tenant":"acme","id":7,"amount":150}')"
for _ in 1 2 3 4; do
  expect 200 refunded "support refunds 100" "$(call "$support" refund '{"tenant":"acme","id":8,"amount":100}')"
done
expect 429 42901 "support refunds 100, past 500 a day" "$(call "$support" refund '{"tenant":"acme","id":8,"amount":100}')"
expect 403 approval_required "support deletes a customer" "$(call "$support" delete_customer '{"tenant":"acme","id":7}')"
expect 200 Grace "the operator looks at a customer" "$(call "$operator" get_customer '{"tenant":"acme","id":8}')"
expect 403 approval_required "the operator deletes a customer" "$(call "$operator" delete_customer '{"tenant":"acme","id":7}')"

echo
echo "The record of it:"
records
