//! One public key as JSON (RFC 7517), of an issuer's set or of a proof. Never keeps a private or symmetric key, and
//! never shows one.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use thiserror::Error;

use super::public_key::{Family, PublicKey};
use super::roca;
use crate::identity::settings::SignatureAlgorithm;
use crate::model::Digest;

/// A public key that can verify signatures.
#[derive(Debug)]
pub(in crate::identity) struct Jwk {
    algorithm: Option<SignatureAlgorithm>,
    public: PublicKey,
    canonical: Canonical,
}

/// Why a key is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(in crate::identity) enum JwkFault {
    /// It holds what only its owner may know.
    #[error("{0}")]
    Secret(&'static str),
    /// It cannot be used here.
    #[error("{0}")]
    Unfit(&'static str),
}

impl JwkFault {
    /// What is wrong with the key.
    pub(in crate::identity) const fn why(self) -> &'static str {
        match self {
            Self::Secret(why) | Self::Unfit(why) => why,
        }
    }
}

/// The required members in the order of RFC 7638 section 3.3, each in its one spelling.
#[derive(Debug)]
struct Canonical(Vec<(&'static str, Cow<'static, str>)>);

impl Jwk {
    /// The key in `entry`.
    pub(in crate::identity) fn read(entry: &Value) -> Result<Self, JwkFault> {
        let members = entry.as_object().ok_or(JwkFault::Unfit("not an object"))?;
        refuse_secrets(members)?;
        Self::read_public(members).map_err(JwkFault::Unfit)
    }

    fn read_public(members: &Map<String, Value>) -> Result<Self, &'static str> {
        check_purpose(members)?;
        let (public, canonical) = match text(members, "kty") {
            Some("EC") => curve_key(members)?,
            Some("OKP") => edwards_key(members)?,
            Some("RSA") => rsa_key(members)?,
            Some(_) | None => return Err("a key type that is not known"),
        };
        let algorithm = match members.get("alg") {
            None => None,
            Some(name) => Some(
                name.as_str()
                    .and_then(SignatureAlgorithm::from_name)
                    .ok_or("an algorithm that is not known")?,
            ),
        };
        let key = Self {
            algorithm,
            public,
            canonical,
        };
        match algorithm {
            Some(algorithm) if !key.fits(algorithm) => Err("an algorithm of another key type"),
            Some(_) | None => Ok(key),
        }
    }

    /// Whether a signature under `algorithm` can be by this key.
    pub(in crate::identity) fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        Family::of(algorithm) == self.family() && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// What verifies signatures.
    pub(in crate::identity) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// RFC 7638 section 3: the digest over the required members alone.
    pub(in crate::identity) fn thumbprint(&self) -> Digest {
        self.canonical.digest()
    }

    /// Whether `entry`, from which this was read, spells the key as RFC 7518 section 6 demands: a number without
    /// leading zeros.
    pub(in crate::identity) fn is_spelled_so_in(&self, entry: &Value) -> bool {
        let spelled = |(name, value): &(&str, Cow<'_, str>)| {
            entry.get(name).and_then(Value::as_str) == Some(value.as_ref())
        };
        self.canonical.0.iter().all(spelled)
    }

    pub(super) const fn family(&self) -> Family {
        self.public.family()
    }

    /// `alg`.
    pub(super) const fn algorithm(&self) -> Option<SignatureAlgorithm> {
        self.algorithm
    }
}

impl Canonical {
    /// Of `{"name":"value",…}`, piece by piece: a proof's key is digested on every request.
    fn digest(&self) -> Digest {
        let mut pieces: Vec<&[u8]> = Vec::with_capacity(self.0.len() * 5 + 1);
        let mut lead: &[u8] = b"{\"";
        for (name, value) in &self.0 {
            // The values are base64url and fixed names: nothing in them needs escaping.
            pieces.extend([lead, name.as_bytes(), b"\":\"", value.as_bytes(), b"\""]);
            lead = b",\"";
        }
        pieces.push(b"}");
        Digest::of_parts(&pieces)
    }
}

/// A private key where a public one belongs is a leaked key; a symmetric one is one that both sides know.
fn refuse_secrets(members: &Map<String, Value>) -> Result<(), JwkFault> {
    if members.keys().any(|name| is_private(name)) || text(members, "kty") == Some("oct") {
        return Err(JwkFault::Secret("a private or symmetric key"));
    }
    Ok(())
}

/// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.
fn is_private(member: &str) -> bool {
    matches!(member, "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" | "k")
}

/// RFC 7517 sections 4.2 and 4.3.
fn check_purpose(members: &Map<String, Value>) -> Result<(), &'static str> {
    if members
        .get("use")
        .is_some_and(|purpose| purpose.as_str() != Some("sig"))
    {
        return Err("not meant for signatures");
    }
    let verifies = |operations: &Value| {
        let operations = operations.as_array();
        operations.is_some_and(|names| names.iter().any(|name| name.as_str() == Some("verify")))
    };
    if members
        .get("key_ops")
        .is_some_and(|operations| !verifies(operations))
    {
        return Err("not meant to verify");
    }
    Ok(())
}

/// RFC 7518 section 6.2.1: both coordinates in full length.
fn curve_key(members: &Map<String, Value>) -> Result<(PublicKey, Canonical), &'static str> {
    let (family, curve, length) = match text(members, "crv") {
        Some("P-256") => (Family::P256, "P-256", 32),
        Some("P-384") => (Family::P384, "P-384", 48),
        Some(_) | None => return Err("a curve that is not known"),
    };
    let ((x, x_text), (y, y_text)) = (bytes(members, "x")?, bytes(members, "y")?);
    if x.len() != length || y.len() != length {
        return Err("a coordinate of the wrong length");
    }
    // SEC 1 section 2.3.3: the uncompressed point.
    let point = [[4].as_slice(), &x, &y].concat();
    let canonical = Canonical(vec![
        ("crv", curve.into()),
        ("kty", "EC".into()),
        ("x", x_text.to_owned().into()),
        ("y", y_text.to_owned().into()),
    ]);
    Ok((PublicKey::Point(family, point), canonical))
}

/// RFC 8037 section 2.
fn edwards_key(members: &Map<String, Value>) -> Result<(PublicKey, Canonical), &'static str> {
    if text(members, "crv") != Some("Ed25519") {
        return Err("a curve that is not known");
    }
    let (x, x_text) = bytes(members, "x")?;
    if x.len() != 32 {
        return Err("a coordinate of the wrong length");
    }
    let canonical = Canonical(vec![
        ("crv", "Ed25519".into()),
        ("kty", "OKP".into()),
        ("x", x_text.to_owned().into()),
    ]);
    Ok((PublicKey::Point(Family::Ed25519, x), canonical))
}

/// RFC 7518 section 3.3: 2048 bits at least; an upper bound, because a huge modulus is an attack on our CPU.
fn rsa_key(members: &Map<String, Value>) -> Result<(PublicKey, Canonical), &'static str> {
    let (modulus, n) = unsigned(bytes(members, "n")?);
    let (exponent, e) = unsigned(bytes(members, "e")?);
    if !(2048..=8192).contains(&bits(&modulus)) {
        return Err("an RSA modulus that is not of 2048 to 8192 bits");
    }
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || !(2..=33).contains(&bits(&exponent)) {
        return Err("an RSA exponent that is not usable");
    }
    if roca::is_weak(&modulus) {
        return Err("an RSA modulus that can be factored (CVE-2017-15361)");
    }
    let canonical = Canonical(vec![
        ("e", e.into()),
        ("kty", "RSA".into()),
        ("n", n.into()),
    ]);
    Ok((PublicKey::Rsa { modulus, exponent }, canonical))
}

/// The number without leading zeros, and its text.
fn unsigned((bytes, text): (Vec<u8>, &str)) -> (Vec<u8>, String) {
    if bytes.first().is_none_or(|byte| *byte != 0) {
        return (bytes, text.to_owned());
    }
    let bytes: Vec<_> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    let text = URL_SAFE_NO_PAD.encode(&bytes);
    (bytes, text)
}

fn bits(number: &[u8]) -> usize {
    let unused = number
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    (number.len() * 8).saturating_sub(unused)
}

fn text<'k>(members: &'k Map<String, Value>, name: &str) -> Option<&'k str> {
    members.get(name).and_then(Value::as_str)
}

/// The bytes of a member and its text, which is their only one: without padding, with unused bits of zero.
fn bytes<'k>(
    members: &'k Map<String, Value>,
    name: &str,
) -> Result<(Vec<u8>, &'k str), &'static str> {
    text(members, name)
        .and_then(|text| Some((URL_SAFE_NO_PAD.decode(text).ok()?, text)))
        .ok_or("a member that is missing or not base64url")
}
