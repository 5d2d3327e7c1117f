# What every example needs: to be sourced, not run. Starts processes that end with the script, signs tokens of an issuer that exists for the
# length of it, and asks.

folder=$(mktemp -d)
processes=()
left=()

finish() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$folder" "${left[@]}"
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

# until_line FILE PATTERN: waits at most 10 seconds for a line.
until_line() {
  for _ in $(seq 200); do
    if grep -q "$2" "$1" 2>/dev/null; then return; fi
    sleep 0.05
  done
  echo "nothing like '$2' in time:" >&2
  cat "$1" >&2
  exit 1
}

# until_ready URL FILE: waits at most 10 seconds until the gateway says that it is ready; FILE is what it said.
until_ready() {
  for _ in $(seq 200); do
    if curl -sf --noproxy '*' -o /dev/null "$1"; then return; fi
    sleep 0.05
  done
  echo "the gateway is not ready in time:" >&2
  cat "$2" >&2
  exit 1
}

# ask TOKEN METHOD PARAMS NAME: one request of 2026-07-28 to $url; prints the answer, then the status.
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

# call TOKEN TOOL ARGUMENTS: calls a tool.
call() {
  ask "$1" tools/call "\"name\":\"$2\",\"arguments\":$3," "$2"
}

# expect STATUS TEXT WHAT ANSWER: the answer has this status and this text.
expect() {
  local status=${4##*$'\n'}
  if [ "$status" != "$1" ] || [[ "$4" != *"$2"* ]]; then
    printf 'FAILED: %s: expected %s with %s, got:\n%s\n' "$3" "$1" "$2" "$4" >&2
    exit 1
  fi
  printf '%-52s %s  %s\n' "$3" "$status" "$2"
}

base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

# make_issuer: a key pair of its own, in $folder.
make_issuer() {
  openssl genrsa -out "$folder/key.pem" 2048 2>/dev/null
  local modulus
  modulus=$(openssl rsa -in "$folder/key.pem" -noout -modulus | sed 's/^Modulus=//; s/../\\x&/g')
  printf '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"1","e":"AQAB","n":"%s"}]}' \
    "$(printf '%b' "$modulus" | base64url)" >"$folder/jwks.json"
}

# token SUBJECT CLIENT CLAIMS: an access token for $resource, for ten minutes; CLAIMS are further members as JSON.
token() {
  local now head body
  now=$(date +%s)
  head=$(printf '{"typ":"at+jwt","alg":"RS256","kid":"1"}' | base64url)
  body=$(printf '{"iss":"https://auth.example.com","aud":"%s","sub":"%s","client_id":"%s","iat":%s,"exp":%s,"jti":"%s",%s}' \
    "$resource" "$1" "$2" "$now" "$((now + 600))" "$RANDOM$RANDOM" "$3" | base64url)
  printf '%s.%s.%s' "$head" "$body" \
    "$(printf '%s.%s' "$head" "$body" | openssl dgst -sha256 -sign "$folder/key.pem" | base64url)"
}

# serve DESK PORT: the server of this name and the gateway in front of it, with gatewright.yaml of this folder: its addresses, its keys and
# its places to write are replaced, nothing else.
serve() {
  local office upstream run=.run.yaml
  office=$(binary office OFFICE)
  gatewright=$(binary gatewright GATEWRIGHT)
  make_issuer
  "$office" "$1" 0 >"$folder/server" 2>&1 &
  processes+=($!)
  until_line "$folder/server" '^listening on '
  upstream=$(sed -n 's/^listening on //p' "$folder/server")
  left+=("$run")
  sed -e "s#http://127.0.0.1:3000/mcp#$upstream#" -e "s#127.0.0.1:8080#127.0.0.1:$2#" \
    -e "s#url: https://auth.example.com#&, jwks_file: $folder/jwks.json#" gatewright.yaml >"$run"
  cat >>"$run" <<END
audit: { ledger: $folder/audit }
ops: { address: 127.0.0.1:$(($2 + 1)) }
admin: { socket: $folder/gatewright.sock }
pins: { directory: $folder/pins }
END
  resource="http://127.0.0.1:$2/$1/mcp"
  url=$resource
  "$gatewright" run -c "$run" >"$folder/gateway" 2>&1 &
  processes+=($!)
  until_ready "http://127.0.0.1:$(($2 + 1))/readyz" "$folder/gateway"
}

# records: who did what, as the record has it.
records() {
  cat "$folder"/audit/*.jsonl | grep '"kind":"decision"' | grep '"method":"tools/call"' |
    sed -n 's/.*"sub":"\([^"]*\)".*"resource":"\([^"]*\)","decision":"\([a-z]*\)".*/  \1 \2 \3/p'
}
