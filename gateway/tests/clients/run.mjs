// Runs real clients against a real gateway between a real authorization server and a real MCP server.
// Never looks inside the gateway: it starts the binary, asks /readyz, and reads what reached the upstream.
//
// env GATEWRIGHT (the binary), GATEWRIGHT_VENV (folder of the Python environment, made when it is missing), KEEP=1 (keep the folder).
// Exit code 0 when everything passed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { finish, firstLine, freePort, start, stopAll } from './children.mjs';
import { edgeCases } from './edge.mjs';
import { readJournal } from './journal.mjs';
import { pythonWithRequirements } from './python.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SERVER_PATH = '/notes/mcp';
const SCOPE = 'notes:read';
const AT_ONCE = 3;
const CLIENT_MILLISECONDS = 60_000;
const READY_MILLISECONDS = 30_000;

const ANALYST = {
  'expect-tools': 'search_notes,get_note,count_slowly',
  'expect-prompts': 'summarise_note',
  'expect-resources': 'notes://public/readme',
  denied: 'delete_note',
};
// The twin: what an analyst is refused, an admin may do.
const ADMIN = {
  'expect-tools': 'search_notes,get_note,count_slowly,delete_note',
  'expect-prompts': 'summarise_note,rewrite_note',
  'expect-resources': 'notes://public/readme,notes://private/diary',
};

const folder = mkdtempSync(join(tmpdir(), 'gatewright-clients-'));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(130));
await end(await main().catch((error) => {
  console.error(error.message);
  return 1;
}));

async function main() {
  const python = await pythonWithRequirements(process.env.GATEWRIGHT_VENV, join(HERE, 'requirements.txt'));
  const world = await startWorld(needed('GATEWRIGHT'));
  const results = await inTurns(clientRuns(python).map((run) => () => runClient(world, run)));
  results.push(...await edgeCases(world), ...checkJournal(world, results));
  return summary(results, world);
}

async function startWorld(binary) {
  const [port, opsPort] = [await freePort(), await freePort()];
  const publicUrl = `http://127.0.0.1:${port}`;
  const resource = publicUrl + SERVER_PATH;
  const journal = join(folder, 'journal.jsonl');
  const [authorization, upstream] = await Promise.all([
    firstLine(start(process.execPath, [join(HERE, 'authorization-server.mjs')], { PORT: '0', RESOURCES: resource, SCOPES: SCOPE })),
    firstLine(start(process.execPath, [join(HERE, 'notes-server.mjs')], { PORT: '0', JOURNAL: journal })),
  ]);
  const file = join(folder, 'gatewright.yaml');
  writeFileSync(file, configuration({ port, opsPort, publicUrl, issuer: authorization.issuer, upstream: upstream.url }));
  const gateway = start(binary, ['run', '--config', file]);
  await untilReady(gateway, `http://127.0.0.1:${opsPort}/readyz`);
  return { gateway, publicUrl, resource, issuer: authorization.issuer, scope: SCOPE, journal };
}

function configuration({ port, opsPort, publicUrl, issuer, upstream }) {
  return `version: 1
listen:
  address: 127.0.0.1:${port}
public_url: ${publicUrl}
issuers:
  - name: tests
    url: ${issuer}
    algorithms: [ES256]
    roles_claim: roles
servers:
  - name: notes
    path: ${SERVER_PATH}
    upstream: ${upstream}
    scopes: ["${SCOPE}"]
policy:
  roles:
    analyst:
      notes:
        - search_*
        - get_note
        - count_slowly
        - { prompt: summarise_note }
        - { resource: "notes://public/*" }
    admin:
      notes:
        - "*"
        - { prompt: "*" }
        - { resource: "notes://**" }
audit:
  ledger: ${join(folder, 'audit')}
ops: { address: "127.0.0.1:${opsPort}" }
admin: { socket: ${join(folder, 'gatewright.sock')} }
`;
}

