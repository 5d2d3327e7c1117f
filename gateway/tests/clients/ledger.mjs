// What the gateways wrote down: the key or certificate of who proved one, and never what it was proven with.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { issued, readIdentity } from './identity.mjs';

const THUMBPRINT = /^[\w-]{43}$/;

/** Rows about the ledgers and the logs of all gateways. */
export function ledgerChecks({ folder, identities, gateways }) {
  const texts = Object.fromEntries(Object.values(gateways).map(({ name, process }) => [name, { ledger: readLedger(folder, name), log: process.output }]));
  const records = (name) => texts[name].ledger.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const decisions = (name, server) => records(name).filter(({ kind, mcp }) => kind === 'decision' && mcp?.server === server);
  const { thumbprint } = readIdentity(identities, 'agent');
  return [
    nothingSecret(Object.values(texts).flatMap(Object.values)),
    every('a proven key', decisions('nonce', 'strict-notes'), ({ scheme, jkt }) => scheme === 'dpop' && THUMBPRINT.test(jkt)),
    every('a shown certificate', decisions('tls', 'strict-notes'), ({ cert_sha256: certificate }) => certificate === thumbprint),
    replays(records('plain')),
  ];
}

function readLedger(folder, name) {
  const ledger = join(folder, `${name}-audit`);
  return readdirSync(ledger).filter((file) => file.endsWith('.jsonl')).map((file) => readFileSync(join(ledger, file), 'utf8')).join('');
}

// Every JWT begins with the same letters, proofs too; opaque tokens are known by having been issued here.
function nothingSecret(texts) {
  const found = ['eyJ', ...issued].filter((secret) => texts.some((text) => text.includes(secret)));
  return { name: 'ledgers and logs: no token and no proof', isPassed: found.length === 0, detail: `${found.length} of ${issued.size} tokens found` };
}

function every(what, decisions, holds) {
  const without = decisions.filter(({ authn }) => !holds(authn ?? {}));
  return {
    name: `ledger: every decision with ${what} names it`,
    isPassed: decisions.length > 0 && without.length === 0,
    detail: `${decisions.length - without.length} of ${decisions.length}${without.length > 0 ? `, not ${JSON.stringify(without[0].authn)}` : ''}`,
  };
}

function replays(records) {
  const found = records.filter(({ kind, authn }) => kind === 'authn' && authn?.result === 'dpop_replay').length;
  return { name: 'ledger: the proof used twice is recorded as such', isPassed: found === 1, detail: `${found} records` };
}
