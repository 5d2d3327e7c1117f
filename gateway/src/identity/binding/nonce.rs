//! Nonces for proofs (RFC 9449 section 8). Nothing is stored: a nonce is a MAC over a span of time, and all that have
//! the key know all nonces. Never says how old a nonce of another key is.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac::{self, HMAC_SHA256, Key};
use ring::rand::{SecureRandom, SystemRandom};

use crate::model::{Secret, UnixTime};

/// A key that nonces are made with.
#[derive(Clone)]
pub struct NonceKey(Key);

/// The system has no randomness to make a key of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

impl NonceKey {
    /// A key that only this process has.
    pub fn random() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 32];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| NoRandomness)?;
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    /// The key that all who know `secret` have.
    pub(super) fn shared(secret: &Secret<String>) -> Self {
        let secret = Key::new(HMAC_SHA256, secret.expose().as_bytes());
        Self(Key::new(HMAC_SHA256, hmac::sign(&secret, PURPOSE).as_ref()))
    }

    /// The nonce to give out now.
    pub(super) fn nonce(&self, now: UnixTime) -> String {
        self.of(Span::at(now))
    }

    /// The span that `nonce` was given out in, if it is good now: this one or the last.
    pub(super) fn span_of(&self, nonce: &str, now: UnixTime) -> Option<Span> {
        let present = Span::at(now);
        // Everybody is given the same nonce: there is nothing to find out from how long a comparison takes.
        [Some(present), present.before()]
            .into_iter()
            .flatten()
            .find(|span| self.of(*span) == nonce)
    }

    fn of(&self, span: Span) -> String {
        let tag = hmac::sign(&self.0, &span.0.to_be_bytes());
        let cut: Vec<u8> = tag.as_ref().iter().copied().take(LENGTH).collect();
        URL_SAFE_NO_PAD.encode(cut)
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NonceKey(..)")
    }
}

/// A span of time in which one nonce is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(u64);

impl Span {
    pub(super) const fn at(time: UnixTime) -> Self {
        Self(time.seconds() / LENGTH_OF_SPAN.as_secs())
    }

    /// When it begins.
    pub(super) const fn begins(self) -> UnixTime {
        UnixTime::from_seconds(self.0.saturating_mul(LENGTH_OF_SPAN.as_secs()))
    }

    fn before(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// What the key is derived for, so that a secret that also serves for something else gives nothing away here.
const PURPOSE: &[u8] = b"gatewright dpop nonce 1";
/// Bytes of a nonce.
const LENGTH: usize = 16;
const LENGTH_OF_SPAN: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{NonceKey, Span};
    use crate::model::{Secret, UnixTime};

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn shared(text: &str) -> NonceKey {
        NonceKey::shared(&Secret::new(text.to_owned()))
    }

    #[test]
    fn d10a_a_nonce_is_good_in_its_span_and_the_next() {
        let key = NonceKey::random().unwrap();
        let begin = Span::at(NOW).begins();
        let nonce = key.nonce(begin);
        assert_eq!(nonce.len(), 22);
        let at = |seconds| key.span_of(&nonce, begin.plus(Duration::from_secs(seconds)));
        assert_eq!(at(0), Some(Span::at(begin)));
        assert_eq!(at(119), Some(Span::at(begin)));
        assert_eq!(at(120), Some(Span::at(begin)));
        assert_eq!(at(239), Some(Span::at(begin)));
        assert_eq!(at(240), None);
        assert_ne!(key.nonce(begin.plus(Duration::from_secs(120))), nonce);
        let early = begin.plus(Duration::from_secs(120));
        let next = key.nonce(early);
        assert_eq!(key.span_of(&next, begin), None, "one of the future");
    }

    #[test]
    fn d10a_replicas_with_one_key_take_each_others_nonces_and_nobody_else_guesses_them() {
        let (one, two) = (
            shared("the secret of the replicas"),
            shared("the secret of the replicas"),
        );
        assert_eq!(two.span_of(&one.nonce(NOW), NOW), Some(Span::at(NOW)));
        for stranger in [shared("another secret"), NonceKey::random().unwrap()] {
            assert_eq!(stranger.span_of(&one.nonce(NOW), NOW), None);
            assert_ne!(stranger.nonce(NOW), one.nonce(NOW));
        }
        let nonce = one.nonce(NOW);
        for bent in [
            "",
            nonce.split_at(1).1,
            nonce.split_at(21).0,
            &format!("{nonce}A"),
            &nonce.to_lowercase(),
        ] {
            assert!(one.span_of(bent, NOW).is_none(), "{bent}");
        }
        assert_eq!(format!("{one:?}"), "NonceKey(..)");
    }
}
