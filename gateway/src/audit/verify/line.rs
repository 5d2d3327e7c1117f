//! One line of a ledger as the verifier reads it: what it says of its place in the chain, and what it really hashes to.
//! Never trusts a number before the whole line was read as JSON.

use std::borrow::Cow;

use serde::Deserialize;

use crate::model::Digest;

/// A line in the one form that lines have.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The hash of the record before, as the line says.
    pub(crate) prev: Digest,
    /// Its own hash, as it says.
    pub(crate) hash: Digest,
    /// Its own hash as it is.
    pub(crate) real: Digest,
    pub(crate) facts: Facts<'a>,
}

/// What the verifier needs of a record. A member that comes twice is an error.
#[derive(Debug, Deserialize)]
pub(crate) struct Facts<'a> {
    #[serde(borrow)]
    pub(crate) timestamp: Cow<'a, str>,
    #[serde(borrow)]
    schema: Cow<'a, str>,
    pub(crate) seq: u64,
    #[serde(borrow)]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) action: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) checkpoint: Option<Checkpoint<'a>>,
    #[serde(borrow, default)]
    pub(crate) tombstone: Option<Tombstone<'a>>,
    #[serde(default)]
    pub(crate) segment: Option<Segment>,
    #[serde(borrow)]
    integrity: Integrity<'a>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Checkpoint<'a> {
    #[serde(borrow)]
    pub(crate) note: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tombstone<'a> {
    pub(crate) first: u64,
    pub(crate) last: u64,
    #[serde(borrow)]
    pub(crate) head: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) note: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Segment {
    pub(crate) first: u64,
}

#[derive(Debug, Deserialize)]
struct Integrity<'a> {
    #[serde(borrow)]
    prev: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// Reads a line without its end. Nothing when it is in any other form: printable ASCII, one object, the hashes last.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let is_plain = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        let rest = bytes.strip_suffix(END).filter(|_| is_plain)?;
        let (rest, hash) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        let covered = rest.strip_suffix(HASH)?;
        let before = covered.strip_suffix(b"\"")?;
        let (before, prev) = before.split_at_checked(before.len().checked_sub(DIGITS)?)?;
        before.strip_suffix(PREV)?;
        let (prev, hash) = (str::from_utf8(prev).ok()?, str::from_utf8(hash).ok()?);
        let facts: Facts<'a> = serde_json::from_slice(bytes).ok()?;
        // The last member of the text must be the one that a reader of JSON sees.
        let is_one = facts.integrity.prev == prev && facts.integrity.hash == hash;
        (is_one && facts.schema == SCHEMA).then_some(Self {
            prev: Digest::from_hex(prev)?,
            hash: Digest::from_hex(hash)?,
            real: Digest::of(covered),
            facts,
        })
    }

    /// Is it about what `action` names, as the gateway writes of itself?
    pub(crate) fn is_lifecycle(&self, action: &str) -> bool {
        self.facts.kind == "lifecycle" && self.facts.action.as_deref() == Some(action)
    }
}

const PREV: &[u8] = b",\"integrity\":{\"prev\":\"";
const HASH: &[u8] = b",\"hash\":\"";
const END: &[u8] = br#""}}"#;
/// Of a hash in hexadecimal.
const DIGITS: usize = 64;
const SCHEMA: &str = "gatewright.audit/1";

#[cfg(test)]
mod tests {
    use super::Line;
    use crate::model::Digest;

    fn line(body: &str) -> Vec<u8> {
        let prev = "0".repeat(64);
        let covered = format!("{body},\"integrity\":{{\"prev\":\"{prev}\"");
        let hash = Digest::of(covered.as_bytes());
        format!("{covered},\"hash\":\"{hash}\"}}}}").into_bytes()
    }

    const BODY: &str = r#"{"timestamp":"t","schema":"gatewright.audit/1","seq":7,"kind":"authn""#;

    #[test]
    fn a_line_is_read_with_its_place_and_its_hash() {
        let bytes = line(BODY);
        let read = Line::parse(&bytes).unwrap();
        assert_eq!((read.facts.seq, &*read.facts.kind), (7, "authn"));
        assert_eq!(read.hash, read.real);
        let mut other = bytes.clone();
        other[14] = b'u';
        let read = Line::parse(&other).unwrap();
        assert_ne!(read.hash, read.real, "another byte, another hash");
    }

    #[test]
    fn a02_what_looks_like_a_record_inside_a_value_is_text() {
        let inner = r#"\"},\"kind\":\"checkpoint\",\"seq\":1,\"integrity\":{\"prev\":\"\"}"#;
        let bytes = line(&format!("{BODY},\"sub\":\"{inner}\""));
        let read = Line::parse(&bytes).unwrap();
        assert_eq!((read.facts.seq, &*read.facts.kind), (7, "authn"));
    }

    #[test]
    fn a02_a_line_in_any_other_form_is_no_record() {
        let good = String::from_utf8(line(BODY)).unwrap();
        let nested = good.replace(r#","integrity""#, r#","a":{"b":1,"integrity""#);
        for bad in [
            String::new(),
            "{}".to_owned(),
            good.replace(r#""seq":7"#, r#""seq":7,"seq":8"#),
            good.replace(r#""kind":"authn""#, r#""kind":"authn","kind":"checkpoint""#),
            good.replace(r#""seq":7"#, r#""seq":-7"#),
            good.replace(r#","integrity":"#, r#", "integrity":"#),
            good.replace("audit/1", "audit/2"),
            good.replace("\"t\"", "\"\u{e9}\""),
            good.replace(r#"{"prev""#, r#"{"x":1,"prev""#),
            format!("{good} "),
            format!("{good}{good}"),
            format!("{nested}}}"),
            nested,
            good.to_uppercase(),
        ] {
            assert!(Line::parse(bad.as_bytes()).is_none(), "{bad}");
        }
        assert!(Line::parse(good.as_bytes()).is_some());
    }
}
