//! A JWT in compact form (RFC 7515 section 3.1), taken apart strictly. Nothing in it is believed yet, and nothing
//! in its header leads anywhere: `jku`, `x5u`, `jwk` and `x5c` are not read (RFC 8725 section 3.10).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

use super::json;
use crate::identity::error::{Unverified, shown};
use crate::identity::settings::SignatureAlgorithm;

/// Header and claims of a token, and what its signature covers.
pub(in crate::identity) struct Jwt<'a> {
    header: Header,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: &'a str,
}

/// The members of the header that matter (RFC 7515 section 4.1).
pub(in crate::identity) struct Header {
    /// `alg`: one that we know; the issuer's list is checked later.
    pub(in crate::identity) algorithm: SignatureAlgorithm,
    /// `kid`.
    pub(in crate::identity) key_id: Option<String>,
    /// `typ` as it was sent.
    pub(in crate::identity) token_type: Option<String>,
}

impl<'a> Jwt<'a> {
    /// Takes `token` apart. Its length was limited before.
    pub(in crate::identity) fn parse(token: &'a str) -> Result<Self, Unverified> {
        if token.bytes().filter(|byte| *byte == b'.').count() != 2 {
            return Err(malformed("not three parts"));
        }
        let (Some((signed, signature)), Some((header, rest))) =
            (token.rsplit_once('.'), token.split_once('.'))
        else {
            return Err(malformed("not three parts"));
        };
        let (claims, _) = rest.split_once('.').unwrap_or_default();
        if decode(signature)?.is_empty() {
            return Err(malformed("no signature"));
        }
        let header = Header::read(&object(header)?)?;
        let claims = object(claims)?;
        Ok(Self {
            header,
            claims,
            signed,
            signature,
        })
    }

    pub(in crate::identity) const fn header(&self) -> &Header {
        &self.header
    }

    pub(in crate::identity) const fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    pub(in crate::identity) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }

    /// Is the signature by `key`, under the algorithm that the header names?
    pub(in crate::identity) fn is_signed_by(&self, key: &DecodingKey) -> bool {
        let algorithm = jose(self.header.algorithm);
        jsonwebtoken::crypto::verify(self.signature, self.signed.as_bytes(), key, algorithm)
            .unwrap_or(false)
    }
}

impl Header {
    fn read(members: &Map<String, Value>) -> Result<Self, Unverified> {
        // RFC 7515 section 4.1.11, RFC 7797, RFC 7516: extensions we do not know and ciphers we do not open.
        for refused in ["crit", "b64", "zip", "enc"] {
            if members.contains_key(refused) {
                return Err(malformed("an extension in the header"));
            }
        }
        // RFC 7519 section 5.2: a token inside a token.
        if members
            .get("cty")
            .is_some_and(|kind| kind.as_str().is_none_or(|kind| normal_type(kind) == "jwt"))
        {
            return Err(malformed("a nested token"));
        }
        Ok(Self {
            algorithm: algorithm(members.get("alg"))?,
            key_id: optional_text(members.get("kid"), "`kid` is not a string")?,
            token_type: optional_text(members.get("typ"), "`typ` is not a string")?,
        })
    }
}

/// A media type as it is compared: without case and without `application/` (RFC 7515 section 4.1.9).
pub(in crate::identity) fn normal_type(token_type: &str) -> String {
    let lower = token_type.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(short) => short.to_owned(),
        None => lower,
    }
}

/// The names of `algorithms`, for a message.
pub(in crate::identity) fn algorithm_names(algorithms: &[SignatureAlgorithm]) -> String {
    let names: Vec<_> = algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    names.join(" ")
}

fn algorithm(value: Option<&Value>) -> Result<SignatureAlgorithm, Unverified> {
    let name = value.and_then(Value::as_str);
    name.and_then(SignatureAlgorithm::from_name)
        .ok_or_else(|| Unverified::WrongAlgorithm {
            expected: algorithm_names(&SignatureAlgorithm::ALL),
            got: shown(name.unwrap_or("(not a string)")),
        })
}

fn optional_text(value: Option<&Value>, what: &'static str) -> Result<Option<String>, Unverified> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(malformed(what)),
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Unverified> {
    json::object(&decode(part)?).map_err(|_| malformed("a part is not one strict JSON object"))
}

/// RFC 7515 section 2: without padding, and with unused bits of zero, so that one token has one text.
fn decode(part: &str) -> Result<Vec<u8>, Unverified> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| malformed("a part is not base64url"))
}

const fn jose(algorithm: SignatureAlgorithm) -> Algorithm {
    match algorithm {
        SignatureAlgorithm::Es256 => Algorithm::ES256,
        SignatureAlgorithm::Es384 => Algorithm::ES384,
        SignatureAlgorithm::Rs256 => Algorithm::RS256,
        SignatureAlgorithm::Rs384 => Algorithm::RS384,
        SignatureAlgorithm::Rs512 => Algorithm::RS512,
        SignatureAlgorithm::Ps256 => Algorithm::PS256,
        SignatureAlgorithm::Ps384 => Algorithm::PS384,
        SignatureAlgorithm::Ps512 => Algorithm::PS512,
        SignatureAlgorithm::EdDsa => Algorithm::EdDSA,
    }
}

pub(in crate::identity) const fn malformed(what: &'static str) -> Unverified {
    Unverified::Malformed { what }
}
