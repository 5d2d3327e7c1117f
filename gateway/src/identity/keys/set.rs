//! A JWK set, read key by key (RFC 7517). Only public keys that can verify a signature are kept; one odd key does
//! not spoil the others, but two of one name spoil the set.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::error::KeySetError;
use crate::identity::error::shown;
use crate::identity::settings::SignatureAlgorithm;
use crate::identity::token::json;
use crate::model::Digest;

/// The keys of one issuer. Two sets are equal when they were read from the same bytes.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    ignored: Vec<IgnoredKey>,
    source: Digest,
}

/// A key of the set that is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredKey {
    /// Its `kid`, escaped and cut.
    pub key_id: Option<String>,
    /// Why it is not used.
    pub why: &'static str,
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl KeySet {
    /// The usable keys in `bytes`.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        let document = json::object(bytes).map_err(|cause| KeySetError::NotJson { cause })?;
        let Some(Value::Array(entries)) = document.get("keys") else {
            return Err(KeySetError::NoArray);
        };
        let count = entries.len();
        if count > MOST_KEYS {
            return Err(KeySetError::TooMany {
                count,
                limit: MOST_KEYS,
            });
        }
        let mut set = Self {
            keys: Vec::new(),
            ignored: Vec::new(),
            source: Digest::of(bytes),
        };
        for entry in entries {
            set.add(entry)?;
        }
        if set.keys.is_empty() {
            return Err(KeySetError::NoUsable { count });
        }
        Ok(set)
    }

    fn add(&mut self, entry: &Value) -> Result<(), KeySetError> {
        let key = match Key::read(entry) {
            Ok(key) => key,
            Err(why) => {
                let key_id = entry.get("kid").and_then(Value::as_str).map(shown);
                self.ignored.push(IgnoredKey { key_id, why });
                return Ok(());
            }
        };
        if self.keys.iter().any(|known| known.clashes_with(&key)) {
            return Err(KeySetError::Ambiguous {
                key_id: shown(key.id.as_deref().unwrap_or_default()),
            });
        }
        self.keys.push(key);
        Ok(())
    }

    /// How many keys can be used.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Always false: a set without a usable key is not made.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that are not used, for whoever asks why.
    pub fn ignored(&self) -> &[IgnoredKey] {
        &self.ignored
    }

    /// The one key for `algorithm`: that of this id, or without an id the only one that fits.
    pub(in crate::identity) fn select(
        &self,
        key_id: Option<&str>,
        algorithm: SignatureAlgorithm,
    ) -> Option<&DecodingKey> {
        let named = |key: &&Key| key_id.is_none() || key.id.as_deref() == key_id;
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(&key.public),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    family: Family,
    algorithm: Option<SignatureAlgorithm>,
    public: DecodingKey,
}

/// `kty`, and `crv` where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    P256,
    P384,
    Ed25519,
    Rsa,
}

impl Key {
    fn read(entry: &Value) -> Result<Self, &'static str> {
        let members = entry.as_object().ok_or("not an object")?;
        check_purpose(members)?;
        let (family, public) = match text(members, "kty") {
            Some("EC") => curve_key(members)?,
            Some("OKP") => edwards_key(members)?,
            Some("RSA") => rsa_key(members)?,
            Some("oct") => return Err("a symmetric key"),
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
        let id = match members.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err("a `kid` that is not a string"),
        };
        let key = Self {
            id,
            family,
            algorithm,
            public,
        };
        match algorithm {
            Some(algorithm) if !key.fits(algorithm) => Err("an algorithm of another key type"),
            Some(_) | None => Ok(key),
        }
    }

    fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        family_of(algorithm) == self.family && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Would a token that names the one also name the other? Keys without a name are never named.
    fn clashes_with(&self, other: &Self) -> bool {
        let one_algorithm = match (self.algorithm, other.algorithm) {
            (Some(mine), Some(its)) => mine == its,
            (None, _) | (_, None) => true,
        };
        self.id.is_some() && self.id == other.id && self.family == other.family && one_algorithm
    }
}

const fn family_of(algorithm: SignatureAlgorithm) -> Family {
    match algorithm {
        SignatureAlgorithm::Es256 => Family::P256,
        SignatureAlgorithm::Es384 => Family::P384,
        SignatureAlgorithm::EdDsa => Family::Ed25519,
        SignatureAlgorithm::Rs256
        | SignatureAlgorithm::Rs384
        | SignatureAlgorithm::Rs512
        | SignatureAlgorithm::Ps256
        | SignatureAlgorithm::Ps384
        | SignatureAlgorithm::Ps512 => Family::Rsa,
    }
}

/// RFC 7517 sections 4.2 and 4.3; a private key in a public set is a leaked key.
fn check_purpose(members: &Map<String, Value>) -> Result<(), &'static str> {
    if PRIVATE_MEMBERS
        .into_iter()
        .any(|name| members.contains_key(name))
    {
        return Err("a private or symmetric key");
    }
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
fn curve_key(members: &Map<String, Value>) -> Result<(Family, DecodingKey), &'static str> {
    let (family, length) = match text(members, "crv") {
        Some("P-256") => (Family::P256, 32),
        Some("P-384") => (Family::P384, 48),
        Some(_) | None => return Err("a curve that is not known"),
    };
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    if x.len() != length || y.len() != length {
        return Err("a coordinate of the wrong length");
    }
    // SEC 1 section 2.3.3: the uncompressed point.
    let point = [[4].as_slice(), &x, &y].concat();
    Ok((family, DecodingKey::from_ec_der(&point)))
}

/// RFC 8037 section 2.
fn edwards_key(members: &Map<String, Value>) -> Result<(Family, DecodingKey), &'static str> {
    if text(members, "crv") != Some("Ed25519") {
        return Err("a curve that is not known");
    }
    let x = bytes(members, "x")?;
    if x.len() != 32 {
        return Err("a coordinate of the wrong length");
    }
    Ok((Family::Ed25519, DecodingKey::from_ed_der(&x)))
}

/// RFC 7518 section 3.3: 2048 bits at least; an upper bound, because a huge modulus is an attack on our CPU.
fn rsa_key(members: &Map<String, Value>) -> Result<(Family, DecodingKey), &'static str> {
    let (n, e) = (
        unsigned(bytes(members, "n")?),
        unsigned(bytes(members, "e")?),
    );
    if !(2048..=8192).contains(&bits(&n)) {
        return Err("an RSA modulus that is not of 2048 to 8192 bits");
    }
    let odd = e.last().is_some_and(|byte| byte % 2 == 1);
    if !odd || !(2..=33).contains(&bits(&e)) {
        return Err("an RSA exponent that is not usable");
    }
    Ok((Family::Rsa, DecodingKey::from_rsa_raw_components(&n, &e)))
}

fn unsigned(bytes: Vec<u8>) -> Vec<u8> {
    bytes.into_iter().skip_while(|byte| *byte == 0).collect()
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

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    text(members, name)
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or("a member that is missing or not base64url")
}

const MOST_KEYS: usize = 100;
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
