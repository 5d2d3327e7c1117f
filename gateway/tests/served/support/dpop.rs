//! A client that holds a key: tokens bound to it, and proofs by it with any header or claim bent (RFC 9449).

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, RequestBuilder};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::{Agent, Answer, Issuer, headers_of, now, resource, send};

/// A key, and the tokens and proofs that go with it.
pub(crate) struct Holder {
    key: EcdsaKeyPair,
    proofs: AtomicU64,
}

impl Holder {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self {
            key: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap(),
            proofs: AtomicU64::new(0),
        }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let (x, y) = self.key.public_key().as_ref()[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }

    /// The thumbprint (RFC 7638).
    pub(crate) fn jkt(&self) -> String {
        let jwk = self.jwk();
        let text = format!(
            r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#,
            jwk["x"], jwk["y"]
        );
        hash(&text)
    }

    /// A token of an analyst that the usual server takes, bound to this key.
    pub(crate) fn token(&self, issuer: &Issuer) -> String {
        self.token_with(issuer, &json!({}))
    }

    /// Such a token with more or other claims.
    pub(crate) fn token_with(&self, issuer: &Issuer, change: &Value) -> String {
        let mut claims = issuer.claims("alice", &["analyst"]);
        claims["scope"] = json!("crm:read");
        claims["cnf"] = json!({ "jkt": self.jkt() });
        issuer.sign_claims(&with(&claims, change))
    }

    /// A new proof for a POST of the usual server with `token`.
    pub(crate) fn proof(&self, token: &str) -> String {
        self.bent(token, &json!({}), &json!({}))
    }

    /// A new proof whose header and claims are changed; a member of `"-"` is taken out.
    pub(crate) fn bent(&self, token: &str, header: &Value, claims: &Value) -> String {
        let good_header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk() });
        // A second ahead, because the gateway may have started in the middle of this one.
        let good_claims = json!({
            "jti": format!("p{}", self.proofs.fetch_add(1, Ordering::Relaxed)),
            "htm": "POST", "htu": resource(), "iat": now() + 1, "ath": hash(token),
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let (header, claims) = (with(&good_header, header), with(&good_claims, claims));
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.unwrap()))
    }

    /// Sends `message` of 2026-07-28 to `url` with `token` and a new proof.
    pub(crate) async fn call(&self, url: &str, token: &str, message: &Value) -> Answer {
        let request = presenting(url, Method::POST, token, &[&self.proof(token)]);
        send(headers_of(request, message).body(message.to_string())).await
    }
}

/// A request that presents `token` in the scheme `DPoP`, with these `DPoP` lines.
pub(crate) fn presenting(
    url: &str,
    method: Method,
    token: &str,
    proofs: &[&str],
) -> RequestBuilder {
    let request = Agent::new(url, None)
        .request(method)
        .header("authorization", format!("DPoP {token}"));
    proofs
        .iter()
        .fold(request, |request, proof| request.header("dpop", *proof))
}

/// The SHA-256 digest in base64url: `ath` of a token.
pub(crate) fn hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

fn with(base: &Value, change: &Value) -> Value {
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
