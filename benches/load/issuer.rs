//! The issuer of the benchmark: one fresh ES256 key, a JWK set in a file, tokens like real ones. It never listens and
//! its key never leaves the process.

use std::error::Error;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatewright::model::{Clock as _, SystemClock};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

/// What `iss` says.
pub(crate) const ISSUER: &str = "https://issuer.example";
/// The role that the tokens carry and the policy lists.
pub(crate) const ROLE: &str = "caller";
/// `exp - iat`, in hours: longer than any run.
pub(crate) const LIFETIME_HOURS: u64 = 12;

const KEY_ID: &str = "load-1";

/// Signs tokens.
pub(crate) struct Issuer {
    key: EcdsaKeyPair,
    random: SystemRandom,
}

impl Issuer {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map_err(|_| "no key could be made")?;
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)?;
        Ok(Self { key, random })
    }

    /// The JWK set (RFC 7517) with the public key.
    pub(crate) fn key_set(&self) -> Result<String, Box<dyn Error>> {
        // SEC 1 section 2.3.3: 0x04, then both coordinates.
        let point = self
            .key
            .public_key()
            .as_ref()
            .strip_prefix(&[4])
            .ok_or("a compressed point")?;
        let (x, y) = point.split_at_checked(32).ok_or("a short point")?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": KEY_ID, "x": x, "y": y});
        Ok(json!({"keys": [key]}).to_string())
    }

    /// An access token (RFC 9068) of about 600 bytes for the `number`th user of `resource`.
    pub(crate) fn token(&self, resource: &str, number: usize) -> Result<String, Box<dyn Error>> {
        let now = SystemClock.now().seconds();
        let claims = json!({
            "iss": ISSUER,
            "aud": resource,
            "sub": format!("user-{number:05}@corp.example"),
            "client_id": "agent-desktop",
            "iat": now,
            "exp": now + LIFETIME_HOURS * 3600,
            "jti": format!("{number:032x}"),
            "roles": [ROLE, "employee"],
            "scope": "mcp:tools mcp:resources",
            "name": "Example Person",
            "auth_time": now,
        });
        let header = json!({"typ": "at+jwt", "alg": "ES256", "kid": KEY_ID});
        let head = URL_SAFE_NO_PAD.encode(header.to_string());
        let body = URL_SAFE_NO_PAD.encode(claims.to_string());
        let signed = format!("{head}.{body}");
        let signature = self
            .key
            .sign(&self.random, signed.as_bytes())
            .map_err(|_| "no signature could be made")?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::{ISSUER, Issuer};

    #[test]
    fn a_token_verifies_with_the_published_key() {
        let issuer = Issuer::new().unwrap();
        let token = issuer.token("http://127.0.0.1:1/mcp", 3).unwrap();
        assert!((500..700).contains(&token.len()), "{} bytes", token.len());

        let keys: serde_json::Value = serde_json::from_str(&issuer.key_set().unwrap()).unwrap();
        let coordinate = |name: &str| {
            URL_SAFE_NO_PAD
                .decode(keys["keys"][0][name].as_str().unwrap())
                .unwrap()
        };
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &signature)
            .unwrap();

        let claims = URL_SAFE_NO_PAD
            .decode(signed.split_once('.').unwrap().1)
            .unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["iss"], ISSUER);
        assert_eq!(claims["aud"], "http://127.0.0.1:1/mcp");
    }
}
