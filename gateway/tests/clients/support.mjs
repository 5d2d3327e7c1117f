// What both TypeScript clients share: arguments, assertions and the checks themselves.
// Never knows an SDK: a client hands in its own way to call and to tell how a refusal surfaced.
import { parseArgs } from 'node:util';

const DENIED_CODE = 40301;
const SLOW_STEPS = 3;
// The slow tool pauses 150 ms after each step: a progress note that arrives this much before the result was not held back.
const LEAST_LEAD_MILLISECONDS = 100;

/**
 * Reads `URL [MODE] --flow F --user U --denied T --expect-tools a,b --expect-prompts … --expect-resources …`, and what the
 * token is to be: `--format jwt|opaque --binding none|dpop|dpop-nonce|certificate --identities FOLDER`. `dpop-nonce` is a
 * key at a resource that wants nonces in proofs.
 */
export function readArguments() {
  const text = (standard) => ({ type: 'string', default: standard });
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      flow: text('code'), user: text('alice'), denied: text(''),
      'expect-tools': text(''), 'expect-prompts': text(''), 'expect-resources': text(''),
      format: text('jwt'), binding: text('none'), identities: text(''),
    },
  });
  const [url, mode = 'legacy'] = positionals;
  expect(url, 'the first argument is the MCP URL');
  expect(['code', 'client_credentials'].includes(values.flow), `unknown flow \`${values.flow}\``);
  expect(['auto', 'legacy'].includes(mode), `unknown mode \`${mode}\``);
  return {
    url, mode, flow: values.flow, user: values.user, denied: values.denied,
    format: values.format, binding: values.binding, identities: values.identities,
    tools: list(values['expect-tools']), prompts: list(values['expect-prompts']), resources: list(values['expect-resources']),
  };
}

/** A fetch that remembers `METHOD url status`, to show that the client found everything by itself, and with which scheme it came. */
export function tracing(send = fetch) {
  const trace = [];
  const traced = async (url, init) => {
    const response = await send(url, init);
    const [scheme] = new Headers(init?.headers).get('authorization')?.split(' ') ?? [];
    const wantsNonce = /error="use_dpop_nonce"/.test(response.headers.get('www-authenticate') ?? '');
    trace.push({ method: init?.method ?? 'GET', url: String(url), status: response.status, scheme, wantsNonce });
    return response;
  };
  return { trace, fetch: traced };
}

/** Runs every check. `session` has protocol, call(name, args, onprogress), tools(), prompts(), resources() and refusal(error). */
export async function check(session, expected, trace) {
  const facts = {
    protocol: checkProtocol(session.protocol, expected.mode),
    discovery: checkDiscovery(trace, expected.url),
    tools: sameSet('tools', await session.tools(), expected.tools),
    prompts: sameSet('prompts', await session.prompts(), expected.prompts),
    resources: sameSet('resources', await session.resources(), expected.resources),
    allowed: await checkAllowed(session, expected),
  };
  if (expected.denied) facts.denied = await checkDenied(session, expected.denied);
  // The session must outlive the refusal.
  facts.progress = await checkProgress(session);
  return facts;
}

function checkProtocol(protocol, mode) {
  const isModern = protocol === '2026-07-28';
  expect(isModern === (mode === 'auto'), `mode ${mode} negotiated ${protocol}`);
  return protocol;
}

function checkDiscovery(trace, url) {
  const [first] = trace;
  expect(first?.url === url && first.status === 401, `the first answer should be a 401 of ${url}, got ${JSON.stringify(first)}`);
  const metadata = trace.find((step) => step.url.includes('/.well-known/oauth-protected-resource'));
  expect(metadata?.status === 200, `the resource metadata should be found at once, got ${JSON.stringify(metadata)}`);
  return trace.map((step) => `${step.method} ${new URL(step.url).pathname} ${step.status}`).slice(0, 8);
}

async function checkAllowed(session, expected) {
  const found = textOf(await session.call('search_notes', { word: 'milk' }));
  expect(found === 'n1 n2', `search_notes should find \`n1 n2\`, got \`${found}\``);
  const note = textOf(await session.call('get_note', { id: 'n3' }));
  expect(note === 'Water the plants', `get_note should read the note, got \`${note}\``);
  if (expected.tools.includes('delete_note')) {
    const deleted = textOf(await session.call('delete_note', { id: 'n2' }));
    expect(deleted === 'deleted n2', `delete_note should be allowed here, got \`${deleted}\``);
  }
  return expected.tools.filter((tool) => tool !== 'count_slowly');
}

async function checkDenied(session, tool) {
  let result;
  try {
    result = await session.call(tool, { id: 'n1' });
  } catch (error) {
    const { code, http, reason } = session.refusal(error);
    expect(code === DENIED_CODE, `\`${tool}\` should fail with ${DENIED_CODE}, got ${code}: ${error.message}`);
    expect(reason === 'tool_not_allowed', `the refusal should say tool_not_allowed, got \`${reason}\``);
    return { tool, code, http, reason, surfaced: error.constructor.name };
  }
  throw new Error(`\`${tool}\` should be denied, but answered ${JSON.stringify(result)}`);
}

async function checkProgress(session) {
  const arrivals = [];
  const result = await session.call('count_slowly', { steps: SLOW_STEPS }, ({ progress }) => arrivals.push({ progress, at: performance.now() }));
  const lead = performance.now() - (arrivals[0]?.at ?? Infinity);
  const steps = arrivals.map(({ progress }) => progress).join(' ');
  expect(textOf(result) === `counted to ${SLOW_STEPS}`, `count_slowly answered ${JSON.stringify(result)}`);
  expect(steps === '1 2 3', `progress should be 1 2 3 before the result, got \`${steps}\``);
  expect(lead >= LEAST_LEAD_MILLISECONDS, `progress came only ${Math.round(lead)} ms before the result: it was held back`);
  return { notes: arrivals.length, lead_ms: Math.round(lead) };
}

/** Prints the facts and ends the process: 0 when all held, 1 with the first failure. */
export async function report(name, expected, run) {
  const { flow, mode, user } = expected;
  try {
    const facts = await run();
    console.log(JSON.stringify({ client: name, flow, mode, user, ...facts }));
    process.exit(0);
  } catch (error) {
    console.error(`${name} ${flow} ${mode}: ${error.stack ?? error}`);
    process.exit(1);
  }
}

/** Throws `message` unless `condition` holds. */
export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

function sameSet(what, actual, expected) {
  const [left, right] = [actual, expected].map((names) => [...names].sort().join(' '));
  expect(left === right, `${what} should be \`${right}\`, got \`${left}\``);
  return actual;
}

const textOf = (result) => (result.content ?? []).map((part) => part.text).join('\n');
const list = (names) => names.split(',').filter(Boolean);
