//! One issuer, one server, and requests of its callers. Never sends one.

use std::error::Error;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatewright::identity::credential::{self, ApiKeyHeader};
use gatewright::identity::keys::remote;
use gatewright::identity::settings::{
    Audience, DpopSettings, IssuerSettings, KeySource, SignatureAlgorithm,
};
use gatewright::identity::{Credential, Evidence, IssuerKeys, NonceKey, Possession, Verifier};
use gatewright::model::{Clock as _, IssuerUrl, SystemClock};
use gatewright::state::MemoryState;
use http::{HeaderMap, HeaderValue};
use serde_json::json;

use crate::key::Key;

type Failure = Box<dyn Error>;

const ISSUER: &str = "https://issuer.example";
const RESOURCE: &str = "https://gateway.example/crm/mcp";
const TOKEN_LIMIT: usize = 8 << 10;

/// A verifier, and the key that its issuer signs with.
pub(crate) struct Scene<'k> {
    key: &'k Key,
    verifier: Verifier,
    audience: Audience,
    _folder: tempfile::TempDir,
}

/// The head of one request.
pub(crate) struct Presented(HeaderMap);

impl<'k> Scene<'k> {
    pub(crate) async fn new(key: &'k Key) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("jwks.json");
        let mut jwk = key.jwk()?;
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".to_owned(), json!("k1"));
        }
        std::fs::write(&file, json!({ "keys": [jwk] }).to_string())?;
        let clock = Arc::new(SystemClock);
        let keys = Arc::new(IssuerKeys::new(
            issuer(KeySource::File(file)),
            remote::client()?,
            clock.clone(),
        ));
        keys.refresh_now().await?;
        let state = Arc::new(MemoryState::since(clock.now()));
        let nonces = NonceKey::random()?;
        let possession = Possession::new(DpopSettings::default(), &nonces, state, clock.clone());
        let verifier = Verifier::new(vec![keys], Vec::new(), Arc::new(possession), clock);
        Ok(Self {
            key,
            verifier,
            audience: audience(),
            _folder: folder,
        })
    }

    /// A token like a real one, bound to `bound` if that is given.
    pub(crate) fn token(&self, bound: Option<&Key>, number: usize) -> Result<String, Failure> {
        let now = SystemClock.now().seconds();
        let mut claims = json!({
            "iss": ISSUER, "aud": RESOURCE, "sub": "user-00017@corp.example", "client_id": "agent-desktop",
            "iat": now, "exp": now + 3000, "jti": format!("0f9a5ad1-{number:012}"), "scope": "crm:read crm:write",
            "roles": ["analyst", "support"], "auth_time": now,
        });
        if let (Some(bound), Some(members)) = (bound, claims.as_object_mut()) {
            members.insert("cnf".to_owned(), json!({ "jkt": bound.thumbprint()? }));
        }
        let header = json!({"alg": self.key.algorithm().name(), "typ": "at+jwt", "kid": "k1"});
        self.key.sign(&header, &claims)
    }

    /// `count` requests with a new token each.
    pub(crate) fn new_tokens(
        &self,
        bound: Option<&Key>,
        count: usize,
    ) -> Result<Vec<Presented>, Failure> {
        (1..=count)
            .map(|number| head(&self.token(bound, number)?, bound, number))
            .collect()
    }

    /// All that the gateway does to know who is calling.
    pub(crate) async fn admits(&self, presented: &Presented) -> bool {
        let found = credential::present(&presented.0, None, TOKEN_LIMIT, ApiKeyHeader::Ignored);
        match found {
            Ok(credential) => self.knows(&credential).await,
            Err(_) => false,
        }
    }

    async fn knows(&self, credential: &Credential) -> bool {
        let unbound = match self.verifier.recall(credential, &self.audience) {
            Some(unbound) => Ok(unbound),
            None => self.verifier.verify(credential, &self.audience).await,
        };
        let evidence = Evidence {
            method: "POST",
            certificate: None,
        };
        match unbound {
            Ok(unbound) => self
                .verifier
                .bind(&unbound, (credential, evidence), &self.audience)
                .await
                .is_ok(),
            Err(_) => false,
        }
    }
}

/// `count` requests with `token`, each with a proof of its own if the token is bound.
pub(crate) fn presented(
    token: &str,
    bound: Option<&Key>,
    count: usize,
) -> Result<Vec<Presented>, Failure> {
    (0..count)
        .map(|number| head(token, bound, number))
        .collect()
}

fn head(token: &str, bound: Option<&Key>, number: usize) -> Result<Presented, Failure> {
    let mut headers = HeaderMap::new();
    let scheme = if bound.is_some() { "DPoP" } else { "Bearer" };
    headers.insert(
        "authorization",
        HeaderValue::try_from(format!("{scheme} {token}"))?,
    );
    if let Some(key) = bound {
        let digest = ring::digest::digest(&ring::digest::SHA256, token.as_bytes());
        let hash = URL_SAFE_NO_PAD.encode(digest);
        let claims = json!({
            // No two proofs of a key share it, whatever token they are for.
            "jti": format!("{hash}-{number:06}"), "htm": "POST", "htu": RESOURCE,
            // Whole seconds: in the one in which the process began, a proof could be older than it.
            "iat": SystemClock.now().seconds() + 1, "ath": hash,
        });
        let header = json!({"alg": key.algorithm().name(), "typ": "dpop+jwt", "jwk": key.jwk()?});
        headers.insert("dpop", HeaderValue::try_from(key.sign(&header, &claims)?)?);
    }
    Ok(Presented(headers))
}

fn issuer(keys: KeySource) -> IssuerSettings {
    IssuerSettings {
        algorithms: SignatureAlgorithm::ALL.to_vec(),
        ..IssuerSettings::new("corp", ISSUER, keys)
    }
}

fn audience() -> Audience {
    Audience::new("crm", RESOURCE, vec![IssuerUrl::new(ISSUER)])
}
