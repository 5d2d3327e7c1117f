// What a client's token turned out to be, and how the client proved that it may use it. Never prints a token.
import { expect } from './support.mjs';

/**
 * Checks the token and the trace of a session that ended well. `expected` is what readArguments gave; `thumbprint` is that of
 * the key or certificate that the token should be bound to.
 */
export function checkBinding({ access_token: token, token_type: type }, trace, expected, thumbprint) {
  const isProven = expected.binding.startsWith('dpop');
  const scheme = isProven ? 'DPoP' : 'Bearer';
  expect(type.toLowerCase() === scheme.toLowerCase(), `the token's type should be ${scheme}, not ${type}`);
  expect(isJwt(token) === (expected.format === 'jwt'), `the token should be ${expected.format}`);
  if (isJwt(token)) checkConfirmation(token, expected.binding, thumbprint);
  const schemes = new Set(trace.filter(({ url, status }) => url === expected.url && status !== 401).map((step) => step.scheme));
  expect([...schemes].join() === scheme, `every answered request should come with ${scheme}, got \`${[...schemes].join()}\``);
  if (expected.mode === 'legacy') checkListening(trace, expected.url);
  return isProven ? checkNonces(trace, expected) : { scheme };
}

// A session of the older revisions listens with a GET, which needs a proof of its own.
function checkListening(trace, url) {
  const listening = trace.filter((step) => step.method === 'GET' && step.url === url).map(({ status }) => status);
  expect(listening.join() === '200', `the session should listen at once, got \`${listening.join()}\``);
}

function checkConfirmation(token, binding, thumbprint) {
  const member = binding === 'certificate' ? 'x5t#S256' : 'jkt';
  const wanted = binding === 'none' ? undefined : JSON.stringify({ [member]: thumbprint });
  const { cnf } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString('utf8'));
  expect(JSON.stringify(cnf) === wanted, `cnf should be ${wanted}, got ${JSON.stringify(cnf)}`);
}

// The authorization server always asks for a nonce first; the resource does when it is configured to.
function checkNonces(trace, { url, binding }) {
  const tokenSteps = trace.filter((step) => new URL(step.url).pathname === '/token').map(({ status }) => status);
  expect(tokenSteps.join(' ') === '400 200', `the token endpoint should ask for a nonce and then answer, got \`${tokenSteps.join(' ')}\``);
  const asked = trace.filter((step) => step.url === url && step.wantsNonce).length;
  const due = binding === 'dpop-nonce' ? 1 : 0;
  expect(asked === due, `the resource should ask for a nonce ${due} times, asked ${asked} times`);
  return { scheme: 'DPoP', nonces: { authorization: 1, resource: asked } };
}

const isJwt = (token) => token.split('.').length === 3;
