// The official conformance suite against servers on three SDKs, directly and through the gateway:
//
//   GATEWRIGHT=target/debug/gatewright EVERYTHING=target/debug/everything GATEWRIGHT_VENV=target/venv node through-gateway.mjs
//
// Every check must end the same way in all revisions. Last line: `N passed, M failed`.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { finish, needed, start, stopAll } from "../clients/children.mjs";
import { startServers } from "./fixtures.mjs";
import { startGateway } from "./gateway.mjs";

const REVISIONS = ["2025-06-18", "2025-11-25", "2026-07-28"];
const RUN = fileURLToPath(new URL("run.mjs", import.meta.url));
const RUN_MILLISECONDS = 300_000;
// The suite plays a client that answers whatever a server asks, so the servers may ask.
const KEYS = ["server_requests: [sampling/createMessage, elicitation/create, roots/list]", "elicitation_hosts: [localhost, 127.0.0.1]"];
const folder = mkdtempSync(join(tmpdir(), "gatewright-conformance-"));

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => end(130));
await end(await main().catch((error) => {
  console.error(error.message);
  return 1;
}));

async function main() {
  const servers = await startServers({ everything: needed("EVERYTHING"), venv: needed("GATEWRIGHT_VENV") });
  const { behind } = await startGateway(needed("GATEWRIGHT"), folder, servers, { keys: KEYS });
  // Side by side: each server has its own sessions and paths.
  const results = await Promise.all(Object.entries(servers).map(([name, direct]) => compareAll(name, direct, behind[name])));
  const [passed, failed] = results.flat().reduce(([equal, different], [a, b]) => [equal + a, different + b], [0, 0]);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

async function compareAll(name, direct, behind) {
  const found = [];
  for (const revision of REVISIONS) found.push(await compare(name, direct, behind, revision));
  return found;
}

/** Runs the comparison of one server and revision; resolves to [equal, different]. */
async function compare(name, direct, { url, tokenFile }, revision) {
  const options = ["--direct", direct, "--gateway", url, "--revision", revision, "--token-file", tokenFile];
  const child = start(process.execPath, [RUN, ...options]);
  let said = "";
  child.stdout.on("data", (chunk) => { said += chunk; });
  await finish(child, RUN_MILLISECONDS);
  const [, succeeding] = /^direct: (.*)$/m.exec(said) ?? [];
  const counted = /(\d+) passed, (\d+) failed\s*$/.exec(said);
  const lines = said.split("\n").filter((line) => /^(different|mended|direct run):/.test(line));
  const verdict = `${counted?.[1] ?? 0} checks equal, ${counted?.[2] ?? "no result"} different`;
  console.log([`${name} ${revision}: ${verdict} (directly ${succeeding ?? "nothing known"})`, ...lines].join("\n"));
  if (!counted) console.log(child.output);
  return counted ? [Number(counted[1]), Number(counted[2])] : [0, 1];
}

async function end(code) {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
