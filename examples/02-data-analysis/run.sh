#!/usr/bin/env bash
# A data analysis agent in front of a small warehouse. Ends with 0 only if every answer is the one this example promises. Listens on
# loopback only; PORT chooses where.
set -euo pipefail
cd "$(dirname "$0")"
. ../common.sh

serve warehouse "${PORT:-18482}"
printf 'id,region,amount\n1,north,120\n' >"$folder/orders.csv"

# The agent has the scope for calls at any time, so that this runs at night and on Sundays as well.
scopes='"scope":"data:read data:schedule after-hours"'
analyst=$(token ada analysis-agent "\"roles\":[\"analyst\"],$scopes")
reading=$(token ada analysis-agent '"roles":["analyst"],"scope":"data:read after-hours"')
auditor=$(token carl audit-agent "\"roles\":[\"auditor\"],$scopes")

"$gatewright" policy test -c .run.yaml
echo
# What the server says of its tools is pinned when they are first listed.
expect 200 '"name":"query"' "the analyst lists the tools" "$(ask "$analyst" tools/list "")"
expect 200 '\"amount\":120' "the analyst queries 100 rows" "$(call "$analyst" query '{"region":"north","limit":100}')"
expect 403 argument_denied "the analyst queries a million rows" "$(call "$analyst" query '{"region":"north","limit":1000000}')"
expect 403 argument_denied "the analyst queries without a limit" "$(call "$analyst" query '{"region":"north"}')"
expect 200 '2 lines' "the analyst loads a file of data" "$(call "$analyst" load_file "{\"path\":\"$folder/orders.csv\"}")"
expect 403 argument_denied "the analyst loads a key" "$(call "$analyst" load_file '{"path":"/home/ada/x/../.ssh/id_rsa"}')"
expect 200 'wait for the night' "the analyst schedules a report" "$(call "$analyst" schedule '{"command":"make report"}')"
expect 403 argument_denied "the analyst schedules rm -rf" "$(call "$analyst" schedule '{"command":"rm -rf /srv/data"}')"
expect 403 tool_not_allowed "the analyst exports" "$(call "$analyst" export '{"destination":"s3://elsewhere"}')"
expect 403 insufficient_scope "without the scope, nothing is scheduled" "$(call "$reading" schedule '{"command":"make report"}')"
expect 200 '\"amount\":80' "the auditor reads" "$(call "$auditor" query '{"region":"south","limit":5000}')"
expect 403 tool_not_allowed "the auditor exports" "$(call "$auditor" export '{"destination":"s3://elsewhere"}')"

echo
echo "Without the scope for it, hours count. On Monday at ten, and at ten at night:"
explain=("$gatewright" explain -c .run.yaml --sub ada --client analysis-agent --role analyst --scopes data:read
  --server warehouse --tool query --args '{"region":"north","limit":100}')
"${explain[@]}" --at 2026-11-23T10:00:00+01:00 --expect allow
"${explain[@]}" --at 2026-11-23T22:00:00+01:00 --expect deny

echo
echo "The record of it:"
records
