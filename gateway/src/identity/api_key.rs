//! Keys of the gateway's own: made, hashed and verified here. Never keeps a key, never compares one but in constant time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

use super::credential::{API_KEY_PREFIX, RawToken};
use super::error::Unverified;
use super::principal::{Unbound, of_api_key};
use super::settings::{ApiKeyRow, ApiKeySettings};
use crate::model::{Digest, Secret, UnixTime};

/// How long the key of the hash must be, in bytes.
pub const SHORTEST_HASH_KEY: usize = 32;

/// A key that was just made. It is shown once and kept nowhere.
#[derive(Debug)]
pub struct NewKey {
    /// The part that finds its row.
    pub id: String,
    /// The whole key.
    pub key: Secret<String>,
}

impl NewKey {
    /// `gwk_<id>_<secret>`: 12 characters that find the row, and 256 random bits. `None` when the system has no
    /// randomness.
    pub fn make() -> Option<Self> {
        let id = random_id()?;
        let secret = random_text()?;
        let key = Secret::new(format!("{API_KEY_PREFIX}{id}_{secret}"));
        Some(Self { id, key })
    }

    /// What its row keeps of it.
    pub fn hash(&self, hash_key: &Secret<String>) -> Digest {
        hash(self.key.expose(), hash_key)
    }
}

/// 32 random bytes as text: the secret of a key, or the key of the hash.
pub fn random_text() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether `text` can be the id of a key.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_CHARACTERS && text.bytes().all(|byte| ALPHABET.contains(&byte))
}

/// The principal of a key of this server. A key that is good and too late is told so; any other is told nothing.
pub(super) fn verify(
    presented: &RawToken,
    keys: &ApiKeySettings,
    now: UnixTime,
) -> Result<Unbound, Unverified> {
    let text = presented.expose();
    let row = id(text).and_then(|id| keys.rows.iter().find(|row| row.id == id));
    // A key without a row costs what any other does.
    let expected = row.map_or(NOTHING, |row| *row.hash.as_bytes());
    let proven = hmac::verify(&key(&keys.hash_key), text.as_bytes(), &expected);
    let (Some(row), Ok(())) = (row, proven) else {
        return Err(Unverified::BadApiKey);
    };
    let sunset = sunset(row, keys);
    if now >= sunset {
        return Err(Unverified::Sunset { at: sunset });
    }
    Ok(of_api_key(row, sunset))
}

/// The end of a key: its own or the server's, whichever comes first.
pub fn sunset(row: &ApiKeyRow, keys: &ApiKeySettings) -> UnixTime {
    row.sunset.map_or(keys.sunset, |own| own.min(keys.sunset))
}

/// The id in a key, if it has the form of one.
fn id(key: &str) -> Option<&str> {
    let (id, secret) = key.strip_prefix(API_KEY_PREFIX)?.split_once('_')?;
    let is_secret = URL_SAFE_NO_PAD
        .decode(secret)
        .is_ok_and(|bytes| bytes.len() == SECRET_BYTES);
    (is_id(id) && is_secret).then_some(id)
}

fn hash(text: &str, hash_key: &Secret<String>) -> Digest {
    let tag = hmac::sign(&key(hash_key), text.as_bytes());
    let mut bytes = NOTHING;
    for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    Digest::from_bytes(bytes)
}

fn key(hash_key: &Secret<String>) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, hash_key.expose().as_bytes())
}

/// Bytes that would favour a character are thrown away.
fn random_id() -> Option<String> {
    let (random, mut id) = (SystemRandom::new(), String::new());
    while id.len() < ID_CHARACTERS {
        let mut byte = [0];
        random.fill(&mut byte).ok()?;
        let [byte] = byte;
        let fair = usize::from(byte) < 256 / ALPHABET.len() * ALPHABET.len();
        let character = ALPHABET.get(usize::from(byte) % ALPHABET.len());
        id.extend(character.filter(|_| fair).map(|one| char::from(*one)));
    }
    Some(id)
}

const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const ID_CHARACTERS: usize = 12;
const SECRET_BYTES: usize = 32;
const NOTHING: [u8; 32] = [0; 32];
