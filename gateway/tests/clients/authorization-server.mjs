// A real authorization server (oidc-provider) for tests of the gateway, on loopback only.
// It signs nothing the library would not sign, save the edge tokens of POST /test/token. Never use it outside tests.
//
// env PORT (0 = any free port), RESOURCES (space separated resource indicators), SCOPES (space separated), TTL (seconds).
// Prints one JSON line {"issuer", "pid"} once it serves.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';

const RESOURCES = words(process.env.RESOURCES);
const SCOPES = words(process.env.SCOPES ?? 'notes:read');
const TTL = Number(process.env.TTL ?? 300);
const USERS = { alice: ['analyst'], bob: ['admin'] };
const CLIENT_ROLES = { agent: ['analyst'] };

// The issuer contains the port, so the socket comes first and the provider second.
const server = createServer((request, response) => handle(request, response));
let handle = (_request, response) => response.writeHead(503).end();
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration());
  provider.on('server_error', (_context, error) => console.error('server_error', error));
  for (const event of ['authorization.error', 'grant.error', 'registration_create.error']) {
    provider.on(event, (_context, error) => console.error(event, error.message, error.error_description ?? ''));
  }
  provider.use(mintTestTokens(provider));
  handle = provider.callback();
  console.log(JSON.stringify({ issuer, pid: process.pid }));
});
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));

function configuration() {
  return {
    clients: [
      {
        client_id: 'agent',
        client_secret: 'agent-secret',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: SCOPES.join(' '),
      },
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
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
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCES,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => {
          if (!RESOURCES.includes(resource)) throw new errors.InvalidTarget();
          return resourceServer(resource);
        },
      },
    },
  };
}

function resourceServer(resource) {
  return {
    scope: SCOPES.join(' '),
    audience: resource,
    accessTokenTTL: TTL,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

function rolesOf(token) {
  const roles = token.accountId ? USERS[token.accountId] : CLIENT_ROLES[token.clientId];
  return roles ? { roles } : {};
}

// POST /test/token {sub, client_id, resource, scope, ttl, claims}: any audience and any lifetime, also a past one.
function mintTestTokens(provider) {
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
    token.resourceServer = new provider.ResourceServer(resource, resourceServer(resource));
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
