//! The keys that a token says it is bound to (RFC 7800). What cannot be confirmed is refused, never ignored.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::identity::error::Unverified;
use crate::model::Digest;

/// A SHA-256 digest of a key or certificate, as tokens carry it: 43 characters of base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbprint(Box<str>);

impl Thumbprint {
    /// Of this digest.
    pub fn of(digest: &Digest) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest.as_bytes()).into())
    }

    /// What `text` says, if it says it in the one way there is: base64url without padding, 32 bytes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.into()))
    }

    /// The 43 characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a token is bound to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// `jkt`: the key of DPoP proofs (RFC 9449 section 6.1).
    pub key: Option<Thumbprint>,
    /// `x5t#S256`: the client certificate (RFC 8705 section 3.1).
    pub certificate: Option<Thumbprint>,
}

impl Confirmation {
    /// The member `cnf` of `claims`. A member that is not known would be a binding that nobody checks.
    pub(in crate::identity) fn read(claims: &Map<String, Value>) -> Result<Self, Unverified> {
        let Some(value) = claims.get("cnf") else {
            return Ok(Self::default());
        };
        let members = value
            .as_object()
            .filter(|members| !members.is_empty())
            .ok_or(Unverified::UnknownConfirmation)?;
        let mut confirmation = Self::default();
        for (name, value) in members {
            let thumbprint = value
                .as_str()
                .and_then(Thumbprint::parse)
                .ok_or(Unverified::UnknownConfirmation)?;
            match name.as_str() {
                "jkt" => confirmation.key = Some(thumbprint),
                "x5t#S256" => confirmation.certificate = Some(thumbprint),
                _ => return Err(Unverified::UnknownConfirmation),
            }
        }
        Ok(confirmation)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Confirmation, Thumbprint};
    use crate::model::Digest;

    fn read(cnf: &Value) -> Option<Confirmation> {
        let claims = json!({ "cnf": cnf });
        Confirmation::read(claims.as_object().unwrap()).ok()
    }

    #[test]
    fn a_token_may_be_bound_to_nothing_to_a_key_to_a_certificate_or_to_both() {
        let print = Thumbprint::of(&Digest::of(b"key"));
        assert_eq!(
            Confirmation::read(json!({}).as_object().unwrap()),
            Ok(Confirmation::default())
        );
        let both = read(&json!({"jkt": print.as_str(), "x5t#S256": print.as_str()})).unwrap();
        assert_eq!(both.key, Some(print.clone()));
        assert_eq!(both.certificate, Some(print));
    }

    #[test]
    fn d21_a_confirmation_that_cannot_be_checked_is_refused() {
        let print = Thumbprint::of(&Digest::of(b"key")).as_str().to_owned();
        for cnf in [
            json!({}),
            json!(null),
            json!("x"),
            json!([]),
            json!({"kid": "k"}),
            json!({"jkt": print, "kid": "k"}),
            json!({"jkt": 5}),
            json!({"jkt": ""}),
            json!({"jwk": {"kty": "EC"}}),
            json!({"x5t": print}),
        ] {
            assert_eq!(read(&cnf), None, "{cnf}");
        }
    }

    #[test]
    fn m03_a_thumbprint_has_one_spelling() {
        let digest = Digest::of(b"certificate");
        let good = Thumbprint::of(&digest).as_str().to_owned();
        assert!(read(&json!({"x5t#S256": good})).is_some());
        let hex = digest.to_string();
        let colons: Vec<_> = hex
            .as_bytes()
            .chunks(2)
            .map(|two| std::str::from_utf8(two).unwrap())
            .collect();
        for bad in [
            hex.clone(),
            colons.join(":"),
            format!("{good}="),
            format!(" {good}"),
            good.split_at(42).0.to_owned(),
            good.replace(['-', '_'], "+"),
            "A".repeat(27),
        ] {
            if bad != good {
                assert_eq!(read(&json!({"x5t#S256": bad})), None, "{bad}");
            }
        }
    }
}
