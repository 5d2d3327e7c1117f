// Single requests, for what no SDK would send, and their judgement: the status, the error and its scheme, and whether the
// upstream was reached. Never retries, so that what is judged is the first answer.
import { readJournal } from './journal.mjs';

export const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0', id: 1, method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'wire', version: '1' } },
});

/** Sends an `initialize` to `url` with these headers. */
export function post(url, headers = {}, send = fetch) {
  return send(url, {
    method: 'POST',
    body: INITIALIZE,
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  });
}

/** The header of a token that whoever holds it may use. */
export function bearer(token) {
  return { authorization: `Bearer ${token}` };
}

/** The headers of a token that is bound to the key of `session`, with a fresh proof. `wishes`: htm, htu, nonce, accessToken. */
export async function proven(session, url, token, wishes = {}) {
  const proof = await session.buildProof({ htm: 'POST', htu: url, accessToken: token, ...wishes });
  return { authorization: `DPoP ${token}`, dpop: proof };
}

/**
 * Runs cases one after the other and resolves to rows of the summary. A case is
 * `[name, status, request, error]`; `error` is like `Bearer invalid_token`, and absent when the challenge has none.
 * Whatever is refused may not have reached the upstream, and whatever passes must have.
 */
export async function judge(area, journal, cases) {
  const rows = [];
  for (const [name, status, request, error] of cases) {
    const before = readJournal(journal).length;
    const { detail, problems } = await outcome(status, request, error);
    const arrived = readJournal(journal).length - before;
    const due = status === 200 ? 1 : 0;
    if (arrived !== due) problems.push(`${arrived} requests reached the upstream instead of ${due}`);
    rows.push({ name: `${area}: ${name}`, isPassed: problems.length === 0, detail: problems.join('; ') || detail });
  }
  return rows;
}

async function outcome(status, request, error) {
  try {
    const response = await request();
    const body = await response.text();
    const problems = [
      response.status !== status && `HTTP ${response.status} instead of ${status}: ${body.slice(0, 200)}`,
      ...challengeProblems(response, status, error),
    ].filter(Boolean);
    return { problems, detail: error ? `HTTP ${status}, ${error}` : `HTTP ${status}` };
  } catch (failure) {
    return { problems: [`no answer: ${failure.cause?.message ?? failure.message}`], detail: '' };
  }
}

function challengeProblems(response, status, error = '') {
  const line = response.headers.get('www-authenticate') ?? '';
  if (status !== 401 && !error) return [];
  const challenges = readChallenges(line);
  const errors = Object.entries(challenges).filter(([, { error: code }]) => code).map(([scheme, { error: code }]) => `${scheme} ${code}`).join(', ');
  const nonce = response.headers.get('dpop-nonce');
  return [
    !challenges.Bearer?.resource_metadata && `no resource_metadata for Bearer in \`${line}\``,
    errors !== error && `the error is \`${errors}\` instead of \`${error}\` in \`${line}\``,
    error.endsWith('use_dpop_nonce') && !/^[\w-]+$/.test(nonce ?? '') && `DPoP-Nonce is \`${nonce}\``,
    response.headers.get('cache-control') !== 'no-store' && `Cache-Control is \`${response.headers.get('cache-control')}\``,
  ];
}

// fetch joins the header's lines with a comma; no value of ours has one before a scheme's name.
function readChallenges(line) {
  return Object.fromEntries(line.split(/, (?=(?:Bearer|DPoP) )/).filter(Boolean).map((challenge) => {
    const [scheme, ...rest] = challenge.split(' ');
    return [scheme, Object.fromEntries([...rest.join(' ').matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))];
  }));
}
