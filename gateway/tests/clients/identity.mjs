// Who a client is on the wire: a certificate for the handshake, or a client at the authorization server. Never leaves a check out:
// the server's certificate is verified too.
import { X509Certificate, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ClientCredentialsProvider, discoverAuthorizationServerMetadata, fetchToken } from '@modelcontextprotocol/client';

const AUTHORIZATION_METADATA = /\/\.well-known\/(oauth-authorization-server|openid-configuration)/;
const BODILESS = [101, 204, 205, 304];

/** Every token that `obtain` got, to look for where none may be. */
export const issued = new Set();

/** A client of the authorization server that acts alone, and proves its key when it has a DPoP session. */
export class Machine extends ClientCredentialsProvider {
  #session;

  constructor(clientId, session, expectedIssuer) {
    super({ clientId, clientSecret: `${clientId}-secret`, expectedIssuer });
    this.#session = session;
  }
  dpop() { return this.#session; }
}

/** A token for `resource`, bound to the key of `session` if there is one, as the authorization server gives it to this client. */
export async function obtain({ issuer, scope }, { client, session }, resource, send = fetch) {
  const machine = new Machine(client, session, issuer);
  const metadata = await discoverAuthorizationServerMetadata(issuer, { fetchFn: send });
  const { access_token: token } = await fetchToken(machine, issuer, { metadata, resource: new URL(resource), scope, fetchFn: send });
  issued.add(token);
  return token;
}

/** The identity `name` of a folder that certificates.mjs filled; without a name it only knows whom to trust. */
export function readIdentity(folder, name) {
  const ca = readFileSync(join(folder, 'ca.crt'));
  if (!name) return { ca };
  const cert = readFileSync(join(folder, `${name}.crt`));
  const { raw } = new X509Certificate(cert);
  return { ca, cert, key: readFileSync(join(folder, `${name}.key`)), der: raw, thumbprint: createHash('sha256').update(raw).digest('base64url') };
}

/** A fetch that shows a certificate to whoever asks for one over TLS. Node's own fetch cannot. */
export function fetchAs({ ca, cert, key }) {
  const agent = new Agent({ ca, cert, key, keepAlive: true });
  return (url, init = {}) => {
    if (new URL(url).protocol === 'http:') return fetch(url, init);
    return new Promise((resolve, reject) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      if (init.body instanceof URLSearchParams) headers['content-type'] ??= 'application/x-www-form-urlencoded';
      const outgoing = request(url, { agent, method: init.method ?? 'GET', headers, signal: init.signal ?? undefined }, (incoming) => resolve(answer(incoming)));
      outgoing.once('error', reject);
      outgoing.end(init.body === undefined ? undefined : String(init.body));
    });
  };
}

/** RFC 8705 section 5: the metadata with the endpoint where certificates are taken in its place. The SDKs do not look for it. */
export function preferringCertificates(send) {
  return async (url, init) => {
    const response = await send(url, init);
    if (!response.ok || !AUTHORIZATION_METADATA.test(String(url))) return response;
    const metadata = await response.json();
    return Response.json({ ...metadata, ...metadata.mtls_endpoint_aliases });
  };
}

function answer(incoming) {
  const headers = new Headers();
  for (const [name, values] of Object.entries(incoming.headersDistinct)) {
    for (const value of values) headers.append(name, value);
  }
  const isEmpty = BODILESS.includes(incoming.statusCode);
  if (isEmpty) incoming.resume();
  return new Response(isEmpty ? null : Readable.toWeb(incoming), { status: incoming.statusCode, statusText: incoming.statusMessage, headers });
}
