// The fixture server on the TypeScript SDK: what the conformance suite calls, for all revisions that the SDK serves.
// Names and schemas are those of the Rust fixture (catalogue.json), answers stand in answers.json. Never knows tasks.
//
// env PORT (0 = any free port). Prints one JSON line {"url", "pid"} once it serves.
import { createServer } from "node:http";
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import {
  createMcpHandler, createRequestStateCodec, fromJsonSchema, inputRequired, isInitializeRequest, isLegacyRequest,
  localhostAllowedHostnames, localhostAllowedOrigins, McpServer, ResourceTemplate, validateHostHeader, validateOriginHeader,
} from "@modelcontextprotocol/server";
import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from "@modelcontextprotocol/node";

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const CATALOGUE = read("../../../../examples/servers/everything/catalogue.json");
const ANSWERS = read("answers.json");
const WATCHED = "test://watched-resource";
const PAUSE_MILLISECONDS = 50;
const CLIENT_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const PROTOCOL_ERRORS = { parse: -32700, session: -32000 };

const seal = createRequestStateCodec({ key: randomBytes(32) });

function build() {
  const capabilities = {
    tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true, listChanged: true }, logging: {}, completions: {},
  };
  const server = new McpServer({ name: "everything-ts", version: "1.0.0" }, { capabilities, requestState: { verify: seal.verify } });
  CATALOGUE.tools.forEach((tool) => addTool(server, tool));
  CATALOGUE.prompts.forEach((prompt) => addPrompt(server, prompt));
  addResources(server);
  server.server.setRequestHandler("completion/complete", ({ params }) => {
    const values = ANSWERS.completions.filter((value) => value.startsWith(params.argument.value));
    return { completion: { values, total: values.length, hasMore: false } };
  });
  return server;
}

function addTool(server, { name, description, inputSchema }) {
  const run = codeOf(name);
  if (run === undefined) return;
  server.registerTool(name, { description, inputSchema: fromJsonSchema(inputSchema) }, (input, context) => run(input, context, server));
}

/** The code behind a tool; nothing for the tools that are tasks. */
function codeOf(name) {
  if (ANSWERS.rounds[name]) return (_, context) => round(name, context, (text) => said(text));
  if (ANSWERS.contents[name]) return () => ({ content: ANSWERS.contents[name] });
  if (ANSWERS.forms[name]) return (input, context) => elicit(name, input, context);
  return CODE[name] ?? (ANSWERS.texts[name] && (() => said(ANSWERS.texts[name])));
}

const CODE = {
  greet: ({ name }) => said(`Hello, ${name}!`),
  test_param_header: ({ region }) => said(region),
  test_error_handling: () => { throw new Error("This tool intentionally returns an error for testing"); },
  test_tool_with_logging: log,
  test_logging_tool: log,
  test_tool_with_progress: progress,
  test_reconnection: async (_, context) => {
    context.http?.closeSSE?.();
    await pause(2 * PAUSE_MILLISECONDS);
    return said(ANSWERS.texts.test_reconnection);
  },
  test_sampling: async ({ prompt }, context) => {
    const messages = [{ role: "user", content: { type: "text", text: prompt } }];
    const { content } = await ask(context, "sampling/createMessage", { messages, maxTokens: 100 });
    return said(`LLM response: ${content.text}`);
  },
  test_trigger_tool_change: (_, context, server) => announce(server, context, () => modern.notify.toolsChanged(), () => server.sendToolListChanged()),
  test_trigger_prompt_change: (_, context, server) => announce(server, context, () => modern.notify.promptsChanged(), () => server.sendPromptListChanged()),
  test_trigger_resource_update: (_, context, server) => announce(server, context,
    () => modern.notify.resourceUpdated(WATCHED), () => server.server.sendResourceUpdated({ uri: WATCHED })),
};

async function log(_, context) {
  for (const line of ANSWERS.log) {
    await context.mcpReq.log("info", line);
    await pause(PAUSE_MILLISECONDS);
  }
  return said(ANSWERS.texts.test_tool_with_logging);
}

async function progress(_, context) {
  const progressToken = context.mcpReq._meta?.progressToken;
  for (const done of [0, 50, 100]) {
    if (progressToken !== undefined) {
      await context.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: done, total: 100 } });
    }
    await pause(PAUSE_MILLISECONDS);
  }
  return said(ANSWERS.texts.test_tool_with_progress);
}

