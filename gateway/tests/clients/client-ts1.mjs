// The TypeScript SDK 1.x as an agent: node client-ts1.mjs URL --flow … (see support.mjs). Speaks only revisions with sessions.
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { CodeFlow } from './login.mjs';
import { check, readArguments, report, tracing } from './support.mjs';

// In this grant, this SDK asks for the scope it was configured with and never for the challenge's.
const SCOPE = 'notes:read';

const expected = readArguments();
const { trace, fetch } = tracing();

await report('ts1', expected, async () => {
  const { client, transport } = expected.flow === 'code' ? await connectAsUser() : await connectAsAgent();
  const facts = await check(session(client, transport), expected, trace);
  await transport.terminateSession();
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
  await transport.finishAuth((await authProvider.authorize(expected.user)).get('code'));
  return connect(openTransport(authProvider));
}

function connectAsAgent() {
  return connect(openTransport(new ClientCredentialsProvider({ clientId: expected.user, clientSecret: `${expected.user}-secret`, scope: SCOPE })));
}

function openTransport(authProvider) {
  return new StreamableHTTPClientTransport(new URL(expected.url), { authProvider, fetch });
}

async function connect(transport) {
  const client = new Client({ name: 'gatewright-ts1', version: '1.0.0' });
  await client.connect(transport);
  return { client, transport };
}

function session(client, transport) {
  return {
    protocol: transport.protocolVersion,
    call: (name, args, onprogress) => client.callTool({ name, arguments: args }, undefined, { onprogress }),
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    prompts: async () => (await client.listPrompts()).prompts.map(({ name }) => name),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    refusal: (error) => {
      if (!(error instanceof McpError)) throw error;
      return { code: error.code, http: 200, reason: error.data?.reason };
    },
  };
}