async function untilReady(gateway, url) {
  let ended;
  gateway.ended.then((how) => { ended = how; });
  const deadline = Date.now() + READY_MILLISECONDS;
  while (Date.now() < deadline) {
    if (ended !== undefined) throw new Error(`the gateway ended (${ended}):\n${gateway.output}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await pause(50);
  }
  throw new Error(`the gateway was not ready within ${READY_MILLISECONDS} ms:\n${gateway.output}`);
}

function clientRuns(python) {
  const ts2 = [process.execPath, join(HERE, 'client-ts2.mjs')];
  const ts1 = [process.execPath, join(HERE, 'client-ts1.mjs')];
  const py = [python, join(HERE, 'client_py.py')];
  const programs = [['ts2', ts2, 'auto'], ['ts2', ts2, 'legacy'], ['ts1', ts1, 'legacy'], ['py', py, 'auto'], ['py', py, 'legacy']];
  return programs.flatMap(([name, program, mode]) => [
    { name, program, mode, flow: 'code', user: 'alice', expected: ANALYST },
    { name, program, mode, flow: 'client_credentials', user: 'agent', expected: ANALYST },
    { name, program, mode, flow: 'code', user: 'bob', expected: ADMIN },
  ]);
}

async function runClient(world, { name, program: [command, script], mode, flow, user, expected }) {
  const options = Object.entries({ flow, user, ...expected }).flatMap(([key, value]) => [`--${key}`, value]);
  const began = performance.now();
  const child = start(command, [script, world.resource, mode, ...options]);
  const printed = firstLine(child).catch(() => undefined);
  const isPassed = await finish(child, CLIENT_MILLISECONDS) === 0;
  const facts = isPassed ? await printed : undefined;
  return {
    name: `${name} ${mode} ${flow} as ${user}`,
    isPassed,
    seconds: (performance.now() - began) / 1000,
    detail: facts ? describe(facts) : withoutAdvice(child.output),
    mayDelete: expected === ADMIN,
  };
}

// The SDKs advise naming the issuer in advance; here they are told nothing but the URL on purpose.
function withoutAdvice(output) {
  return output.split('\n').filter((line) => line && !line.startsWith('[mcp-sdk]')).join('\n') || 'no output';
}

function describe({ protocol, tools, denied, progress }) {
  const refusal = denied ? `${denied.tool} refused: HTTP ${denied.http}, ${denied.code} as ${denied.surfaced}` : 'nothing refused';
  return `${protocol}; ${tools.length} tools; ${refusal}; ${progress.notes} progress notes, first ${progress.lead_ms} ms ahead`;
}

// The upstream is the witness: neither a credential nor a denied call may have reached it.
function checkJournal({ journal }, results) {
  const entries = readJournal(journal);
  const authorized = entries.filter((entry) => entry.authorized);
  const deleted = entries.flatMap((entry) => entry.calls).filter((call) => call.method === 'tools/call' && call.name === 'delete_note');
  const allowed = results.filter((result) => result.mayDelete).length;
  return [
    { name: 'journal: the upstream was used', isPassed: entries.length > 0, detail: `${entries.length} requests` },
    { name: 'journal: no Authorization header', isPassed: authorized.length === 0, detail: `${authorized.length} of ${entries.length} requests had one` },
    { name: 'journal: no denied call', isPassed: deleted.length <= allowed, detail: `delete_note arrived ${deleted.length} times, allowed for ${allowed} runs` },
  ];
}

async function inTurns(tasks) {
  const results = [];
  const queue = tasks.entries();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [index, task] of queue) results[index] = await task();
  }));
  return results;
}

function summary(results, world) {
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, isPassed, seconds, detail } of results) {
    const time = seconds === undefined ? '' : `${seconds.toFixed(1)}s`;
    console.log(`${isPassed ? 'ok  ' : 'FAIL'} ${name.padEnd(width)} ${time.padStart(6)}  ${detail.replaceAll('\n', '\n      ')}`);
  }
  const failed = results.filter(({ isPassed }) => !isPassed).length;
  if (failed > 0) console.log(`\nthe gateway said last:\n${world.gateway.output.slice(-4000)}`);
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}

async function end(code) {
  await stopAll();
  if (process.env.KEEP) console.error(`kept ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
