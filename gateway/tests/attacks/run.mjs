// Attacks from outside while good traffic goes on: slow HTTP/1.1 by slowhttptest, floods of HTTP/2 frames by floods.py.
//
//   GATEWRIGHT=target/debug/gatewright GATEWRIGHT_VENV=target/venv node run.mjs [PART OF A NAME]
//
// The 99th percentile of the good traffic, measured calm just before each attack, may at most double. Below NOISE_MILLISECONDS
// nothing is told apart: gateway, upstream and good client share one core, and the attacker has the other. An attack that
// fails is tried once more. Everything is on loopback. Exit code 1 if an attack succeeds.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { finish, firstLine, needed, start, stopAll } from "../clients/children.mjs";
import { pythonWithRequirements } from "../clients/python.mjs";
import { startGateway } from "../conformance/gateway.mjs";
import { goodTraffic } from "./traffic.mjs";

const NOISE_MILLISECONDS = 20;
const CALM_MILLISECONDS = 2500;
const ATTACK_SECONDS = 8;
const PATIENCE_MILLISECONDS = 10_000;
// What 600 large answers that nobody takes may hold, and much less than what they would without bounds.
const MOST_GROWTH_MIB = 160;
const SAMPLE_MILLISECONDS = 100;
const LARGE_BYTES = 1 << 18;
const SLOW_CONNECTIONS = 400;
const LIMITS = `limits:
  head_timeout: 1s
  body_timeout: 2s
  write_timeout: 2s
  idle_timeout: 2s
  connections: 2000
  connections_per_source: 200
  streams_per_connection: 32
  bytes_in_flight: 8MiB
`;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gatewright-attacks-"));

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end(130));
await end(await main().catch((error) => {
  console.error(error.stack ?? error.message);
  return 1;
}));

async function main() {
  const python = await pythonWithRequirements(process.env.GATEWRIGHT_VENV, here("../clients/requirements.txt"));
  // What is started from here on inherits it: only the attacker is moved to the other core.
  execFileSync("taskset", ["-pc", "0", `${process.pid}`], { stdio: "ignore" });
  const upstream = await startUpstream();
  const { child, port, behind } = await startGateway(needed("GATEWRIGHT"), folder, { plain: upstream }, { more: LIMITS });
  const { url, tokenFile } = behind.plain;
  const traffic = goodTraffic(url, readFileSync(tokenFile, "utf8"));
  const world = { python, port, path: new URL(url).pathname, url, tokenFile, traffic, pid: child.pid };
  // Both sides warm up, so that the first calm is as calm as the others.
  await traffic.measure(CALM_MILLISECONDS);
  world.before = residentMebibytes(world.pid);
  const rows = [];
  for (const attack of attacks(world).filter(({ name }) => name.includes(process.argv[2] ?? ""))) {
    const first = await judged(attack, world);
    rows.push(first.isHeld ? first : await judged(attack, world));
  }
  traffic.close();
  show(rows, child);
  return rows.every(({ isHeld }) => isHeld) && child.exitCode === null ? 0 : 1;
}

/** A server that answers at once, small or large. */
async function startUpstream() {
  const large = "x".repeat(LARGE_BYTES);
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { id, params } = JSON.parse(Buffer.concat(chunks).toString() || "{}");
    const text = params?.name === "large" ? large : "small";
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } }));
  });
  server.on("clientError", (_, socket) => socket.destroy());
  await new Promise((resolve) => { server.listen(0, "127.0.0.1", resolve); });
  server.unref();
  return `http://127.0.0.1:${server.address().port}/mcp`;
}

function attacks({ python, port, path, url, tokenFile }) {
  const slow = ["-c", `${SLOW_CONNECTIONS}`, "-r", "100", "-l", `${ATTACK_SECONDS}`, "-p", "3"];
  const metadata = url.replace(path, `/.well-known/oauth-protected-resource${path}`);
  const slowly = (name, options, target = url) => ({
    name,
    command: ["slowhttptest", ...options, ...slow, "-u", target],
    sent: () => `${SLOW_CONNECTIONS} connections`,
  });
  const flood = (kind) => ({
    name: kind,
    command: [python, here("floods.py"), kind, `${port}`, path, tokenFile, `${ATTACK_SECONDS}`],
    sent: ({ frames, connections }) => `${frames} frames, ${connections} connections`,
  });
  return [
    slowly("slow headers", ["-H", "-i", "1", "-x", "24"]),
    slowly("slow body", ["-B", "-i", "1", "-s", "8192", "-x", "10", "-f", "application/json"]),
    slowly("slow read", ["-X", "-k", "3", "-n", "1", "-w", "10", "-y", "20", "-z", "5"], metadata),
    ...["rapid reset", "CONTINUATION flood", "PING flood", "SETTINGS flood", "empty DATA", "streams never ended", "zero window"].map(flood),
  ];
}

async function judged(attack, world) {
  const calm = await world.traffic.measure(CALM_MILLISECONDS);
  const watched = watch(world.pid);
  const attacker = start("taskset", ["-c", `${Math.min(1, cpus().length - 1)}`, ...attack.command]);
  const printed = firstLine(attacker).catch(() => undefined);
  const under = await world.traffic.measure(ATTACK_SECONDS * 1000);
  const how = await finish(attacker, PATIENCE_MILLISECONDS);
  const peak = watched.end();
  const allowed = 2 * Math.max(calm.p99, NOISE_MILLISECONDS);
  const faults = [
    ...(under.p99 <= allowed ? [] : ["good traffic was slowed down"]),
    ...(under.faults.length === 0 ? [] : [`${under.faults.length} good calls failed: ${under.faults[0]}`]),
    ...(peak - world.before <= MOST_GROWTH_MIB ? [] : [`memory grew by more than ${MOST_GROWTH_MIB} MiB`]),
    ...(how === 0 ? [] : [`the attacker ended with ${how}: ${attacker.output.slice(-300)}`]),
  ];
  const sent = how === 0 ? attack.sent(await printed ?? {}) : "unknown";
  return { name: attack.name, sent, calm: calm.p99, under: under.p99, count: under.count, peak, faults, isHeld: faults.length === 0 };
}

/** Looks at the memory of a process until it is told to end; what it saw at the most, in MiB. */
function watch(pid) {
  let most = residentMebibytes(pid);
  const timer = setInterval(() => { most = Math.max(most, residentMebibytes(pid)); }, SAMPLE_MILLISECONDS);
  return { end: () => { clearInterval(timer); return most; } };
}

function residentMebibytes(pid) {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes ?? 0) / 1024;
}

function show(rows, child) {
  const head = ["attack", "sent", "calm p99", "p99 under attack", "memory", "verdict"];
  const lines = rows.map(({ name, sent, calm, under, peak, faults }) =>
    [name, sent, `${calm.toFixed(1)} ms`, `${under.toFixed(1)} ms`, `${peak.toFixed(0)} MiB`, faults.join("; ") || "held"]);
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => (column < head.length - 1 ? line[column].length : 0))));
  for (const line of [head, ...lines]) console.log(line.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd());
  if (child.exitCode !== null) console.log(`the gateway ended with ${child.exitCode}:\n${child.output}`);
  console.log(`${rows.filter(({ isHeld }) => isHeld).length} held, ${rows.filter(({ isHeld }) => !isHeld).length} succeeded`);
}

async function end(code) {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
