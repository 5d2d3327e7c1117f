//! A fresh ES256 key and the tokens it signs. The private half never leaves this file and is never written down.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::DevError;
use crate::model::{Digest, Secret};

/// A signing key that lives as long as the process.
#[derive(Debug)]
pub(super) struct SigningKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    x: String,
    y: String,
    /// RFC 7638 thumbprint.
    id: String,
}

impl SigningKey {
    /// A key that nobody has seen before.
    pub(super) fn generate() -> Result<Self, DevError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let document =
            EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| DevError::Random)?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random)
            .map_err(|_| DevError::Random)?;
        // SEC 1 section 2.3.3: 0x04, then 32 bytes of x, then 32 bytes of y.
        let (_, point) = pair
            .public_key()
            .as_ref()
            .split_at_checked(1)
            .ok_or(DevError::Random)?;
        let (x, y) = point.split_at_checked(32).ok_or(DevError::Random)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let thumbprint =
            Digest::of(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#).as_bytes());
        let id = URL_SAFE_NO_PAD.encode(thumbprint.as_bytes());
        Ok(Self {
            pair,
            random,
            x,
            y,
            id,
        })
    }

    /// The public half as a JWK (RFC 7518 section 6.2).
    pub(super) fn jwk(&self) -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "x": self.x, "y": self.y,
            "kid": self.id, "alg": "ES256", "use": "sig",
        })
    }

    /// `claims` as a signed access token (RFC 7515 section 7.1, `typ` of RFC 9068 section 2.1).
    pub(super) fn sign(&self, claims: &Value) -> Result<Secret<String>, DevError> {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.id });
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let signature = self
            .pair
            .sign(&self.random, token.as_bytes())
            .map_err(|_| DevError::Sign)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(Secret::new(token))
    }
}

/// 256 random bits as text.
pub(super) fn random_text() -> Result<String, DevError> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| DevError::Random)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
