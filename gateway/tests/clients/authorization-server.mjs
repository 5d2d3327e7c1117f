// A real authorization server (oidc-provider) for tests of the gateway, on loopback only.
// It signs nothing the library would not sign, save the edge tokens of POST /test/token. Never use it outside tests.
//
// A client that sends a DPoP proof is always asked for a nonce. Opaque tokens go to clients whose metadata says
// `token_format: opaque`, for the same resources as the others' JWTs. Certificates are asked for at a second door, over TLS.
//
// env PORT (0 = any free port), RESOURCES (space separated resource indicators), SCOPES (space separated), TTL (seconds),
// IDENTITIES (folder with ca.crt, server.crt and server.key for the second door; see certificates.mjs).
// Prints one JSON line {"issuer", "pid"} once it serves.
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Provider, { errors } from 'oidc-provider';

const RESOURCES = words(process.env.RESOURCES);
const SCOPES = words(process.env.SCOPES ?? 'notes:read');
const TTL = Number(process.env.TTL ?? 300);
const USERS = { alice: ['analyst'], bob: ['admin'] };
const CLIENT_ROLES = { agent: ['analyst'], 'agent-opaque': ['analyst'], 'agent-certified': ['analyst'] };
// The client that the gateway is here: the only one that may ask about tokens of others.
const GATEWAY = 'gatewright';

// The issuer contains the port, so the sockets come first and the provider second.
let handle = (_request, response) => response.writeHead(503).end();
const listener = (request, response) => handle(request, response);
const issuer = `http://${await listening(createServer(listener), Number(process.env.PORT ?? 0))}`;
const provider = new Provider(issuer, configuration(await certifiedDoor(process.env.IDENTITIES)));
provider.on('server_error', (_context, error) => console.error('server_error', error));
for (const event of ['authorization.error', 'grant.error', 'introspection.error', 'registration_create.error', 'revocation.error']) {
  provider.on(event, (_context, error) => console.error(event, error.message, error.error_description ?? ''));
}
provider.use(mintTestTokens());
handle = provider.callback();
console.log(JSON.stringify({ issuer, pid: process.pid }));
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));

async function listening(server, port) {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `127.0.0.1:${server.address().port}`;
}

// RFC 8705 section 5: what asks for a certificate is another address, so that browsers are never asked for one.
async function certifiedDoor(folder) {
  if (!folder) return {};
  const file = (name) => readFileSync(join(folder, name));
  const options = { cert: file('server.crt'), key: file('server.key'), ca: file('ca.crt'), requestCert: true, rejectUnauthorized: true };
  return { token_endpoint: `https://${await listening(createSecureServer(options, listener), 0)}/token` };
}

function configuration(aliases) {
  return {
    clients: [
      machine('agent'),
      machine('agent-opaque', { token_format: 'opaque' }),
      machine('agent-certified', { tls_client_certificate_bound_access_tokens: true }),
      machine(GATEWAY),
    ],
    extraClientMetadata: { properties: ['token_format'] },
    discovery: { mtls_endpoint_aliases: aliases },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'], dPoPSigningAlgValues: ['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256'] },
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('base64url')] },
    scopes: ['openid', 'offline_access', ...SCOPES],
    pkce: { required: () => true },
    ttl: { AccessToken: TTL, ClientCredentials: TTL, Grant: 3600, Session: 3600, Interaction: 600, IdToken: 300, RefreshToken: 3600 },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    extraTokenClaims: (_context, token) => ({ ...rolesOf(token), ...token.extra }),
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      introspection: { enabled: true, allowedPolicy: (_context, client) => client.clientId === GATEWAY },
      revocation: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        // From the handshake alone: a header could be anyone's.
        getCertificate: ({ req: { socket } }) => (socket.authorized ? socket.getPeerX509Certificate() : undefined),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCES,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource, client) => {
          if (!RESOURCES.includes(resource)) throw new errors.InvalidTarget();
          return resourceServer(resource, client);
        },
      },
    },
  };
}

function machine(client_id, more) {
  return {
    client_id,
    client_secret: `${client_id}-secret`,
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: SCOPES.join(' '),
    ...more,
  };
}

function resourceServer(resource, client) {
  return {
    scope: SCOPES.join(' '),
    audience: resource,
    accessTokenTTL: TTL,
    accessTokenFormat: client.token_format ?? 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

function rolesOf(token) {
  const roles = token.accountId ? USERS[token.accountId] : CLIENT_ROLES[token.clientId];
  return roles ? { roles } : {};
}

// POST /test/token {sub, client_id, resource, scope, ttl, claims}: any audience and any lifetime, also a past one.
function mintTestTokens() {
  return async (context, next) => {
    if (context.path !== '/test/token' || context.method !== 'POST') return next();
    const { sub, client_id = 'agent', resource, scope = SCOPES.join(' '), ttl = TTL, claims = {} } = await json(context.req);
    const client = await provider.Client.find(client_id);
    if (!client || !resource) {
      context.status = 400;
      context.body = { error: 'invalid_request', error_description: 'a known client_id and a resource are needed' };
      return undefined;
    }
    const common = { client, scope, extra: claims, expiresIn: ttl };
    const token = sub && sub !== client_id
      ? new provider.AccessToken({ ...common, accountId: sub, gty: 'authorization_code', grantId: randomUUID() })
      : new provider.ClientCredentials(common);
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource, client));
    context.body = { access_token: await token.save(), token_type: token.tokenType, expires_in: ttl };
    return undefined;
  };
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: randomUUID() };
}

async function json(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

function words(text = '') {
  return text.split(' ').filter(Boolean);
}
