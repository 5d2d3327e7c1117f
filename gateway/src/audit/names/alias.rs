//! What stands for one person in records: a pseudonym, and a key under which other texts about them are sealed. Both are
//! made of one random secret: without it they mean nothing.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;

use crate::model::Digest;

/// One person as records name them.
pub struct Alias {
    pseudonym: Box<str>,
    key: LessSafeKey,
    nonces: hmac::Key,
}

impl Alias {
    /// Of `secret`, 32 random bytes.
    pub(super) fn of(secret: &[u8; 32]) -> Option<Self> {
        let derived = |purpose: &str| hmac::sign(&hmac_key(secret), purpose.as_bytes());
        let name = hexadecimal(derived("gatewright pseudonym").as_ref());
        let name = name.get(..PSEUDONYM_DIGITS)?;
        let sealing = derived("gatewright sealing");
        let key = UnboundKey::new(&AES_256_GCM, sealing.as_ref()).ok()?;
        Some(Self {
            pseudonym: format!("{MARK}{name}").into(),
            key: LessSafeKey::new(key),
            nonces: hmac_key(derived("gatewright nonces").as_ref()),
        })
    }

    /// The name in records: `sealed:` and 32 hexadecimal digits.
    pub fn pseudonym(&self) -> &str {
        &self.pseudonym
    }

    /// `text`, at most 144 bytes of it, for who has the key alone: `sealed:` and base64url. Equal texts of one person are
    /// equal when sealed.
    pub fn seal(&self, text: &str) -> String {
        let mut sealed = shortened(text).into_bytes();
        // No nonce is used for two texts: it is made of the text, as in AES-SIV (RFC 5297).
        let tag = hmac::sign(&self.nonces, &sealed);
        let nonce = first(tag.as_ref());
        let done = self
            .key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .is_ok();
        if !done {
            // Only a text of gigabytes cannot be sealed. It must not be shown all the same.
            sealed.clear();
        }
        let whole: Vec<u8> = nonce.into_iter().chain(sealed).collect();
        format!("{MARK}{}", URL_SAFE_NO_PAD.encode(whole))
    }

    /// What was sealed with the key of this person.
    pub fn open(&self, sealed: &str) -> Option<String> {
        let whole = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(MARK)?).ok()?;
        let (nonce, text) = whole.split_at_checked(NONCE_LEN)?;
        let mut text = text.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self
            .key
            .open_in_place(nonce, Aad::empty(), &mut text)
            .ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alias({})", self.pseudonym)
    }
}

/// How the records of one request name those who made it. What is absent is named as it is.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The subject, where it is a person.
    pub subject: Option<Arc<Alias>>,
    /// The actors of the chain, in its order; absent for the client itself.
    pub actors: Vec<Option<Arc<Alias>>>,
    /// The address that the request came from, sealed.
    pub source: Option<Box<str>>,
    /// The id of the token, sealed.
    pub token_id: Option<Box<str>>,
}

impl Names {
    /// The name of the subject, which is `plain` where it need not be sealed.
    pub fn subject<'a>(&'a self, plain: &'a str) -> &'a str {
        self.subject.as_deref().map_or(plain, Alias::pseudonym)
    }

    /// The name of the actor at `index` of the chain.
    pub fn actor<'a>(&'a self, index: usize, plain: &'a str) -> &'a str {
        let alias = self.actors.get(index).and_then(Option::as_deref);
        alias.map_or(plain, Alias::pseudonym)
    }
}

/// Is it a text that [`Alias`] made?
pub(super) fn is_sealed(text: &str) -> bool {
    text.starts_with(MARK)
}

fn hmac_key(secret: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret)
}

fn hexadecimal(tag: &[u8]) -> String {
    tag.try_into()
        .map_or_else(|_| String::new(), |tag| Digest::from_bytes(tag).to_string())
}

/// What a record has room for once it is sealed.
fn shortened(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let kept = (0..=LONGEST).rev().find_map(|end| text.get(..end));
    format!("{}…(cut)", kept.unwrap_or_default())
}

fn first(tag: &[u8]) -> [u8; NONCE_LEN] {
    let mut nonce = [0; NONCE_LEN];
    for (to, from) in nonce.iter_mut().zip(tag) {
        *to = *from;
    }
    nonce
}

/// The file in which a person stands.
pub(super) fn row_name(issuer: &str, subject: &str) -> Digest {
    let length = (issuer.len() as u64).to_be_bytes();
    Digest::of_parts(&[&length, issuer.as_bytes(), subject.as_bytes()])
}

const MARK: &str = "sealed:";
const PSEUDONYM_DIGITS: usize = 32;
/// In bytes.
const LONGEST: usize = 144;
