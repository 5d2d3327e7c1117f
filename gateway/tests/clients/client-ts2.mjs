// The TypeScript SDK 2.x as an agent: node client-ts2.mjs URL auto|legacy --flow … (see support.mjs). Speaks both eras, and
// proves what its token is bound to: a DPoP key that it made, or the certificate `agent` of a folder.
import { Client, DpopSession, ProtocolError, SdkHttpError, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { checkBinding } from './binding.mjs';
import { fetchAs, Machine, preferringCertificates, readIdentity } from './identity.mjs';
import { CodeFlow } from './login.mjs';
import { check, readArguments, report, tracing } from './support.mjs';

const expected = readArguments();
const key = expected.binding.startsWith('dpop') ? await DpopSession.create() : undefined;
const certificate = expected.binding === 'certificate' ? readIdentity(expected.identities, 'agent') : undefined;
const { trace, fetch } = tracing(certificate && preferringCertificates(fetchAs(certificate)));

await report('ts2', expected, async () => {
  const { client, authProvider } = expected.flow === 'code' ? await connectAsUser() : await connectAsAgent();
  const facts = await check(session(client), expected, trace);
  await client.close();
  return { ...facts, binding: checkBinding(authProvider.tokens(), trace, expected, (key ?? certificate)?.thumbprint) };
});

async function connectAsUser() {
  const metadata = expected.format === 'opaque' ? { token_format: 'opaque' } : {};
  const authProvider = new CodeFlow({ session: key, metadata });
  const transport = openTransport(authProvider);
  try {
    return { client: await connect(transport), authProvider };
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await transport.finishAuth(await authProvider.authorize(expected.user));
  return { client: await connect(openTransport(authProvider)), authProvider };
}

async function connectAsAgent() {
  const authProvider = new Machine(expected.user, key);
  return { client: await connect(openTransport(authProvider)), authProvider };
}

function openTransport(authProvider) {
  return new StreamableHTTPClientTransport(new URL(expected.url), { authProvider, fetch });
}

async function connect(transport) {
  const client = new Client({ name: 'gatewright-ts2', version: '1.0.0' }, { versionNegotiation: { mode: expected.mode } });
  await client.connect(transport);
  return client;
}

function session(client) {
  return {
    protocol: client.getNegotiatedProtocolVersion(),
    call: (name, args, onprogress) => client.callTool({ name, arguments: args }, { onprogress }),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    refusal,
  };
}

// A 403 is a transport error with the raw body in this SDK; a 200 is a protocol error.
function refusal(error) {
  const isModern = expected.mode === 'auto';
  if (isModern && error instanceof SdkHttpError && error.status === 403) {
    const { code, data } = JSON.parse(error.data.text).error;
    return { code, http: 403, reason: data?.reason };
  }
  if (!isModern && error instanceof ProtocolError) return { code: error.code, http: 200, reason: error.data?.reason };
  throw error;
}
