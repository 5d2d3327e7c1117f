//! SHA-256 digests of things that must not be kept themselves. Never reversible, never truncated.

use std::fmt;

/// 32 bytes of SHA-256; shown as lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The SHA-256 digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_parts(&[bytes])
    }

    /// The SHA-256 digest of all `parts`, one after the other. The caller separates them.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut context = ring::digest::Context::new(&ring::digest::SHA256);
        for part in parts {
            context.update(part);
        }
        let mut out = [0; 32];
        for (to, from) in out.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(out)
    }

    /// The SHA-256 digest of all `parts`, each with its length, so that no two lists of parts read the same.
    pub fn of_framed(parts: &[&[u8]]) -> Self {
        let lengths: Vec<_> = parts
            .iter()
            .map(|part| (part.len() as u64).to_be_bytes())
            .collect();
        let framed: Vec<&[u8]> = lengths
            .iter()
            .zip(parts)
            .flat_map(|(length, part)| [length.as_slice(), part])
            .collect();
        Self::of_parts(&framed)
    }

    /// A digest that was made elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest that 64 characters of lower-case hexadecimal spell.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut out = [0; 32];
        let mut digits = text.bytes().map(|byte| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        });
        for byte in &mut out {
            *byte = digits.next()?? * 16 + digits.next()??;
        }
        digits.next().is_none().then_some(Self(out))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        assert_eq!(
            Digest::of(b"").to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_digest_is_read_as_it_is_shown_and_in_no_other_way() {
        let digest = Digest::of(b"x");
        let shown = digest.to_string();
        assert_eq!(Digest::from_hex(&shown), Some(digest));
        for bad in [
            shown.to_uppercase(),
            shown.split_at(1).1.to_owned(),
            format!("{shown}0"),
            shown.replace('f', "g"),
            String::new(),
        ] {
            assert_eq!(Digest::from_hex(&bad), None, "{bad}");
        }
    }

    #[test]
    fn x02_no_two_lists_of_framed_parts_read_the_same() {
        let digest = Digest::of_framed;
        assert_ne!(digest(&[b"ab", b"c"]), digest(&[b"a", b"bc"]));
        assert_ne!(digest(&[b"a", b""]), digest(&[b"a"]));
        assert_ne!(digest(&[b"a\0b"]), digest(&[b"a", b"b"]));
        assert_eq!(digest(&[b"a", b"b"]), digest(&[b"a", b"b"]));
    }

    #[test]
    fn parts_digest_as_their_concatenation() {
        assert_eq!(Digest::of_parts(&[b"ab", b"c"]), Digest::of(b"abc"));
    }
}
