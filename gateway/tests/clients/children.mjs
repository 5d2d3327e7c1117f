// The processes that a run starts, and their end. Never leaves one behind, and never ends one that it did not start.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const PATIENCE_MILLISECONDS = 5000;
const KEPT_OUTPUT = 20_000;
const children = new Set();
let isStopping = false;

/** Starts a program; `child.output` holds the end of what it said, on both streams. */
export function start(command, args, environment = {}) {
  if (isStopping) throw new Error('the run is being stopped');
  const child = spawn(command, args, { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => { child.output = (child.output + chunk).slice(-KEPT_OUTPUT); });
  }
  child.ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not start: ${error.message}`));
    child.once('close', (code, signal) => resolve(code ?? signal));
  }).finally(() => children.delete(child));
  children.add(child);
  return child;
}

/** The first line of JSON that a program prints, or an error with its output when it ends before. */
export async function firstLine(child) {
  const lines = createInterface({ input: child.stdout });
  const found = new Promise((resolve) => {
    lines.on('line', (line) => { if (line.startsWith('{')) resolve(JSON.parse(line)); });
  });
  const ended = child.ended.then((how) => { throw new Error(`${child.spawnfile} ended (${how}) before it served:\n${child.output}`); });
  return Promise.race([found, ended]);
}

/** Resolves to the exit code (or signal) of a program, which is ended when it takes longer than `milliseconds`. */
export async function finish(child, milliseconds) {
  const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
  return child.ended.finally(() => clearTimeout(timer));
}

/** Ends every child that is left: asks first, insists after five seconds. */
export async function stopAll() {
  isStopping = true;
  await Promise.all([...children].map(async (child) => {
    child.kill('SIGTERM');
    await finish(child, PATIENCE_MILLISECONDS);
  }));
}

/** Loopback ports that were free a moment ago, all different. */
export async function freePorts(count) {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(probes.map((probe) => once(probe, 'listening')));
  const ports = probes.map((probe) => probe.address().port);
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')));
  return ports;
}

/** What the environment says of `name`, which a run cannot do without. */
export function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name}`);
  return value;
}
