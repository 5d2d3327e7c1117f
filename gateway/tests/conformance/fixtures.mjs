// The fixture servers, one on each SDK, and the gateway in front of all of them with authentication on, for a role that may
// use everything. Never starts a server that listens anywhere but on loopback.

import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { firstLine, freePorts, start } from "../clients/children.mjs";
import { pythonWithRequirements } from "../clients/python.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const TOKEN_SECONDS = 3000;
const READY_ATTEMPTS = 100;

/** Starts the three servers; resolves to their names and URLs. */
export async function startServers({ everything, venv }) {
  const python = await pythonWithRequirements(venv, here("../clients/requirements.txt"));
  const free = { PORT: "0", PYTHONWARNINGS: "ignore" };
  const [rust, typescript, snake] = await Promise.all([
    firstUrl(start(everything, ["0"])),
    firstLine(start(process.execPath, [here("servers/everything.mjs")], free)).then(({ url }) => url),
    firstLine(start(python, [here("servers/everything.py")], free)).then(({ url }) => url),
  ]);
  return { rust, typescript, python: snake };
}

/** The URL that the server on the Rust SDK says in a sentence. */
function firstUrl(child) {
  return new Promise((resolve, reject) => {
    child.stdout.on("data", () => {
      const url = /http:\/\/127\.0\.0\.1:\d+\/mcp/.exec(child.output);
      if (url) resolve(url[0].replace("127.0.0.1", "localhost"));
    });
    child.ended.then((how) => reject(new Error(`the fixture server ended with ${how}:\n${child.output}`)));
  });
}

/** Starts the gateway in front of `servers`; resolves to their URLs behind it, each with the file of its token. */
export async function startGateway(binary, servers, folder) {
  const [port, ops] = await freePorts(2);
  const origin = `http://localhost:${port}`;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256", use: "sig" };
  writeFileSync(join(folder, "jwks.json"), JSON.stringify({ keys: [jwk] }));
  writeFileSync(join(folder, "gatewright.yaml"), configuration(origin, port, ops, servers));
  const child = start(binary, ["run", "-c", join(folder, "gatewright.yaml")]);
  await ready(child, `http://127.0.0.1:${ops}/readyz`);
  const behind = Object.keys(servers).map((name) => {
    const [url, tokenFile] = [`${origin}/${name}/mcp`, join(folder, `${name}.token`)];
    writeFileSync(tokenFile, token(privateKey, url));
    return [name, { url, tokenFile }];
  });
  return Object.fromEntries(behind);
}

async function ready(child, url) {
  for (let attempt = 0; attempt < READY_ATTEMPTS && child.exitCode === null; attempt += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the gateway is not ready:\n${child.output}`);
}

// The suite plays a client that answers whatever a server asks, so the servers may ask.
function configuration(origin, port, ops, servers) {
  const listed = Object.entries(servers).map(([name, upstream]) => `  - name: ${name}
    path: /${name}/mcp
    upstream: "${upstream}"
    server_requests: [sampling/createMessage, elicitation/create, roots/list]
    elicitation_hosts: [localhost, 127.0.0.1]`);
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
