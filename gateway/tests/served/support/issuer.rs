//! An issuer: a fresh ES256 key, its JWK set in a file, tokens with any claims.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

/// The identifier that every issuer of the tests has.
pub(crate) const URL: &str = "https://auth.test";

pub(crate) struct Issuer {
    key: EcdsaKeyPair,
    kid: &'static str,
}

impl Issuer {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
                .unwrap();
        Self { key, kid: "k1" }
    }

    /// The public half as a JWK set.
    pub(crate) fn jwks(&self) -> Value {
        let point = self.key.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }]})
    }

    pub(crate) fn write_jwks(&self, file: &Path) {
        std::fs::write(file, self.jwks().to_string()).unwrap();
    }

    /// A token that is good for the usual setup, for `subject` with `roles` and `scope`.
    pub(crate) fn token(&self, subject: &str, roles: &[&str], scope: &str) -> String {
        let mut claims = self.claims(subject, roles);
        claims["scope"] = json!(scope);
        self.sign(
            &json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.kid }),
            &claims,
        )
    }

    /// A token that is good for the usual setup for `life`, with the leeway of 30 seconds in it.
    pub(crate) fn token_for(&self, life: Duration) -> String {
        let ends = since_1970() + life;
        let mut claims = self.claims("alice", &["analyst"]);
        claims["iat"] = json!(now() - 60);
        claims["exp"] = json!(ends.as_secs_f64() - LEEWAY.as_secs_f64());
        claims["scope"] = json!("crm:read");
        self.sign_claims(&claims)
    }

    /// The claims of a good token without scopes, to be bent by the test.
    #[expect(clippy::unused_self, reason = "they are this issuer's claims")]
    pub(crate) fn claims(&self, subject: &str, roles: &[&str]) -> Value {
        let now = now();
        json!({
            "iss": URL, "sub": subject, "aud": super::resource(), "client_id": "agent-1",
            "iat": now, "exp": now + 600, "jti": format!("{subject}-{now}"), "roles": roles,
        })
    }

    /// Signs whatever it is given, under the usual header.
    pub(crate) fn sign_claims(&self, claims: &Value) -> String {
        self.sign(
            &json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.kid }),
            claims,
        )
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// How long a token is still taken after its `exp`.
const LEEWAY: Duration = Duration::from_secs(30);

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    since_1970().as_secs()
}

fn since_1970() -> Duration {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tokens of the tests are for now"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap()
}
