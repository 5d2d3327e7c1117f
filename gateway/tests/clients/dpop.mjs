// Tokens bound to a key, and proofs that do not fit: replayed, of another key, for another request, without the nonce.
// Every refusal has its twin, mostly the same request with a good proof.
import { DpopSession } from '@modelcontextprotocol/client';
import { obtain } from './identity.mjs';
import { bearer, judge, post, proven } from './wire.mjs';

/** Runs every case; resolves to rows of the summary. */
export async function dpopCases(world) {
  const { issuer, journal, gateways: { plain, nonce } } = world;
  const [session, other] = [await DpopSession.create(), await DpopSession.create()];
  const [bound, unbound] = [{ client: 'agent', session }, { client: 'agent' }];
  const token = (who, resource) => obtain(world, who, resource);
  const tokens = {
    open: { bound: await token(bound, plain.resource), unbound: await token(unbound, plain.resource) },
    strict: { bound: await token(bound, plain.strict), unbound: await token(unbound, plain.strict) },
    nonce: { bound: await token(bound, nonce.resource), unbound: await token(unbound, nonce.resource) },
  };
  const rows = await judge('dpop', journal, [...proofs(plain, tokens.open, session, other), ...constraint(plain.strict, tokens.strict, session)]);
  rows.push(...await judge('dpop', journal, await algorithms(world)));
  return [...rows, ...await judge('dpop nonce', journal, nonces(nonce.resource, tokens.nonce, session, issuer))];
}

function proofs({ resource, strict }, { bound, unbound }, session, other) {
  const prove = (wishes, token = bound, by = session) => proven(by, resource, token, wishes);
  let used;
  return [
    ['a bound token with its proof passes', 200, async () => post(resource, used = await prove())],
    ['the same proof again is refused', 401, () => post(resource, used), 'DPoP invalid_dpop_proof'],
    ['the next proof passes', 200, async () => post(resource, await prove())],
    ['a bound token as Bearer is refused', 401, () => post(resource, bearer(bound)), 'Bearer invalid_token'],
    ['a bound token as Bearer beside its proof is refused', 401, async () => post(resource, { ...await prove(), ...bearer(bound) }), 'Bearer invalid_token'],
    ['a bound token without a proof is refused', 401, () => post(resource, { authorization: `DPoP ${bound}` }), 'DPoP invalid_dpop_proof'],
    ['two proofs are refused', 401, async () => post(resource, { ...await prove(), dpop: `${(await prove()).dpop}, ${(await prove()).dpop}` }), 'DPoP invalid_dpop_proof'],
    ['a proof of another key is refused', 401, async () => post(resource, await prove({}, bound, other)), 'DPoP invalid_token'],
    ['a proof for another method is refused', 401, async () => post(resource, await prove({ htm: 'GET' })), 'DPoP invalid_dpop_proof'],
    ['a proof for another resource is refused', 401, async () => post(resource, await prove({ htu: strict })), 'DPoP invalid_dpop_proof'],
    ['a proof for another token is refused', 401, async () => post(resource, await prove({ accessToken: unbound })), 'DPoP invalid_dpop_proof'],
    ['an unbound token with a proof is refused', 401, async () => post(resource, await prove({}, unbound)), 'DPoP invalid_token'],
    ['an unbound token as Bearer passes', 200, () => post(resource, bearer(unbound))],
  ];
}

// `sender_constraint: dpop`; the case before shows that `any` takes what is refused here.
function constraint(strict, { bound, unbound }, session) {
  return [
    ['where keys are demanded, an unbound token of the same client is refused', 401, () => post(strict, bearer(unbound)), 'Bearer invalid_token'],
    ['where keys are demanded, a bound token with its proof passes', 200, async () => post(strict, await proven(session, strict, bound))],
  ];
}

// What the challenge offers must work.
async function algorithms(world) {
  const { resource } = world.gateways.plain;
  const { headers } = await post(resource);
  const [, offered] = /algs="([^"]+)"/.exec(headers.get('www-authenticate')) ?? [];
  if (!offered) throw new Error('the challenge offers no algorithm for proofs');
  return Promise.all(offered.split(' ').map(async (alg) => {
    const session = await DpopSession.create({ alg });
    const token = await obtain(world, { client: 'agent', session }, resource);
    return [`a key for ${alg} passes`, 200, async () => post(resource, await proven(session, resource, token))];
  }));
}

function nonces(resource, { bound, unbound }, session, issuer) {
  const prove = (nonce) => proven(session, resource, bound, nonce ? { nonce } : {});
  let given;
  const remembering = async (headers) => {
    const response = await post(resource, headers);
    given = response.headers.get('dpop-nonce');
    return response;
  };
  return [
    ['a proof without a nonce is asked for one', 401, async () => remembering(await prove()), 'DPoP use_dpop_nonce'],
    ['a proof with that nonce passes', 200, async () => post(resource, await prove(given))],
    ['a proof with a nonce of the authorization server is asked again', 401, async () => post(resource, await prove(session.nonceFor(issuer))), 'DPoP use_dpop_nonce'],
    ['a proof with a nonce cut short is asked again', 401, async () => post(resource, await prove(given?.slice(1))), 'DPoP use_dpop_nonce'],
    ['an unbound token needs none', 200, () => post(resource, bearer(unbound))],
  ];
}
