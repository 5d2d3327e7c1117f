// Certificate authorities and what they sign, made anew for each run with openssl. Never reuses a key.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finish, start } from './children.mjs';

const STEP_MILLISECONDS = 20_000;
const DAYS = '2';

// The sections that openssl takes extensions from. Without a file of its own it would read the machine's.
const CONFIGURATION = `[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = IP:127.0.0.1
[agent]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
`;

/** Fills `folder` with ca, server, agent, other and stranger, each as .crt and .key. Only `stranger` is not signed by `ca`. */
export async function makeIdentities(folder) {
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'openssl.cnf'), CONFIGURATION);
  await Promise.all(['ca', 'strange-ca'].map((name) => sign(folder, name, 'authority')));
  await Promise.all([
    sign(folder, 'server', 'server', 'ca'),
    sign(folder, 'agent', 'agent', 'ca'),
    sign(folder, 'other', 'agent', 'ca'),
    sign(folder, 'stranger', 'agent', 'strange-ca'),
  ]);
  return folder;
}

async function sign(folder, name, section, authority) {
  const file = (base) => join(folder, base);
  const signer = authority ? ['-CA', file(`${authority}.crt`), '-CAkey', file(`${authority}.key`)] : [];
  const child = start('openssl', [
    'req', '-x509', '-config', file('openssl.cnf'), '-extensions', section, '-subj', `/CN=gatewright test ${name}`, '-days', DAYS,
    '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file(`${name}.key`), '-out', file(`${name}.crt`), ...signer,
  ]);
  const how = await finish(child, STEP_MILLISECONDS);
  if (how !== 0) throw new Error(`openssl made no \`${name}\` (${how}):\n${child.output}`);
}
