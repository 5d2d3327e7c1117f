// The gateways of a run: how each is configured, started and known to be ready. Never looks inside one.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts, start } from './children.mjs';

const READY_MILLISECONDS = 30_000;
const OPEN_PATH = '/notes/mcp';
const STRICT_PATH = '/strict/mcp';
/** How long an answer of the introspection endpoint is believed. */
export const BELIEVED_MILLISECONDS = 2000;

// Each gateway fronts the one upstream twice: `resource` takes any token, `strict` only such as are bound.
const GATEWAYS = {
  plain: { scheme: 'http', constraint: 'dpop' },
  nonce: { scheme: 'http', constraint: 'dpop', extra: () => 'dpop: { nonce: required }' },
  tls: { scheme: 'https', constraint: 'mtls', listen: ({ identities: folder }) => `
  tls: { cert_file: ${folder}/server.crt, key_file: ${folder}/server.key, client_ca_file: ${folder}/ca.crt }` },
};

/** Where the gateways will listen: their URLs must be known to the authorization server before they start. */
export async function planGateways() {
  const ports = await freePorts(2 * Object.keys(GATEWAYS).length);
  return Object.fromEntries(Object.entries(GATEWAYS).map(([name, { scheme }]) => {
    const [port, opsPort] = ports.splice(0, 2);
    const publicUrl = `${scheme}://127.0.0.1:${port}`;
    return [name, { name, port, opsPort, publicUrl, resource: publicUrl + OPEN_PATH, strict: publicUrl + STRICT_PATH }];
  }));
}

/** Starts the planned gateways and resolves when all are ready. `world` has folder, identities, issuer, upstream and scope. */
export async function startGateways(binary, plans, world) {
  const secret = join(world.folder, 'introspection.secret');
  writeFileSync(secret, 'gatewright-secret\n', { mode: 0o600 });
  await Promise.all(Object.values(plans).map(async (plan) => {
    const file = join(world.folder, `${plan.name}.yaml`);
    writeFileSync(file, configuration(plan, { ...world, secret }));
    plan.process = start(binary, ['run', '--config', file]);
    await untilReady(plan.process, `http://127.0.0.1:${plan.opsPort}/readyz`);
  }));
  return plans;
}

function configuration(plan, world) {
  const { constraint, listen = () => '', extra = () => '' } = GATEWAYS[plan.name];
  const upstream = `upstream: ${world.upstream}
    scopes: ["${world.scope}"]`;
  return `version: 1
listen:
  address: 127.0.0.1:${plan.port}${listen(world)}
public_url: ${plan.publicUrl}
issuers:
  - name: tests
    url: ${world.issuer}
    algorithms: [ES256]
    roles_claim: roles
    introspection:
      endpoint: ${world.issuer}/token/introspection
      client_id: gatewright
      client_secret_file: ${world.secret}
      cache: ${BELIEVED_MILLISECONDS}ms
servers:
  - name: notes
    path: ${OPEN_PATH}
    ${upstream}
  - name: strict-notes
    path: ${STRICT_PATH}
    ${upstream}
    sender_constraint: ${constraint}
${extra()}
policy:
  roles:
    analyst:
      notes: &analyst
        - search_*
        - get_note
        - count_slowly
        - { prompt: summarise_note }
        - { resource: "notes://public/*" }
      strict-notes: *analyst
    admin:
      notes: &admin
        - "*"
        - { prompt: "*" }
        - { resource: "notes://**" }
      strict-notes: *admin
audit:
  ledger: ${join(world.folder, `${plan.name}-audit`)}
ops: { address: "127.0.0.1:${plan.opsPort}" }
admin: { socket: ${join(world.folder, `${plan.name}.sock`)} }
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
