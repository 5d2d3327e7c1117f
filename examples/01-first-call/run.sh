#!/usr/bin/env bash
# The first call: a real MCP server, the gateway in front of it, an agent with each of two roles. Ends with 0 only if
# every answer is the one this example promises. Listens on loopback only; PORT chooses where.
set -euo pipefail
cd "$(dirname "$0")"
port=${PORT:-18480}
. ../common.sh

gatewright=$(binary gatewright GATEWRIGHT)
everything=$(binary everything EVERYTHING)

"$everything" 0 >"$folder/server" 2>&1 &
processes+=($!)
until_line "$folder/server" '^listening on '
upstream=$(sed -n 's/^listening on //p' "$folder/server")

"$gatewright" dev --upstream "$upstream" --listen "127.0.0.1:$port" --ledger "$folder/audit" >"$folder/gateway" 2>&1 &
processes+=($!)
until_line "$folder/gateway" '^The audit record'
url=$(sed -n 's/^MCP URL *//p' "$folder/gateway")
reader=$(sed -n 's/^reader token *//p' "$folder/gateway")
editor=$(sed -n 's/^editor token *//p' "$folder/gateway")

call='"name":"test_simple_text","arguments":{},'
expect 401 credential_missing "no token" "$(ask "" tools/call "$call" test_simple_text)"
expect 403 tool_not_allowed "the reader calls test_simple_text" "$(ask "$reader" tools/call "$call" test_simple_text)"
expect 200 '"isError":false' "the editor calls test_simple_text" "$(ask "$editor" tools/call "$call" test_simple_text)"
expect 200 '"tools":[]' "the reader lists the tools" "$(ask "$reader" tools/list "")"
expect 200 '"name":"test_simple_text"' "the editor lists the tools" "$(ask "$editor" tools/list "")"

echo
echo "The record of it:"
until_line "$folder/gateway" '"action":"tools/list".*"kind":"outcome"'
sed -n 's/.*"sub":"\([a-z]*\)".*"action":"\([^"]*\)","resource":"\([^"]*\)","decision":"\([a-z]*\)".*/  \1 \2 \3 \4/p' "$folder/gateway"

"$gatewright" check -c gatewright.yaml
