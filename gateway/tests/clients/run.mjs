// Runs real clients against real gateways between a real authorization server and a real MCP server.
// Never looks inside a gateway: it starts the binary, asks /readyz, and reads what reached the upstream.
//
// env GATEWRIGHT (the binary), GATEWRIGHT_VENV (folder of the Python environment, made when it is missing), KEEP=1 (keep the folder).
// Exit code 0 when everything passed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { certifiedCases } from './certified.mjs';
import { makeIdentities } from './certificates.mjs';
import { finish, firstLine, needed, start, stopAll } from './children.mjs';
import { dpopCases } from './dpop.mjs';
import { edgeCases } from './edge.mjs';
import { planGateways, startGateways } from './gateways.mjs';
import { journalChecks } from './journal.mjs';
import { ledgerChecks } from './ledger.mjs';
import { opaqueCases } from './opaque.mjs';
import { pythonWithRequirements } from './python.mjs';
import { clientRuns } from './runs.mjs';

const HERE = dirname(fileURLToPath(import.meta.url));
const SCOPE = 'notes:read';
const AT_ONCE = 3;
const CLIENT_MILLISECONDS = 60_000;

const folder = mkdtempSync(join(tmpdir(), 'gatewright-clients-'));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(130));
await end(await main().catch((error) => {
  console.error(error.message);
  return 1;
}));

async function main() {
  const python = await pythonWithRequirements(process.env.GATEWRIGHT_VENV, join(HERE, 'requirements.txt'));
  const world = await startWorld(needed('GATEWRIGHT'));
  const results = await inTurns(clientRuns(python, world).map((run) => () => runClient(run)));
  // One after the other: each of them reads in the journal what arrived meanwhile.
  for (const cases of [edgeCases, dpopCases, opaqueCases, certifiedCases]) results.push(...await cases(world).catch((error) => [broken(cases, error)]));
  results.push(...journalChecks(world.journal, results), ...ledgerChecks(world));
  return summary(results, world);
}

function broken({ name }, error) {
  return { name: `${name} could not be prepared`, isPassed: false, detail: error.message };
}

async function startWorld(binary) {
  const plans = await planGateways();
  const resources = Object.values(plans).flatMap(({ resource, strict }) => [resource, strict]).join(' ');
  const identities = await makeIdentities(join(folder, 'identities'));
  const journal = join(folder, 'journal.jsonl');
  const [{ issuer }, { url: upstream }] = await Promise.all([
    serve('authorization-server.mjs', { RESOURCES: resources, SCOPES: SCOPE, IDENTITIES: identities }),
    serve('notes-server.mjs', { JOURNAL: journal }),
  ]);
  const world = { folder, identities, issuer, upstream, scope: SCOPE, journal };
  return { ...world, gateways: await startGateways(binary, plans, world) };
}

function serve(script, environment) {
  return firstLine(start(process.execPath, [join(HERE, script)], { PORT: '0', ...environment }));
}

async function runClient({ name, program: [command, script], url, mode, options, mayDelete }) {
  const words = Object.entries(options).flatMap(([key, value]) => [`--${key}`, value]);
  const began = performance.now();
  const child = start(command, [join(HERE, script), url, mode, ...words]);
  const printed = firstLine(child).catch(() => undefined);
  const isPassed = await finish(child, CLIENT_MILLISECONDS) === 0;
  const facts = isPassed ? await printed : undefined;
  const seconds = (performance.now() - began) / 1000;
  return { name, isPassed, seconds, detail: facts ? describe(facts) : withoutAdvice(child.output), mayDelete };
}

// The SDKs advise naming the issuer in advance; here they are told nothing but the URL on purpose.
function withoutAdvice(output) {
  return output.split('\n').filter((line) => line && !line.startsWith('[mcp-sdk]')).join('\n') || 'no output';
}

function describe({ protocol, tools, denied, progress, binding: { nonces } = {} }) {
  const refusal = denied ? `${denied.tool} refused: HTTP ${denied.http}, ${denied.code} as ${denied.surfaced}` : 'nothing refused';
  const asked = nonces ? `; nonces asked for: ${nonces.authorization} to log in, ${nonces.resource} to call` : '';
  return `${protocol}; ${tools.length} tools; ${refusal}; ${progress.notes} progress notes, first ${progress.lead_ms} ms ahead${asked}`;
}

async function inTurns(tasks) {
  const results = [];
  const queue = tasks.entries();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [index, task] of queue) results[index] = await task();
  }));
  return results;
}

function summary(results, { gateways }) {
  const width = Math.max(...results.map(({ name }) => name.length));
  for (const { name, isPassed, seconds, detail } of results) {
    const time = seconds === undefined ? '' : `${seconds.toFixed(1)}s`;
    console.log(`${isPassed ? 'ok  ' : 'FAIL'} ${name.padEnd(width)} ${time.padStart(6)}  ${detail.replaceAll('\n', '\n      ')}`);
  }
  const failed = results.filter(({ isPassed }) => !isPassed).length;
  for (const { name, process } of failed > 0 ? Object.values(gateways) : []) {
    console.log(`\nthe gateway \`${name}\` said last:\n${process.output.slice(-4000)}`);
  }
  console.log(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function end(code) {
  await stopAll();
  if (process.env.KEEP) console.error(`kept ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
