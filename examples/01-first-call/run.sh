#!/usr/bin/env bash
# The first call: a real MCP server, the gateway in front of it, an agent with each of two roles. Ends with 0 only if
# every answer is the one this example promises. Listens on loopback only; PORT chooses where.
set -euo pipefail
cd "$(dirname "$0")"
port=${PORT:-18480}
folder=$(mktemp -d)
processes=()

finish() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap finish EXIT

# binary NAME VARIABLE: the path in VARIABLE, or the newest build of this checkout.
binary() {
  local named=${!2:-} target=${CARGO_TARGET_DIR:-../../target} found
  if [ -n "$named" ]; then echo "$named"; return; fi
  found=$(ls -t "$target"/{debug,release,first-run}/"$1" 2>/dev/null | head -n 1 || true)
  if [ -z "$found" ]; then
    echo "no $1 yet: run cargo build -p gatewright -p gatewright-examples --bins" >&2
    exit 1
  fi
  echo "$found"
}

# until FILE PATTERN: waits at most 10 seconds for a line.
until_line() {
  for _ in $(seq 200); do
    if grep -q "$2" "$1" 2>/dev/null; then return; fi
    sleep 0.05
  done
  echo "nothing like '$2' in time:" >&2
  cat "$1" >&2
  exit 1
}

# ask TOKEN METHOD PARAMS NAME: one request of 2026-07-28; prints the status, then the body.
ask() {
  local credential=() name=()
  [ -z "$1" ] || credential=(-H "Authorization: Bearer $1")
  [ -z "${4:-}" ] || name=(-H "Mcp-Name: $4")
  local meta='"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}'
  curl -s --noproxy '*' -w '\n%{http_code}' "$url" "${credential[@]}" "${name[@]}" \
    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \
    -H 'MCP-Protocol-Version: 2026-07-28' -H "Mcp-Method: $2" \
    -d "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"$2\",\"params\":{$3$meta}}"
}

# expect STATUS TEXT WHAT ANSWER: the answer has this status and this text.
expect() {
  local status=${4##*$'\n'}
  if [ "$status" != "$1" ] || [[ "$4" != *"$2"* ]]; then
    printf 'FAILED: %s: expected %s with %s, got:\n%s\n' "$3" "$1" "$2" "$4" >&2
    exit 1
  fi
  printf '%-46s %s  %s\n' "$3" "$status" "$2"
}

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
