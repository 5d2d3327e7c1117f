// Tokens bound to a certificate (RFC 8705), at a gateway that asks for one in the handshake: shown, left out, exchanged, or only
// claimed in a header. Every refusal has its twin.
import { fetchAs, obtain, preferringCertificates, readIdentity } from './identity.mjs';
import { bearer, judge, post } from './wire.mjs';

/** Runs every case; resolves to rows of the summary. */
export async function certifiedCases(world) {
  const { identities, journal, gateways: { plain, tls } } = world;
  const owner = readIdentity(identities, 'agent');
  const [asOwner, asOther, asStranger, asNobody] = [owner, ...['other', 'stranger', undefined].map((name) => readIdentity(identities, name))].map(fetchAs);
  const certified = (resource) => obtain(world, { client: 'agent-certified' }, resource, preferringCertificates(asOwner));
  const [open, strict, onPlain] = [await certified(tls.resource), await certified(tls.strict), await certified(plain.resource)];
  const [unbound, unboundStrict] = [await obtain(world, { client: 'agent' }, tls.resource), await obtain(world, { client: 'agent' }, tls.strict)];
  const rows = await judge('certificate', journal, [
    ['a bound token with its certificate passes', 200, () => post(tls.resource, bearer(open), asOwner)],
    ['a bound token with another certificate is refused', 401, () => post(tls.resource, bearer(open), asOther), 'Bearer invalid_token'],
    ['a bound token without a certificate is refused', 401, () => post(tls.resource, bearer(open), asNobody), 'Bearer invalid_token'],
    ['a certificate in a header is not believed', 401, () => post(tls.resource, { ...bearer(open), ...claiming(owner) }, asNobody), 'Bearer invalid_token'],
    ['a certificate in a header does not replace the one shown', 401, () => post(tls.resource, { ...bearer(open), ...claiming(owner) }, asOther), 'Bearer invalid_token'],
    ['a bound token where nobody asks for certificates is refused', 401, () => post(plain.resource, bearer(onPlain)), 'Bearer invalid_token'],
    ['an unbound token without a certificate passes', 200, () => post(tls.resource, bearer(unbound), asNobody)],
    ['where certificates are demanded, an unbound token is refused', 401, () => post(tls.strict, bearer(unboundStrict), asOwner), 'Bearer invalid_token'],
    ['where certificates are demanded, a bound token with its certificate passes', 200, () => post(tls.strict, bearer(strict), asOwner)],
  ]);
  return [...rows, await strangersHandshake(() => post(tls.resource, bearer(open), asStranger))];
}

// RFC 9440 section 2.2, and the names that proxies use for the same.
function claiming({ der, cert }) {
  const base64 = der.toString('base64');
  return { 'client-cert': `:${base64}:`, 'x-client-cert': base64, 'x-ssl-client-cert': encodeURIComponent(cert.toString('utf8')) };
}

async function strangersHandshake(request) {
  const name = 'certificate: one of an unknown authority ends the handshake';
  return request().then(
    (response) => ({ name, isPassed: false, detail: `HTTP ${response.status}` }),
    (error) => ({ name, isPassed: /alert|ECONNRESET/.test(`${error.message} ${error.code}`), detail: error.code ?? error.message }),
  );
}
