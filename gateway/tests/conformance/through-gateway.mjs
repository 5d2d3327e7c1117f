// The official conformance suite against the fixture server, directly and through the gateway:
//
//   GATEWRIGHT=target/debug/gatewright EVERYTHING=target/debug/everything node through-gateway.mjs
//
// The gateway runs with authentication on, for a role that may use everything. Every check must end the
// same way in all revisions. Last line: `N passed, M failed`.

import { execFile, spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const REVISIONS = ["2025-06-18", "2025-11-25", "2026-07-28"];
const RUN = fileURLToPath(new URL("run.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "gatewright-conformance-"));
const children = [];

try {
  const direct = await everything();
  const gateway = await gatewright(direct);
  let [passed, failed] = [0, 0];
  for (const revision of REVISIONS) {
    const [equal, different] = await compare(direct, gateway, revision);
    passed += equal;
    failed += different;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
} finally {
  children.forEach((child) => child.kill());
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the fixture server; resolves to its URL. */
function everything() {
  const child = start(needed("EVERYTHING"), ["0"]);
  return new Promise((resolve, reject) => {
    let seen = "";
    child.stdout.on("data", (chunk) => {
      seen += chunk;
      const url = /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(seen);
      if (url) resolve(url[0].replace("127.0.0.1", "localhost"));
    });
    child.on("exit", (code) => reject(new Error(`the fixture server ended with ${code}`)));
  });
}

/** Starts the gateway in front of it; resolves to the URL of its MCP endpoint. */
async function gatewright(upstream) {
  const [port, ops] = [await freePort(), await freePort()];
  const origin = `http://localhost:${port}`;
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...key.publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256", use: "sig" };
  writeFileSync(join(folder, "jwks.json"), JSON.stringify({ keys: [jwk] }));
  writeFileSync(join(folder, "token"), token(key.privateKey, `${origin}/mcp`));
  writeFileSync(join(folder, "gatewright.yaml"), configuration(origin, port, ops, upstream));
  const child = start(needed("GATEWRIGHT"), ["run", "-c", join(folder, "gatewright.yaml")]);
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const ready = await fetch(`http://127.0.0.1:${ops}/readyz`).catch(() => undefined);
    if (ready?.ok) return `${origin}/mcp`;
    if (child.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the gateway is not ready:\n${said}`);
}

function configuration(origin, port, ops, upstream) {
  return `version: 1
listen: { address: 127.0.0.1:${port} }
public_url: ${origin}
issuers:
  - { name: test, url: "https://auth.test", jwks_file: jwks.json, algorithms: [ES256] }
servers:
  - { name: everything, path: /mcp, upstream: "${upstream}", server_requests: [sampling/createMessage, elicitation/create, roots/list] }
policy:
  roles:
    all:
      everything: ["*", { prompt: "*" }, { resource: "*" }]
audit: { ledger: audit }
ops: { address: 127.0.0.1:${ops} }
admin: { socket: admin.sock }
`;
}

function token(privateKey, audience) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iss: "https://auth.test", sub: "suite", client_id: "suite", aud: audience, roles: ["all"], iat: now, exp: now + 3000, jti: "suite-1" };
  const message = `${part({ alg: "ES256", typ: "at+jwt", kid: "k1" })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${message}.${signature.toString("base64url")}`;
}

/** Runs the comparison of one revision; resolves to [equal, different]. */
function compare(direct, gateway, revision) {
  const options = ["--direct", direct, "--gateway", gateway, "--revision", revision, "--token-file", join(folder, "token")];
  return new Promise((resolve) => {
    execFile(process.execPath, [RUN, ...options], { maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
      const counted = /(\d+) passed, (\d+) failed\s*$/.exec(stdout);
      const details = stdout.split("\n").slice(0, -2).join("\n");
      console.log(`${revision}: ${counted?.[1] ?? 0} checks equal, ${counted?.[2] ?? "no result"} different`);
      if (details || !counted) console.log(details, stderr);
      resolve(counted ? [Number(counted[1]), Number(counted[2])] : [0, 1]);
    });
  });
}

function start(command, options) {
  const child = spawn(command, options, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  return child;
}

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set ${name} to the path of the program`);
  return value;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
