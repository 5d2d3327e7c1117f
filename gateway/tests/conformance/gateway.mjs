// A gateway with authentication on, in front of servers, for a role that may use everything. Never looks inside it.

import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { freePorts, start } from "../clients/children.mjs";

const TOKEN_SECONDS = 3000;
const READY_ATTEMPTS = 100;

/**
 * Starts the gateway in front of `servers` (names and URLs). `keys` stand with every server and `more` behind the rest of
 * the file. Resolves to the process and, for every server, its URL and the file with a token for it.
 */
export async function startGateway(binary, folder, servers, { keys = [], more = "" } = {}) {
  const [port, ops] = await freePorts(2);
  const origin = `http://localhost:${port}`;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256", use: "sig" };
  writeFileSync(join(folder, "jwks.json"), JSON.stringify({ keys: [jwk] }));
  writeFileSync(join(folder, "gatewright.yaml"), configuration(origin, [port, ops], servers, keys) + more);
  const child = start(binary, ["run", "-c", join(folder, "gatewright.yaml")]);
  await ready(child, `http://127.0.0.1:${ops}/readyz`);
  const behind = Object.keys(servers).map((name) => {
    const [url, tokenFile] = [`${origin}/${name}/mcp`, join(folder, `${name}.token`)];
    writeFileSync(tokenFile, token(privateKey, url));
    return [name, { url, tokenFile }];
  });
  return { child, port, behind: Object.fromEntries(behind) };
}

async function ready(child, url) {
  for (let attempt = 0; attempt < READY_ATTEMPTS && child.exitCode === null; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the gateway is not ready:\n${child.output}`);
}

function configuration(origin, [port, ops], servers, keys) {
  const listed = Object.entries(servers).map(([name, upstream]) =>
    [`  - name: ${name}`, `path: /${name}/mcp`, `upstream: "${upstream}"`, ...keys].join("\n    "));
  const rows = Object.keys(servers).map((name) => `      ${name}: ["*", { prompt: "*" }, { resource: "*" }]`);
  return `version: 1
listen: { address: 127.0.0.1:${port} }
public_url: ${origin}
issuers:
  - { name: test, url: "https://auth.test", jwks_file: jwks.json, algorithms: [ES256] }
servers:
${listed.join("\n")}
policy:
  roles:
    all:
${rows.join("\n")}
audit: { ledger: audit }
ops: { address: 127.0.0.1:${ops} }
admin: { socket: admin.sock }
`;
}

function token(privateKey, audience) {
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: "https://auth.test", sub: "suite", client_id: "suite", aud: audience, roles: ["all"], iat: now, exp: now + TOKEN_SECONDS, jti: "suite-1",
  };
  const message = `${part({ alg: "ES256", typ: "at+jwt", kid: "k1" })}.${part(claims)}`;
  const signature = sign("sha256", Buffer.from(message), { key: privateKey, dsaEncoding: "ieee-p1363" });
  return `${message}.${signature.toString("base64url")}`;
}
