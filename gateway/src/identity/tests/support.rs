//! An issuer on this machine, its keys, and a clock that stands still. Only for tests.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};
use serde_json::{Value, json};

use crate::identity::binding::{Evidence, NonceKey, Possession};
use crate::identity::credential::{ApiKeyHeader, Credential, Unpresented, present};
use crate::identity::error::Unverified;
use crate::identity::keys::{IssuerKeys, remote};
use crate::identity::principal::Principal;
use crate::identity::settings::{
    Audience, DpopSettings, Grant, IssuerSettings, KeySource, SignatureAlgorithm,
};
use crate::identity::verify::Verifier;
use crate::model::{Clock, IssuerUrl, UnixTime};
use crate::state::MemoryState;

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const RESOURCE: &str = "https://gw.example/crm/mcp";

/// A clock that moves only when it is told to.
#[derive(Debug)]
pub(super) struct FixedClock(AtomicU64);

impl FixedClock {
    pub(super) fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_seconds(self.0.load(Ordering::SeqCst))
    }
}

/// A key that signs.
pub(super) enum TestKey {
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl TestKey {
    pub(super) fn p256() -> Self {
        Self::P256(ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING))
    }

    pub(super) fn p384() -> Self {
        Self::P384(ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING))
    }

    pub(super) fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
    }

    pub(super) fn algorithm(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::P384(_) => "ES384",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    pub(super) fn jwk(&self, key_id: &str) -> Value {
        let point = |curve: &str, pair: &EcdsaKeyPair| {
            let (x, y) =
                pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
            json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y), "kid": key_id})
        };
        match self {
            Self::P256(pair) => point("P-256", pair),
            Self::P384(pair) => point("P-384", pair),
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()), "kid": key_id})
            }
        }
    }

    /// A token of exactly these texts.
    pub(super) fn sign_text(&self, header: &str, claims: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims));
        let signature = match self {
            Self::P256(pair) | Self::P384(pair) => pair
                .sign(&SystemRandom::new(), signed.as_bytes())
                .unwrap()
                .as_ref()
                .to_vec(),
            Self::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", encode(&signature))
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), claims.to_string().as_bytes())
    }
}

fn ecdsa(algorithm: &'static ring::signature::EcdsaSigningAlgorithm) -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn key_set(keys: &[Value]) -> Value {
    json!({ "keys": keys })
}

/// `base` with the members of `change`; a member of `null` text `"-"` is taken out.
pub(super) fn with(base: &Value, change: &Value) -> Value {
    let mut base = base.clone();
    for (name, value) in change.as_object().unwrap() {
        if value == "-" {
            base.as_object_mut().unwrap().remove(name);
        } else {
            base[name] = value.clone();
        }
    }
    base
}

type Pages = Arc<Mutex<HashMap<String, (u16, Vec<u8>, usize)>>>;

/// An HTTP server that serves fixed pages and counts what is asked for.
pub(super) struct Pond {
    pub(super) url: String,
    pages: Pages,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Pond {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pond {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pages = Pages::default();
        let served = Arc::clone(&pages);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let pages = Arc::clone(&served);
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| {
                        std::future::ready(Ok::<_, Infallible>(answer(&pages, &request)))
                    });
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, pages, task }
    }

    pub(super) fn page(&self, path: &str, status: u16, body: impl Into<Vec<u8>>) {
        let mut pages = self.pages.lock().unwrap();
        let page = pages.entry(path.to_owned()).or_default();
        page.0 = status;
        page.1 = body.into();
    }

    pub(super) fn asked(&self, path: &str) -> usize {
        self.pages
            .lock()
            .unwrap()
            .get(path)
            .map_or(0, |page| page.2)
    }

    pub(super) fn asked_in_all(&self) -> usize {
        self.pages.lock().unwrap().values().map(|page| page.2).sum()
    }
}

fn answer(pages: &Pages, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let mut pages = pages.lock().unwrap();
    let page = pages
        .entry(request.uri().path().to_owned())
        .or_insert((404, Vec::new(), 0));
    page.2 += 1;
    let mut response = Response::new(Full::new(Bytes::from(page.1.clone())));
    *response.status_mut() = http::StatusCode::from_u16(page.0).unwrap();
    if page.0 == 302 {
        response.headers_mut().insert(
            http::header::LOCATION,
            HeaderValue::from_bytes(&page.1).unwrap(),
        );
    }
    response
}

