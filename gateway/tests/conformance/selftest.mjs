// Tests the comparison itself, with proxies of our own in the gateway's place:
//
//   node selftest.mjs --direct URL [--revision R]...
//
// A proxy that changes nothing must give no difference, and each faulty proxy must be caught.

import { once } from "node:events";
import http from "node:http";
import { parseArgs } from "node:util";

import { compare, unsound } from "./compare.mjs";
import { startInjector } from "./injector.mjs";
import { startProxy } from "./proxy.mjs";
import { REVISIONS, runSuite } from "./suite.mjs";

const { values } = parseArgs({
  options: { direct: { type: "string" }, revision: { type: "string", multiple: true } },
});
const revisions = values.revision ?? Object.keys(REVISIONS);

const NOTICE_LIMIT_MS = 2000;
const TOKEN = "selftest";
const wantsToken = {
  admit: (request) => (request.headers.authorization === `Bearer ${TOKEN}` ? undefined : 401),
  edit: without("authorization"),
};

let failed = 0;
expect("a client that leaves is noticed by the server", await leaves("client"));
expect("a server that leaves is noticed by the client", await leaves("server"));
for (const revision of revisions) {
  const direct = await runSuite(values.direct, revision);
  expect(`${revision}: the direct run is sound`, unsound(direct, revision));
  expect(`${revision}: a transparent proxy that wants a token gives no difference`, await through(direct, revision, wantsToken));
  if (revision === "2025-11-25") {
    await catches(`${revision}: no token is caught`, direct, revision, wantsToken, "server-initialize", null);
    const stripped = { edit: without("last-event-id") };
    await catches(`${revision}: a stripped Last-Event-ID is caught`, direct, revision, stripped, "server-sse-polling");
  }
  if (revision === "2026-07-28") {
    const stripped = { edit: withoutPrefix("mcp-param-") };
    await catches(`${revision}: stripped Mcp-Param-* is caught`, direct, revision, stripped, "http-custom-header-server-validation");
  }
}
console.log(failed === 0 ? "selftest passed" : `selftest failed: ${failed}`);
process.exitCode = failed === 0 ? 0 : 1;

async function through(direct, revision, fault, token = TOKEN) {
  const gateway = await startProxy(values.direct, fault);
  const injector = await startInjector(gateway.url, token ?? undefined);
  const { differences } = compare(direct, await runSuite(injector.url, revision));
  injector.close();
  gateway.close();
  return differences;
}

// One side opens a stream through the injector and drops it in the middle; the other must see it end.
async function leaves(side) {
  const server = http.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const injector = await startInjector(`http://127.0.0.1:${server.address().port}/`);
  const call = http.get(injector.url);
  call.on("error", () => {});
  const [, stream] = await once(server, "request");
  stream.write("data: 1\n\n");
  const [answer] = await once(call, "response");
  answer.on("error", () => {});
  await once(answer, "data");
  const [leaver, stayer] = side === "client" ? [call, stream] : [stream, answer];
  const findings = new Promise((resolve) => {
    const limit = setTimeout(() => resolve(["nobody noticed"]), NOTICE_LIMIT_MS);
    stayer.once("close", () => {
      clearTimeout(limit);
      resolve([]);
    });
  });
  leaver.destroy();
  await findings;
  injector.close();
  server.closeAllConnections();
  server.close();
  return findings;
}

async function catches(what, direct, revision, fault, scenario, token) {
  const differences = await through(direct, revision, fault, token);
  const isCaught = differences.some((line) => line.includes(`${scenario} /`));
  expect(what, isCaught ? [] : [`no difference in ${scenario}`]);
}

function expect(what, findings) {
  console.log(`${findings.length === 0 ? "ok" : "FAILED"}  ${what}`);
  findings.forEach((line) => console.log(`  ${line}`));
  failed += findings.length === 0 ? 0 : 1;
}

function without(header) {
  return (headers) => headers.filter(([name]) => name.toLowerCase() !== header);
}

function withoutPrefix(prefix) {
  return (headers) => headers.filter(([name]) => !name.toLowerCase().startsWith(prefix));
}
