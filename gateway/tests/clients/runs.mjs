// Which client goes where, as whom, and with what kind of token. Never starts one.

const ANALYST = {
  'expect-tools': 'search_notes,get_note,count_slowly',
  'expect-prompts': 'summarise_note',
  'expect-resources': 'notes://public/readme',
  denied: 'delete_note',
};
// The twin: what an analyst is refused, an admin may do.
const ADMIN = {
  'expect-tools': 'search_notes,get_note,count_slowly,delete_note',
  'expect-prompts': 'summarise_note,rewrite_note',
  'expect-resources': 'notes://public/readme,notes://private/diary',
};
const EXPECTED = { alice: ANALYST, agent: ANALYST, 'agent-opaque': ANALYST, 'agent-certified': ANALYST, bob: ADMIN };

/** Every run of a client. A user logs in; who is not one is a client that acts alone. */
export function clientRuns(python, { identities, gateways: { plain, nonce, tls } }) {
  const programs = {
    ts2: [process.execPath, 'client-ts2.mjs'],
    ts1: [process.execPath, 'client-ts1.mjs'],
    py: [python, 'client_py.py'],
  };
  const run = (client, mode, user, url, what, token) => {
    const flow = ['alice', 'bob'].includes(user) ? 'code' : 'client_credentials';
    const name = [client, mode, flow, 'as', user, what].filter(Boolean).join(' ');
    const expected = EXPECTED[user];
    return { name, program: programs[client], url, mode, options: { flow, user, ...expected, ...token }, mayDelete: expected === ADMIN };
  };
  const everyone = [['ts2', 'auto'], ['ts2', 'legacy'], ['ts1', 'legacy'], ['py', 'auto'], ['py', 'legacy']];
  const [dpop, wanted, opaque] = [{ binding: 'dpop' }, { binding: 'dpop-nonce' }, { format: 'opaque' }];
  const certificate = { binding: 'certificate', identities };
  return [
    ...everyone.flatMap(([client, mode]) => ['alice', 'agent', 'bob'].map((user) => run(client, mode, user, plain.resource))),
    run('ts2', 'auto', 'alice', plain.resource, 'with a key', dpop),
    run('ts2', 'legacy', 'agent', plain.resource, 'with a key', dpop),
    run('ts2', 'auto', 'agent', plain.strict, 'with a key, demanded', dpop),
    run('ts2', 'legacy', 'bob', plain.strict, 'with a key, demanded', dpop),
    run('ts2', 'auto', 'alice', nonce.resource, 'with a key and nonces', wanted),
    run('ts2', 'legacy', 'agent', nonce.resource, 'with a key and nonces', wanted),
    run('ts2', 'auto', 'bob', nonce.strict, 'with a key and nonces, demanded', wanted),
    run('ts2', 'auto', 'alice', plain.resource, 'with an opaque token', opaque),
    run('ts2', 'legacy', 'agent-opaque', plain.resource, 'with an opaque token', opaque),
    run('ts2', 'auto', 'bob', plain.resource, 'with an opaque token', opaque),
    run('ts1', 'legacy', 'agent-opaque', plain.resource, 'with an opaque token'),
    run('py', 'auto', 'agent-opaque', plain.resource, 'with an opaque token'),
    run('ts2', 'auto', 'bob', plain.strict, 'with an opaque token and a key, demanded', { ...opaque, ...dpop }),
    run('ts2', 'auto', 'agent-certified', tls.resource, 'with a certificate', certificate),
    run('ts2', 'legacy', 'agent-certified', tls.strict, 'with a certificate, demanded', certificate),
  ];
}
