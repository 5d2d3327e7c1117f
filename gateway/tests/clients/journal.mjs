// What reached the upstream: one JSON line for each request. Never writes a credential or a body, only that it was there.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';

const FILE = process.env.JOURNAL;

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
    authorized: request.headersDistinct.authorization !== undefined,
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

function headersWithoutSecrets(request) {
  return Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, name === 'authorization' ? 'present' : value]));
}

function parse(body) {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
