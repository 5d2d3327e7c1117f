// What reached the upstream: one JSON line for each request. Never writes a credential or a body, only that it was there.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';

const FILE = process.env.JOURNAL;
// What a client proves itself with, and what a proxy might say about it.
const CREDENTIALS = ['authorization', 'dpop', 'client-cert', 'x-client-cert', 'x-ssl-client-cert', 'x-api-key', 'cookie'];

/** Reads a whole request body. */
export async function readBody(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Writes the request down and returns its parsed body, or undefined when it has none. */
export function journal(request, body) {
  const message = parse(body);
  const entry = {
    method: request.method,
    path: request.url,
    headers: headersWithoutSecrets(request),
    credentials: CREDENTIALS.filter((name) => request.headersDistinct[name] !== undefined),
    sha256: createHash('sha256').update(body).digest('hex'),
    length: body.length,
    calls: [message].flat().filter((part) => part?.method).map((part) => ({ method: part.method, name: part.params?.name ?? part.params?.uri })),
  };
  // Synchronous, so that the line is there before the answer is.
  if (FILE) appendFileSync(FILE, `${JSON.stringify(entry)}\n`);
  return message;
}

/** Every request in a journal file, oldest first. */
export function readJournal(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

/** The upstream is the witness: neither a credential nor a denied call may have reached it. */
export function journalChecks(file, results) {
  const entries = readJournal(file);
  const credentials = entries.flatMap((entry) => entry.credentials);
  const deleted = entries.flatMap((entry) => entry.calls).filter((call) => call.method === 'tools/call' && call.name === 'delete_note');
  const allowed = results.filter((result) => result.mayDelete).length;
  return [
    { name: 'journal: the upstream was used', isPassed: entries.length > 0, detail: `${entries.length} requests` },
    { name: 'journal: no credential and no proof', isPassed: credentials.length === 0, detail: credentials.join(' ') || `none of ${entries.length} requests had one` },
    { name: 'journal: no denied call', isPassed: deleted.length <= allowed, detail: `delete_note arrived ${deleted.length} times, allowed for ${allowed} runs` },
  ];
}

function headersWithoutSecrets(request) {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, CREDENTIALS.includes(name) ? 'present' : value]));
}

function parse(body) {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
