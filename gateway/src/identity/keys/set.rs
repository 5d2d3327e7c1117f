//! A JWK set, read key by key (RFC 7517). Only public keys that can verify a signature are kept; one odd key does
//! not spoil the others, but two of one name spoil the set.

use serde_json::Value;

use super::error::KeySetError;
use super::jwk::{Jwk, JwkFault};
use super::public_key::PublicKey;
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
    ) -> Option<&PublicKey> {
        let named = |key: &&Key| key_id.is_none() || key.id.as_deref() == key_id;
        let mut fitting = self
            .keys
            .iter()
            .filter(named)
            .filter(|key| key.jwk.fits(algorithm));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(key.jwk.public()),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

#[derive(Debug)]
struct Key {
    id: Option<String>,
    jwk: Jwk,
}

impl Key {
    fn read(entry: &Value) -> Result<Self, &'static str> {
        let jwk = Jwk::read(entry).map_err(JwkFault::why)?;
        let id = match entry.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err("a `kid` that is not a string"),
        };
        Ok(Self { id, jwk })
    }

    /// Would a token that names the one also name the other? Keys without a name are never named.
    fn clashes_with(&self, other: &Self) -> bool {
        let one_algorithm = match (self.jwk.algorithm(), other.jwk.algorithm()) {
            (Some(mine), Some(its)) => mine == its,
            (None, _) | (_, None) => true,
        };
        let one_family = self.jwk.family() == other.jwk.family();
        self.id.is_some() && self.id == other.id && one_family && one_algorithm
    }
}

const MOST_KEYS: usize = 100;
