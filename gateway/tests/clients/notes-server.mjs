// A real MCP server (both eras, sessions in the older one) that stands behind the gateway in tests.
// It trusts everyone, because the gateway is what keeps the others out. Never serves anything but its three notes.
//
// env PORT (0 = any free port), JOURNAL (file that gets one JSON line for each request received).
// Prints one JSON line {"url", "pid"} once it serves.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createMcpHandler, isInitializeRequest, isLegacyRequest, McpServer } from '@modelcontextprotocol/server';
import { NodeStreamableHTTPServerTransport, toNodeHandler, toWebRequest } from '@modelcontextprotocol/node';
import * as z from 'zod/v4';
import { journal, readBody } from './journal.mjs';

const NOTES = { n1: 'Buy milk', n2: 'Milk the budget for tea', n3: 'Water the plants' };
const STEP_MILLISECONDS = 150;

function build() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  addTools(server);
  addPrompt(server, 'summarise_note', 'Summarise one note');
  addPrompt(server, 'rewrite_note', 'Rewrite one note');
  addResource(server, 'readme', 'notes://public/readme', 'These notes are for everyone.');
  addResource(server, 'diary', 'notes://private/diary', 'Dear diary.');
  return server;
}

function addTools(server) {
  const id = z.object({ id: z.string() });
  server.registerTool('search_notes', { description: 'Find notes by a word', inputSchema: z.object({ word: z.string() }), annotations: { readOnlyHint: true } },
    ({ word }) => text(matching(word).join(' ')));
  server.registerTool('get_note', { description: 'Read one note', inputSchema: id, annotations: { readOnlyHint: true } },
    (input) => text(NOTES[input.id] ?? 'no such note'));
  server.registerTool('delete_note', { description: 'Delete one note', inputSchema: id, annotations: { destructiveHint: true } },
    (input) => text(`deleted ${input.id}`));
  server.registerTool('count_slowly', { description: 'Count, with progress', inputSchema: z.object({ steps: z.number().int().max(20) }) }, countSlowly);
}

async function countSlowly({ steps }, context) {
  const progressToken = context.mcpReq._meta?.progressToken;
  for (let step = 1; step <= steps; step += 1) {
    if (progressToken !== undefined) {
      await context.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: step, total: steps } });
    }
    await pause(STEP_MILLISECONDS);
  }
  return text(`counted to ${steps}`);
}

function addPrompt(server, name, description) {
  server.registerPrompt(name, { description, argsSchema: z.object({ id: z.string() }) },
    ({ id }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `${description}: ${NOTES[id]}` } }] }));
}

function addResource(server, name, uri, contents) {
  server.registerResource(name, uri, { mimeType: 'text/plain' }, () => ({ contents: [{ uri, text: contents }] }));
}

const matching = (word) => Object.keys(NOTES).filter((id) => NOTES[id].toLowerCase().includes(word.toLowerCase()));
const text = (words) => ({ content: [{ type: 'text', text: words }] });

// 2026-07-28 has no sessions; the revisions before it do, and each session has its own transport.
const modern = toNodeHandler(createMcpHandler(build, { legacy: 'reject' }));
const sessions = new Map();

async function serveSession(request, response, body) {
  const known = sessions.get(request.headers['mcp-session-id']);
  if (known) return known.handleRequest(request, response, body);
  if (!isInitializeRequest(body)) return refuse(response, request.headers['mcp-session-id'] ? 404 : 400, body?.id);
  const transport = new NodeStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => { sessions.set(id, transport); },
    onsessionclosed: (id) => { sessions.delete(id); },
  });
  await build().connect(transport);
  return transport.handleRequest(request, response, body);
}

function refuse(response, status, id = null) {
  const error = { code: -32000, message: status === 404 ? 'Session not found' : 'No session' };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id, error }));
}

const server = createServer(async (request, response) => {
  const body = await readBody(request);
  const message = journal(request, body);
  if (new URL(request.url, 'http://localhost').pathname !== '/mcp') return response.writeHead(404).end();
  const legacy = request.method !== 'POST' || await isLegacyRequest(await toWebRequest(request, message));
  return legacy ? serveSession(request, response, message) : modern(request, response, message);
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/mcp`, pid: process.pid }));
});
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(0));
