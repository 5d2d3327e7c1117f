//! A JWT in compact form (RFC 7515 section 3.1), taken apart strictly. Nothing in it is believed yet, and nothing
//! in its header leads anywhere: `jku`, `x5u`, `jwk` and `x5c` are not read (RFC 8725 section 3.10).

use serde_json::{Map, Value};

use super::jws::Jws;
use crate::identity::error::{Unverified, shown};
use crate::identity::keys::PublicKey;
use crate::identity::settings::SignatureAlgorithm;

/// Header and claims of a token, and what its signature covers.
pub(in crate::identity) struct Jwt<'a> {
    header: Header,
    claims: Map<String, Value>,
    jws: Jws<'a>,
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
        let jws = Jws::parse(token).map_err(malformed)?;
        let header = Header::read(jws.header())?;
        let claims = jws.claims().map_err(malformed)?;
        Ok(Self {
            header,
            claims,
            jws,
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
    pub(in crate::identity) fn is_signed_by(&self, key: &PublicKey) -> bool {
        self.jws.is_signed_by(key, self.header.algorithm)
    }
}

impl Header {
    pub(in crate::identity) fn read(members: &Map<String, Value>) -> Result<Self, Unverified> {
        Ok(Self {
            algorithm: algorithm(members.get("alg"))?,
            key_id: optional_text(members.get("kid"), "`kid` is not a string")?,
            token_type: optional_text(members.get("typ"), "`typ` is not a string")?,
        })
    }
}

/// Whether two names are of one media type: without case and without `application/` (RFC 7515 section 4.1.9).
pub(in crate::identity) fn is_type(sent: &str, known: &str) -> bool {
    short(sent).eq_ignore_ascii_case(short(known))
}

fn short(token_type: &str) -> &str {
    match token_type.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        Some(_) | None => token_type,
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

pub(in crate::identity) const fn malformed(what: &'static str) -> Unverified {
    Unverified::Malformed { what }
}

const PREFIX: &str = "application/";