/// One issuer with one key, and a verifier that trusts it.
pub(super) struct Scene {
    pub(super) pond: Pond,
    pub(super) key: TestKey,
    pub(super) clock: Arc<FixedClock>,
    pub(super) keys: Arc<IssuerKeys>,
    pub(super) verifier: Verifier,
    pub(super) audience: Audience,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with_settings(|_| ()).await
    }

    pub(super) async fn with_settings(change: impl FnOnce(&mut IssuerSettings)) -> Self {
        let (pond, key) = (Pond::start().await, TestKey::p256());
        publish_metadata(&pond, &pond.url);
        pond.page("/jwks", 200, key_set(&[key.jwk("k1")]).to_string());
        let mut settings = settings(&pond.url);
        change(&mut settings);
        let clock = Arc::new(FixedClock(AtomicU64::new(NOW)));
        let audience = audience(&[&settings.url]);
        let keys = Arc::new(IssuerKeys::new(
            settings,
            remote::client().unwrap(),
            clock.clone(),
        ));
        Self {
            verifier: verifier(&[Arc::clone(&keys)], clock.clone()),
            pond,
            key,
            clock,
            keys,
            audience,
        }
    }

    pub(super) fn header(&self) -> Value {
        json!({"alg": self.key.algorithm(), "typ": "at+jwt", "kid": "k1"})
    }

    pub(super) fn claims(&self) -> Value {
        json!({
            "iss": self.pond.url, "aud": RESOURCE, "sub": "alice", "client_id": "cli", "jti": "t1",
            "iat": NOW - 10, "exp": NOW + 600, "scope": "crm:read crm:write",
            "realm_access": {"roles": ["support", "analyst", "support"]},
        })
    }

    pub(super) fn token(&self) -> String {
        self.key.sign(&self.header(), &self.claims())
    }

    pub(super) async fn verify(&self, token: &str) -> Result<Arc<Principal>, Unverified> {
        self.admit(&credential(token)).await
    }

    /// All that a server does to know who is calling.
    pub(super) async fn admit(
        &self,
        credential: &Credential,
    ) -> Result<Arc<Principal>, Unverified> {
        let unbound = match self.verifier.recall(credential, &self.audience) {
            Some(unbound) => unbound,
            None => self.verifier.verify(credential, &self.audience).await?,
        };
        let evidence = Evidence {
            method: "POST",
            certificate: None,
        };
        self.verifier
            .bind(&unbound, (credential, evidence), &self.audience)
            .await
            .map(|bound| bound.principal)
    }

    /// How the verification of `token` ends.
    pub(super) async fn result(&self, token: &str) -> &'static str {
        let credential = match try_credential(token) {
            Ok(credential) => credential,
            Err(error) => return error.result(),
        };
        match self.admit(&credential).await {
            Ok(_) => "ok",
            Err(error) => {
                let text = error.to_string();
                let leaks = token.len() > 100 && text.contains(token);
                assert!(!leaks && text.is_ascii(), "{text}");
                error.result()
            }
        }
    }

    /// The result of a good token whose claims are changed.
    pub(super) async fn claimed(&self, change: Value) -> &'static str {
        let claims = with(&self.claims(), &change);
        self.result(&self.key.sign(&self.header(), &claims)).await
    }

    /// The result of a good token whose header is changed.
    pub(super) async fn headed(&self, change: Value) -> &'static str {
        let header = with(&self.header(), &change);
        self.result(&self.key.sign(&header, &self.claims())).await
    }
}

pub(super) fn verifier(keys: &[Arc<IssuerKeys>], clock: Arc<FixedClock>) -> Verifier {
    granting(keys, Vec::new(), clock)
}

pub(super) fn granting(
    keys: &[Arc<IssuerKeys>],
    grants: Vec<Grant>,
    clock: Arc<FixedClock>,
) -> Verifier {
    let state = Arc::new(MemoryState::since(clock.now()));
    let own = NonceKey::random().unwrap();
    let possession = Possession::new(DpopSettings::default(), &own, state, clock.clone());
    Verifier::new(keys.to_vec(), grants, Arc::new(possession), clock)
}

pub(super) fn publish_metadata(pond: &Pond, issuer: &str) {
    let metadata = json!({"issuer": issuer, "jwks_uri": format!("{}/jwks", pond.url)});
    pond.page(
        "/.well-known/oauth-authorization-server",
        200,
        metadata.to_string(),
    );
}

pub(super) fn settings(url: &str) -> IssuerSettings {
    IssuerSettings {
        algorithms: vec![
            SignatureAlgorithm::Es256,
            SignatureAlgorithm::EdDsa,
            SignatureAlgorithm::Rs256,
        ],
        roles_claim: vec!["realm_access".to_owned(), "roles".to_owned()],
        model_claim: Some("agent_model".to_owned()),
        ..IssuerSettings::new("corp", url, KeySource::Discovery)
    }
}

pub(super) fn audience(issuers: &[&IssuerUrl]) -> Audience {
    Audience::new("crm", RESOURCE, issuers.iter().copied().cloned().collect())
}

pub(super) fn credential(token: &str) -> Credential {
    try_credential(token).unwrap()
}

fn try_credential(token: &str) -> Result<Credential, Unpresented> {
    let mut headers = HeaderMap::new();
    let line = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    headers.insert(AUTHORIZATION, line);
    present(&headers, None, 64 * 1024, ApiKeyHeader::Ignored)
}
