// Requests no SDK would send: tokens that are expired, meant for someone else, changed, or put in the wrong place.
// Every refusal has its twin: the same request with a good token passes.
import { fetchAs, readIdentity } from './identity.mjs';
import { bearer, judge, post } from './wire.mjs';

// RFC 9728 section 2: what each document says beside its resource.
const METADATA = [
  { gateway: 'plain', server: 'resource', members: { dpop_bound_access_tokens_required: undefined, tls_client_certificate_bound_access_tokens: undefined } },
  { gateway: 'plain', server: 'strict', members: { dpop_bound_access_tokens_required: true, tls_client_certificate_bound_access_tokens: undefined } },
  { gateway: 'tls', server: 'strict', members: { dpop_bound_access_tokens_required: undefined, tls_client_certificate_bound_access_tokens: true } },
];

/** Runs every case; resolves to rows of the summary. */
export async function edgeCases({ identities, issuer, journal, scope, gateways }) {
  const { plain } = gateways;
  const send = (headers) => post(plain.resource, headers);
  const read = fetchAs(readIdentity(identities));
  const minted = async (wishes) => bearer(await mint(issuer, { resource: plain.resource, scope, ...wishes }));
  const good = await minted({});
  const rows = await judge('edge', journal, [
    ['a good token passes', 200, () => send(good)],
    ['a user\'s token passes', 200, async () => send(await minted({ sub: 'alice' }))],
    ['an expired token is refused', 401, async () => send(await minted({ ttl: -3600 })), 'Bearer invalid_token'],
    ['a token for another audience is refused', 401, async () => send(await minted({ resource: 'https://elsewhere.example/mcp' })), 'Bearer invalid_token'],
    ['a changed token is refused', 401, () => send(changed(good)), 'Bearer invalid_token'],
    ['no token is challenged without an error', 401, () => send({})],
    ['GET without a token is challenged too', 401, () => fetch(plain.resource)],
    ['a token in the query is refused', 400, () => post(`${plain.resource}?access_token=${good.authorization.slice('Bearer '.length)}`), 'Bearer invalid_request, DPoP invalid_request'],
  ]);
  return [...rows, ...await Promise.all(METADATA.map((expected) => metadata(gateways, read, expected)))];
}

async function metadata(gateways, read, { gateway, server, members }) {
  const { publicUrl, [server]: resource } = gateways[gateway];
  const response = await read(`${publicUrl}/.well-known/oauth-protected-resource${new URL(resource).pathname}`);
  const document = await response.json();
  const wrong = Object.entries({ resource, ...members }).filter(([name, value]) => document[name] !== value).map(([name]) => `${name} is ${document[name]}`);
  return {
    name: `edge: the metadata of ${gateway} ${server} says what it is and demands`,
    isPassed: response.status === 200 && wrong.length === 0,
    detail: wrong.join('; ') || `HTTP ${response.status}, ${document.resource}`,
  };
}

async function mint(issuer, wishes) {
  const response = await fetch(`${issuer}/test/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wishes),
  });
  if (!response.ok) throw new Error(`the authorization server minted nothing: ${await response.text()}`);
  return (await response.json()).access_token;
}

// Another role under the old signature.
function changed({ authorization }) {
  const [head, claims, signature] = authorization.split('.');
  const forged = { ...JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')), roles: ['admin'] };
  return { authorization: [head, Buffer.from(JSON.stringify(forged)).toString('base64url'), signature].join('.') };
}
