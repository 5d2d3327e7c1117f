// The TypeScript SDK 2.x as an agent: node client-ts2.mjs URL auto|legacy --flow … (see support.mjs). Speaks both eras.
import { Client, ClientCredentialsProvider, ProtocolError, SdkHttpError, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { CodeFlow } from './login.mjs';
import { check, readArguments, report, tracing } from './support.mjs';

const expected = readArguments();
const { trace, fetch } = tracing();

await report('ts2', expected, async () => {
  const client = expected.flow === 'code' ? await connectAsUser() : await connectAsAgent();
  const facts = await check(session(client), expected, trace);
  await client.close();
  return facts;
});

async function connectAsUser() {
  const authProvider = new CodeFlow();
  const transport = openTransport(authProvider);
  try {
    return await connect(transport);
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await transport.finishAuth(await authProvider.authorize(expected.user));
  return connect(openTransport(authProvider));
}

function connectAsAgent() {
  return connect(openTransport(new ClientCredentialsProvider({ clientId: 'agent', clientSecret: 'agent-secret' })));
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
