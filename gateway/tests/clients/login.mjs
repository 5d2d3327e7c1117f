// A person at a browser, without either: walks oidc-provider's login and consent pages, and keeps what a client must remember.
// Never guesses an address: it starts from the URL that the client's SDK built.

/** Where the authorization server sends the browser back to. Nothing listens there: the walk ends when it is reached. */
export const REDIRECT_URI = 'http://127.0.0.1:39990/callback';
const MAXIMUM_HOPS = 20;

/** Logs `user` in and consents; resolves to the callback URL with the code. */
export async function login(authorizationUrl, user) {
  const browser = new Browser();
  let url = String(authorizationUrl);
  for (let hop = 0; hop < MAXIMUM_HOPS; hop += 1) {
    if (url.startsWith(REDIRECT_URI)) return callback(new URL(url));
    let response = await browser.visit(url);
    if (!isRedirect(response)) response = await browser.visit(url, form(await response.text(), url, user));
    if (!isRedirect(response)) throw new Error(`the login page at ${url} answered ${response.status}`);
    url = new URL(response.headers.get('location'), url).href;
  }
  throw new Error(`the login did not end within ${MAXIMUM_HOPS} pages`);
}

/**
 * The client side of an authorization code flow as both TypeScript SDKs ask for it, in memory.
 * With a DPoP session it registers as a client whose tokens are bound; `metadata` is what else it registers with.
 */
export class CodeFlow {
  #session;
  #metadata;
  #state = crypto.randomUUID();
  #client;
  #tokens;
  #verifier;
  #discovery;
  authorizationUrl;

  constructor({ session, metadata } = {}) {
    this.#session = session;
    this.#metadata = metadata;
  }

  dpop() { return this.#session; }
  get redirectUrl() { return REDIRECT_URI; }
  get clientMetadata() {
    return {
      client_name: 'gatewright client test',
      redirect_uris: [REDIRECT_URI],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      ...(this.#session ? { dpop_bound_access_tokens: true } : {}),
      ...this.#metadata,
    };
  }
  state() { return this.#state; }
  clientInformation() { return this.#client; }
  saveClientInformation(client) { this.#client = client; }
  tokens() { return this.#tokens; }
  saveTokens(tokens) { this.#tokens = tokens; }
  codeVerifier() { return this.#verifier; }
  saveCodeVerifier(verifier) { this.#verifier = verifier; }
  discoveryState() { return this.#discovery; }
  saveDiscoveryState(discovery) { this.#discovery = discovery; }
  redirectToAuthorization(url) { this.authorizationUrl = url; }

  /** Goes through the pages as `user`; resolves to the callback's parameters. */
  async authorize(user) {
    const { searchParams } = await login(this.authorizationUrl, user);
    if (searchParams.get('state') !== this.#state) throw new Error('the callback carries another state');
    return searchParams;
  }
}

class Browser {
  #cookies = new Map();

  async visit(url, body) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { method: body ? 'POST' : 'GET', body, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const [name, ...value] = pair.split('=');
      this.#cookies.set(name, value.join('='));
    }
    return response;
  }
}

const isRedirect = (response) => response.status === 302 || response.status === 303;

function form(page, url, user) {
  const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
  if (!prompt) throw new Error(`no login form at ${url}: ${page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').slice(0, 300)}`);
  return new URLSearchParams({ prompt, login: user, password: 'any' });
}

function callback(url) {
  const error = url.searchParams.get('error');
  if (error) throw new Error(`the authorization server refused: ${error} ${url.searchParams.get('error_description') ?? ''}`);
  return url;
}
