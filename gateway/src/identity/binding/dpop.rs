//! One DPoP proof against one request (RFC 9449 section 4.3). Never decides whether it was used before, and never
//! believes a URL of the request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::confirmation::Thumbprint;
use super::htu;
use crate::identity::credential::{RawProof, RawToken};
use crate::identity::error::{ProofFault, shown};
use crate::identity::keys::{Jwk, JwkFault};
use crate::identity::settings::SignatureAlgorithm;
use crate::identity::token::claims;
use crate::identity::token::jws::Jws;
use crate::identity::token::jwt::is_type;
use crate::model::{Digest, UnixTime};

/// The algorithms of proofs, as a challenge lists them (RFC 9449 section 7.1).
pub const ALGORITHMS: &str = "ES256 ES384 EdDSA PS256 RS256";

/// What a proof has to be about.
pub(in crate::identity) struct Expected<'a> {
    /// The method of the request, as it was sent.
    pub(in crate::identity) method: &'a str,
    /// The resource that the configuration names.
    pub(in crate::identity) resource: &'a str,
    /// The token that came with it.
    pub(in crate::identity) token: &'a RawToken,
    /// When `iat` is good.
    pub(in crate::identity) time: TimeFrame,
}

/// The times around a moment.
#[derive(Debug, Clone, Copy)]
pub(in crate::identity) struct TimeFrame {
    /// The moment.
    pub(in crate::identity) now: UnixTime,
    /// How far another may be from it.
    pub(in crate::identity) window: std::time::Duration,
}

impl TimeFrame {
    fn holds(self, at: UnixTime) -> bool {
        at <= self.now.plus(self.window) && self.now <= at.plus(self.window)
    }
}

/// A proof that is good for its request, if it was not used before.
#[derive(Debug)]
#[must_use = "a proof may be used once: remember it"]
pub(in crate::identity) struct Proven {
    /// The key that signed it (RFC 7638).
    pub(in crate::identity) key: Thumbprint,
    /// Which proof of that key it is.
    pub(in crate::identity) id: Digest,
    /// `iat`.
    pub(in crate::identity) issued: UnixTime,
    /// `nonce`.
    pub(in crate::identity) nonce: Option<Box<str>>,
}

/// Checks everything about `proof` but its nonce and its being new; the signature last, because it costs most.
pub(in crate::identity) fn check(
    proof: &RawProof,
    expected: &Expected<'_>,
) -> Result<Proven, ProofFault> {
    let text = match proof {
        RawProof::One(text) => text.expose(),
        RawProof::Missing => return Err(ProofFault::Missing),
        RawProof::Several => return Err(ProofFault::Several),
        RawProof::Malformed => return Err(malformed("not of the form of a JWT")),
    };
    let jws = Jws::parse(text).map_err(malformed)?;
    // First of all, so that a key that was given away is seen whatever else is wrong.
    let jwk = key(jws.header())?;
    check_type(jws.header())?;
    let algorithm = algorithm(jws.header(), &jwk)?;
    let claims = jws.claims().map_err(malformed)?;
    check_request(&claims, expected)?;
    let id = Digest::of(text_of(&claims, "jti")?.as_bytes());
    let nonce = nonce(&claims)?;
    let issued = issued(&claims, expected.time)?;
    if !jws.is_signed_by(jwk.public(), algorithm) {
        return Err(ProofFault::BadSignature);
    }
    Ok(Proven {
        key: Thumbprint::of(&jwk.thumbprint()),
        id,
        issued,
        nonce,
    })
}

/// Check 4: nothing that was signed for another purpose.
fn check_type(header: &Map<String, Value>) -> Result<(), ProofFault> {
    match header.get("typ").and_then(Value::as_str) {
        Some(token_type) if is_type(token_type, TYPE) => Ok(()),
        got => Err(wrong("typ", TYPE, got)),
    }
}

/// Check 5: asymmetric, one that the challenge lists, and of the type of the key.
fn algorithm(header: &Map<String, Value>, jwk: &Jwk) -> Result<SignatureAlgorithm, ProofFault> {
    let name = header.get("alg").and_then(Value::as_str);
    let listed = |name: &&str| ALGORITHMS.split(' ').any(|known| known == *name);
    let algorithm = name
        .filter(listed)
        .and_then(SignatureAlgorithm::from_name)
        .ok_or_else(|| wrong("alg", ALGORITHMS, name))?;
    if jwk.fits(algorithm) {
        Ok(algorithm)
    } else {
        Err(malformed("`alg` does not fit `jwk`"))
    }
}

/// Checks 8, 9 and 12: this method, this resource, this token.
fn check_request(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), ProofFault> {
    let method = text_of(claims, "htm")?;
    if method != expected.method {
        return Err(wrong("htm", &shown(expected.method), Some(method)));
    }
    let url = text_of(claims, "htu")?;
    if !htu::names(url, expected.resource) {
        return Err(wrong("htu", expected.resource, Some(url)));
    }
    if !is_hash(text_of(claims, "ath")?, &expected.token.digest()) {
        return Err(malformed("`ath` is not the hash of the token"));
    }
    Ok(())
}

/// Whether `text` is `hash` in base64url: 43 characters.
fn is_hash(text: &str, hash: &Digest) -> bool {
    let mut wanted = [0; 43];
    let length = URL_SAFE_NO_PAD.encode_slice(hash.as_bytes(), &mut wanted);
    length == Ok(wanted.len()) && text.as_bytes() == wanted
}

/// Check 11.
fn issued(claims: &Map<String, Value>, time: TimeFrame) -> Result<UnixTime, ProofFault> {
    let Ok(Some(at)) = claims::optional_time(claims, "iat") else {
        return Err(malformed("`iat` is not a time"));
    };
    if time.holds(at) {
        Ok(at)
    } else {
        Err(ProofFault::Untimely { at, now: time.now })
    }
}

/// Section 4.2: a string, where there is one.
fn nonce(claims: &Map<String, Value>) -> Result<Option<Box<str>>, ProofFault> {
    match claims.get("nonce") {
        None => Ok(None),
        Some(Value::String(nonce)) => Ok(Some(nonce.as_str().into())),
        Some(_) => Err(malformed("`nonce` is not a string")),
    }
}

/// Check 7, and the key of check 6: a public key in its one spelling.
fn key(header: &Map<String, Value>) -> Result<Jwk, ProofFault> {
    let entry = header.get("jwk").ok_or(malformed("no `jwk`"))?;
    let jwk = Jwk::read(entry).map_err(|fault| match fault {
        JwkFault::Secret(_) => ProofFault::PrivateKey,
        JwkFault::Unfit(why) => malformed(why),
    })?;
    if jwk.is_spelled_so_in(entry) {
        Ok(jwk)
    } else {
        Err(malformed("a number of `jwk` with leading zeros"))
    }
}

/// Check 3: there, a string, and not empty.
fn text_of<'c>(claims: &'c Map<String, Value>, claim: &str) -> Result<&'c str, ProofFault> {
    claims
        .get(claim)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or(malformed("a claim is missing or no string"))
}

fn wrong(member: &'static str, expected: &str, got: Option<&str>) -> ProofFault {
    ProofFault::Wrong {
        member,
        expected: expected.to_owned(),
        got: shown(got.unwrap_or("(not a string)")),
    }
}

const fn malformed(what: &'static str) -> ProofFault {
    ProofFault::Malformed { what }
}

const TYPE: &str = "dpop+jwt";
