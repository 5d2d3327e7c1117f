//! A signed object in compact form (RFC 7515 section 3.1), taken apart strictly: a header that can be read in one way
//! only, a payload and a signature. Nothing in it is believed yet, and what it cannot be taken apart by is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use memchr::memchr_iter;
use serde_json::{Map, Value};

use super::json;
use super::jwt::is_type;
use crate::identity::keys::PublicKey;
use crate::identity::settings::SignatureAlgorithm;

/// Header and payload, and what the signature covers.
pub(in crate::identity) struct Jws<'a> {
    header: Map<String, Value>,
    payload: Vec<u8>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Jws<'a> {
    /// Takes `text` apart, or says what is wrong with it. Its length was limited before.
    pub(in crate::identity) fn parse(text: &'a str) -> Result<Self, &'static str> {
        let Parts {
            signed,
            header,
            payload,
            signature,
        } = Parts::of(text).ok_or("not three parts")?;
        let signature = decode(signature)?;
        if signature.is_empty() {
            return Err("no signature");
        }
        let header = object(header)?;
        refuse_extensions(&header)?;
        Ok(Self {
            header,
            payload: decode(payload)?,
            signed,
            signature,
        })
    }

    pub(in crate::identity) const fn header(&self) -> &Map<String, Value> {
        &self.header
    }

    /// The payload as the claims of a JWT (RFC 7519 section 7.2).
    pub(in crate::identity) fn claims(&self) -> Result<Map<String, Value>, &'static str> {
        read(&self.payload)
    }

    /// Is the signature by `key`, under `algorithm`?
    pub(in crate::identity) fn is_signed_by(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
    ) -> bool {
        key.signed(algorithm, self.signed.as_bytes(), &self.signature)
    }
}

/// Has `token` the three parts of a JWT? Anything else is opaque.
pub(in crate::identity) fn is_jwt(token: &str) -> bool {
    Parts::of(token).is_some()
}

/// What the dots part.
struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let mut dots = memchr_iter(b'.', text.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return None;
        };
        let (signed, signature) = text.split_at_checked(second)?;
        let (header, payload) = signed.split_at_checked(first)?;
        Some(Self {
            signed,
            header,
            payload: payload.strip_prefix('.')?,
            signature: signature.strip_prefix('.')?,
        })
    }
}

fn refuse_extensions(header: &Map<String, Value>) -> Result<(), &'static str> {
    // RFC 7515 section 4.1.11, RFC 7797, RFC 7516: extensions we do not know and ciphers we do not open.
    for refused in ["crit", "b64", "zip", "enc"] {
        if header.contains_key(refused) {
            return Err("an extension in the header");
        }
    }
    // RFC 7519 section 5.2: a token inside a token.
    if header
        .get("cty")
        .is_some_and(|kind| kind.as_str().is_none_or(|kind| is_type(kind, "JWT")))
    {
        return Err("a nested token");
    }
    Ok(())
}

fn object(part: &str) -> Result<Map<String, Value>, &'static str> {
    read(&decode(part)?)
}

fn read(bytes: &[u8]) -> Result<Map<String, Value>, &'static str> {
    json::object(bytes).map_err(|_| "a part is not one strict JSON object")
}

/// RFC 7515 section 2: without padding, and with unused bits of zero, so that one token has one text.
fn decode(part: &str) -> Result<Vec<u8>, &'static str> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| "a part is not base64url")
}