async function elicit(name, { message = "Please choose" }, context) {
  const answer = await ask(context, "elicitation/create", { mode: "form", message, requestedSchema: ANSWERS.forms[name] });
  return said(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? null)}`);
}

/** Asks on the stream of the call: the session's own stream may not be open yet. */
const ask = (context, method, params) => context.mcpReq.send({ method, params });

/** One round of a call that asks before it answers; what it must remember travels sealed. */
async function round(name, context, done) {
  const { steps, sealed, declared, done: words } = ANSWERS.rounds[name];
  const capabilities = context.mcpReq.envelope?.[CLIENT_CAPABILITIES] ?? {};
  const isDeclared = (key) => ANSWERS.capabilities[ANSWERS.questions[key].method] in capabilities;
  const asked = (step) => steps[step].filter((key) => !declared || isDeclared(key));
  const state = context.mcpReq.requestState();
  let step = state?.tool === name ? state.step : 0;
  const isOpen = !sealed || state?.tool === name;
  if (isOpen && asked(step).every((key) => isAnswered(key, context.mcpReq.inputResponses?.[key]))) step += 1;
  if (step === steps.length) return done(words ?? `Answered: ${JSON.stringify(context.mcpReq.inputResponses)}`);
  const inputRequests = Object.fromEntries(asked(step).map((key) => [key, ANSWERS.questions[key]]));
  return inputRequired(sealed ? { inputRequests, requestState: await seal.mint({ tool: name, step }) } : { inputRequests });
}

/** A declined or malformed answer is none. */
function isAnswered(key, answer) {
  const { method, params } = ANSWERS.questions[key];
  const value = answer?.[ANSWERS.answers[method]];
  if (method !== "elicitation/create") return value !== undefined;
  return answer?.action === "accept" && params.requestedSchema.required.every((field) => ["string", "boolean"].includes(typeof value?.[field]));
}

async function announce(server, context, toSubscribers, toSession) {
  toSubscribers();
  if (context.sessionId) await toSession();
  return said("Change announced");
}

function addPrompt(server, { name, description, arguments: wanted = [] }) {
  const messages = (contents) => ({ messages: contents.map((content) => ({ role: "user", content })) });
  if (ANSWERS.rounds[name]) {
    server.registerPrompt(name, { description }, (context) => round(name, context, (text) => messages([{ type: "text", text }])));
    return;
  }
  const filled = (input) => messages(JSON.parse(JSON.stringify(ANSWERS.prompts[name]), (_, value) =>
    typeof value === "string" ? value.replace(/\{(\w+)\}/g, (all, field) => input[field] ?? all) : value));
  if (wanted.length === 0) {
    server.registerPrompt(name, { description }, () => filled({}));
    return;
  }
  const properties = Object.fromEntries(wanted.map((argument) => [argument.name, { type: "string", description: argument.description }]));
  const argsSchema = fromJsonSchema({ type: "object", properties, required: Object.keys(properties) });
  server.registerPrompt(name, { description, argsSchema }, filled);
}

function addResources(server) {
  for (const { uri, name, ...about } of CATALOGUE.resources) {
    server.registerResource(name, uri, about, () => ({ contents: [{ uri, ...ANSWERS.resources[uri] }] }));
  }
  for (const { uriTemplate, name, ...about } of CATALOGUE.resourceTemplates) {
    server.registerResource(name, new ResourceTemplate(uriTemplate, { list: undefined }), about, (uri, { id }) => {
      const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
      return { contents: [{ uri: uri.href, mimeType: about.mimeType, text }] };
    });
  }
  for (const method of ["resources/subscribe", "resources/unsubscribe"]) server.server.setRequestHandler(method, () => ({}));
}

const said = (text) => ({ content: [{ type: "text", text }] });

/** What was sent on streams, so that clients can come back for it. */
function eventStore() {
  const events = [];
  return {
    storeEvent: async (stream, message) => `${events.push({ stream, message })}`,
    replayEventsAfter: async (last, { send }) => {
      const { stream } = events[Number(last) - 1] ?? {};
      for (const [index, event] of events.entries()) {
        const isLater = index >= Number(last) && event.stream === stream;
        // The event that only carries an id has no message.
        if (isLater && Object.keys(event.message ?? {}).length > 0) await send(`${index + 1}`, event.message);
      }
      return stream;
    },
  };
}

// 2026-07-28 has no sessions; the revisions before it do, and each session has its own transport.
const modern = createMcpHandler(build, { legacy: "reject" });
const serveModern = toNodeHandler(modern);
const sessions = new Map();

async function serveSession(request, response, body) {
  const known = sessions.get(request.headers["mcp-session-id"]);
  if (known) return known.handleRequest(request, response, body);
  if (!isInitializeRequest(body)) return refuse(response, request.headers["mcp-session-id"] ? 404 : 400, PROTOCOL_ERRORS.session);
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: eventStore(),
    retryInterval: PAUSE_MILLISECONDS,
    onsessioninitialized: (id) => { sessions.set(id, transport); },
    onsessionclosed: (id) => { sessions.delete(id); },
  });
  await build().connect(transport);
  return transport.handleRequest(request, response, body);
}

function refuse(response, status, code) {
  const error = { code, message: "refused" };
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
}

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

const http = createServer(async (request, response) => {
  const { host, origin } = request.headers;
  const isLocal = validateHostHeader(host, localhostAllowedHostnames()).ok && validateOriginHeader(origin, localhostAllowedOrigins()).ok;
  if (!isLocal) return refuse(response, 403, PROTOCOL_ERRORS.session);
  let body;
  try {
    body = await bodyOf(request);
  } catch {
    return refuse(response, 400, PROTOCOL_ERRORS.parse);
  }
  const isLegacy = request.method !== "POST" || await isLegacyRequest(await toWebRequest(request, body));
  return isLegacy ? serveSession(request, response, body) : serveModern(request, response, body);
});
http.listen(Number(process.env.PORT ?? 0), "127.0.0.1", () => {
  console.log(JSON.stringify({ url: `http://localhost:${http.address().port}/mcp`, pid: process.pid }));
});
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit(0));
