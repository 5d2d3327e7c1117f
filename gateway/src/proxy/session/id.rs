//! The names that clients know sessions by: the gateway's own, never a server's. Nothing is said about one that is not
//! spelled as the gateway spells them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};

use crate::model::Digest;

/// A new name: 192 random bits in base64url (RFC 4648 section 5). `None` when the system has no randomness.
pub(super) fn fresh(random: &SystemRandom) -> Option<String> {
    let mut bytes = [0; BYTES];
    random.fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// The key that a session is kept under, if `id` is spelled as one of our names: so the name itself is not kept.
pub(super) fn key(id: &[u8]) -> Option<Digest> {
    let is_ours = id.len() == LENGTH && id.iter().all(|byte| is_of_alphabet(*byte));
    is_ours.then(|| Digest::of(id))
}

const fn is_of_alphabet(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

const BYTES: usize = 24;
const LENGTH: usize = BYTES / 3 * 4;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ring::rand::SystemRandom;

    use super::{LENGTH, fresh, key};

    #[test]
    fn x03_names_are_random_and_long() {
        let random = SystemRandom::new();
        let names: HashSet<_> = (0..1000).map(|_| fresh(&random).unwrap()).collect();
        assert_eq!(names.len(), 1000);
        for name in &names {
            assert_eq!(name.len(), LENGTH);
            assert!(key(name.as_bytes()).is_some(), "{name}");
        }
    }

    #[test]
    fn x04_a_name_in_any_other_spelling_is_not_looked_up() {
        let name = fresh(&SystemRandom::new()).unwrap();
        let bent = [
            String::new(),
            "vs-1&owner=a".to_owned(),
            format!("{name}="),
            format!("{name}\r\n"),
            format!(" {name}"),
            name.split_at(1).1.to_owned(),
            "x".repeat(64 * 1024),
            "\u{e9}".repeat(LENGTH / 2),
            format!("{}+", name.split_at(LENGTH - 1).0),
            format!("{}/", name.split_at(LENGTH - 1).0),
        ];
        for id in bent {
            assert_eq!(key(id.as_bytes()), None, "{id:?}");
        }
    }
}
