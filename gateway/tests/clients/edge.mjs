// Requests no SDK would send: tokens that are expired, meant for someone else, changed, or put in the wrong place.
// Every refusal has its twin: the same request with a good token passes.

const DISCOVER = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'edge', version: '1' } },
});

/** Runs every case; resolves to rows of the summary. */
export async function edgeCases(world) {
  const good = await mint(world, {});
  const cases = [
    ['a good token passes', 200, () => post(world, good)],
    ['a user\'s token passes', 200, async () => post(world, await mint(world, { sub: 'alice' }))],
    ['an expired token is refused', 401, async () => post(world, await mint(world, { ttl: -3600 })), 'invalid_token'],
    ['a token for another audience is refused', 401, async () => post(world, await mint(world, { resource: 'https://elsewhere.example/mcp' })), 'invalid_token'],
    ['a changed token is refused', 401, () => post(world, changed(good)), 'invalid_token'],
    ['no token is challenged without an error', 401, () => post(world)],
    ['GET without a token is challenged too', 401, () => fetch(world.resource)],
    ['a token in the query is refused', 400, () => post({ resource: `${world.resource}?access_token=${good}` }), 'invalid_request'],
    ['the resource metadata names the resource', 200, () => fetch(`${world.publicUrl}/.well-known/oauth-protected-resource${new URL(world.resource).pathname}`)],
  ];
  const rows = [];
  for (const [name, status, request, error] of cases) rows.push(await judge(world, name, status, request, error));
  return rows;
}

async function judge(world, name, status, request, error) {
  const response = await request();
  const challenge = response.headers.get('www-authenticate') ?? '';
  const body = await response.text();
  const problems = [
    response.status !== status && `HTTP ${response.status} instead of ${status}: ${body.slice(0, 200)}`,
    status === 401 && !challenge.includes('resource_metadata="') && `no resource_metadata in \`${challenge}\``,
    status === 401 && !error && challenge.includes('error=') && `an error in \`${challenge}\``,
    status === 401 && error && !challenge.includes(`error="${error}"`) && `no ${error} in \`${challenge}\``,
    name.includes('metadata names') && JSON.parse(body).resource !== world.resource && `another resource in ${body}`,
  ].filter(Boolean);
  return { name: `edge: ${name}`, isPassed: problems.length === 0, detail: problems.join('; ') || `HTTP ${response.status}` };
}

function post({ resource }, token) {
  return fetch(resource, {
    method: 'POST',
    body: DISCOVER,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    },
  });
}

async function mint({ issuer, resource, scope }, wishes) {
  const response = await fetch(`${issuer}/test/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resource, scope, ...wishes }),
  });
  if (!response.ok) throw new Error(`the authorization server minted nothing: ${await response.text()}`);
  return (await response.json()).access_token;
}

// Another subject under the old signature.
function changed(token) {
  const [head, claims, signature] = token.split('.');
  const forged = { ...JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')), roles: ['admin'] };
  return [head, Buffer.from(JSON.stringify(forged)).toString('base64url'), signature].join('.');
}
