//! A record as one line of ASCII-only JSON, with a gap where its number goes. Never more than one line, whatever the
//! record says.

use std::io;

use super::error::AuditError;
use super::event::Event;
use super::json;

/// The bytes of one record before the ledger has numbered it.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Vec<u8>,
    before: usize,
}

impl Line {
    /// Encodes `event`. Its `seq` must be 0.
    pub(super) fn of(event: &Event<'_>) -> Result<Self, AuditError> {
        let mut bytes = Vec::with_capacity(USUAL);
        json::write(event, &mut bytes)?;
        bytes.push(b'\n');
        // Within a string the quotes would be escaped, and no object stands before the number: the first is the one.
        let Some(at) = memchr::memmem::find(&bytes, SEQ) else {
            return Err(AuditError::Unnumbered);
        };
        let before = at.saturating_add(SEQ.len()).saturating_sub(PLACE.len());
        Ok(Self { bytes, before })
    }

    /// How many bytes it takes at most, once numbered.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_add(DIGITS)
    }

    /// Appends the line to `out` as number `seq`.
    pub(super) fn write(&self, seq: u64, out: &mut Vec<u8>) {
        let (before, after) = self
            .bytes
            .split_at_checked(self.before)
            .unwrap_or((&self.bytes, &[]));
        out.extend_from_slice(before);
        // Writing to memory cannot fail.
        let _ = io::Write::write_fmt(out, format_args!("{seq}"));
        out.extend_from_slice(after.strip_prefix(PLACE).unwrap_or(after));
    }
}

const SEQ: &[u8] = br#","seq":0"#;
const PLACE: &[u8] = b"0";
const DIGITS: usize = 20;
const USUAL: usize = 2048;
