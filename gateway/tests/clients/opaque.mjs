// Opaque tokens, which the gateway asks the authorization server about: taken beside JWTs, bound or not, until they are revoked.
import { setTimeout as pause } from 'node:timers/promises';
import { DpopSession } from '@modelcontextprotocol/client';
import { BELIEVED_MILLISECONDS } from './gateways.mjs';
import { obtain } from './identity.mjs';
import { bearer, judge, post, proven } from './wire.mjs';

const SLACK_MILLISECONDS = 100;
const STEP_MILLISECONDS = 100;
const CLIENT = 'agent-opaque';

/** Runs every case; resolves to rows of the summary. */
export async function opaqueCases(world) {
  const { journal, gateways: { plain: { resource, strict } } } = world;
  const session = await DpopSession.create();
  const plainly = (url) => obtain(world, { client: CLIENT }, url);
  const withKey = (url) => obtain(world, { client: CLIENT, session }, url);
  const [doomed, spared, elsewhere] = [await plainly(resource), await plainly(resource), await plainly(strict)];
  const [bound, boundElsewhere] = [await withKey(resource), await withKey(strict)];
  const jwt = await obtain(world, { client: 'agent' }, resource);
  const rows = await judge('opaque', journal, [
    ['a token passes', 200, () => post(resource, bearer(doomed))],
    ['a JWT passes beside it', 200, () => post(resource, bearer(jwt))],
    ['a token that nobody issued is refused', 401, () => post(resource, bearer(reversed(doomed))), 'Bearer invalid_token'],
    ['a token for another resource is refused', 401, () => post(resource, bearer(elsewhere)), 'Bearer invalid_token'],
    ['a bound token with its proof passes', 200, async () => post(resource, await proven(session, resource, bound))],
    ['a bound token as Bearer is refused', 401, () => post(resource, bearer(bound)), 'Bearer invalid_token'],
    ['where keys are demanded, an unbound token is refused', 401, () => post(strict, bearer(elsewhere)), 'Bearer invalid_token'],
    ['where keys are demanded, a bound token with its proof passes', 200, async () => post(strict, await proven(session, strict, boundElsewhere))],
  ]);
  const revocation = await revokedInTime(world, doomed);
  return [...rows, revocation, ...await judge('opaque', journal, [
    ['a revoked token stays refused', 401, () => post(resource, bearer(doomed)), 'Bearer invalid_token'],
    ['a token of the same client that is not revoked passes', 200, () => post(resource, bearer(spared))],
  ])];
}

// What was believed before the revocation is believed for no longer than the cache says: judged by when a request is sent.
async function revokedInTime({ issuer, gateways: { plain: { resource } } }, token) {
  const warm = await post(resource, bearer(token));
  await revoke(issuer, token);
  const revoked = performance.now();
  let [status, sent] = [warm.status, 0];
  while (status === 200 && sent <= BELIEVED_MILLISECONDS + SLACK_MILLISECONDS) {
    await pause(STEP_MILLISECONDS);
    sent = performance.now() - revoked;
    status = (await post(resource, bearer(token))).status;
  }
  const isPassed = warm.status === 200 && status === 401;
  return { name: 'opaque: a revoked token is refused within the cache', isPassed, detail: `HTTP ${status} ${Math.round(sent)} ms after the revocation` };
}

async function revoke(issuer, token) {
  const authorization = `Basic ${Buffer.from(`${CLIENT}:${CLIENT}-secret`).toString('base64')}`;
  const response = await fetch(`${issuer}/token/revocation`, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token }) });
  if (!response.ok) throw new Error(`the authorization server did not revoke: ${await response.text()}`);
}

const reversed = (token) => [...token].reverse().join('');
