//! A record as one line of ASCII-only JSON, open where its number and its place in the chain go. Never more than one
//! line, whatever the record says.

use serde::Serialize;

use super::error::AuditError;
use super::json;

/// The bytes of one record before the ledger has numbered it.
#[derive(Debug)]
pub(super) struct Line {
    /// Without the brace that closes it.
    bytes: Vec<u8>,
    before: usize,
}

impl Line {
    /// Encodes `record`. Its `seq` must be 0.
    pub(super) fn of(record: &impl Serialize) -> Result<Self, AuditError> {
        let mut bytes = Vec::with_capacity(USUAL);
        json::write(record, &mut bytes)?;
        bytes.pop();
        // Within a string the quotes would be escaped, and no object stands before the number: the first is the one.
        let Some(at) = memchr::memmem::find(&bytes, SEQ) else {
            return Err(AuditError::Unnumbered);
        };
        let before = at.saturating_add(SEQ.len()).saturating_sub(PLACE.len());
        Ok(Self { bytes, before })
    }

    /// How many bytes it takes until it is written.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What stands before its number and after it.
    pub(super) fn open(&self) -> Open<'_> {
        Open::new(&self.bytes, self.before)
    }
}

/// A line that lacks its number and its place in the chain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open<'a> {
    /// Up to the number.
    pub(super) before: &'a [u8],
    /// From behind the number up to the brace that closes the record.
    pub(super) after: &'a [u8],
}

impl<'a> Open<'a> {
    fn new(bytes: &'a [u8], before: usize) -> Self {
        let (before, after) = bytes.split_at_checked(before).unwrap_or((bytes, &[]));
        let after = after.strip_prefix(PLACE).unwrap_or(after);
        Self { before, after }
    }
}

/// Open lines in one piece of memory, in their order.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    /// How long each is, and where its number goes.
    marks: Vec<(usize, usize)>,
}

impl Lines {
    /// Puts `line` behind the others.
    pub(super) fn push(&mut self, line: &Line) {
        self.bytes.extend_from_slice(&line.bytes);
        self.marks.push((line.bytes.len(), line.before));
    }

    /// How many bytes they are together.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// None at all?
    pub(super) const fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Forgets them, and keeps at most `kept` bytes of the memory.
    pub(super) fn clear(&mut self, kept: usize) {
        self.bytes.clear();
        self.bytes.shrink_to(kept);
        self.marks.clear();
        self.marks.shrink_to(kept / USUAL);
    }

    /// One after the other.
    pub(super) fn iter(&self) -> impl Iterator<Item = Open<'_>> {
        let mut rest = self.bytes.as_slice();
        self.marks.iter().map(move |(length, before)| {
            let (line, behind) = rest.split_at_checked(*length).unwrap_or((rest, &[]));
            rest = behind;
            Open::new(line, *before)
        })
    }
}

const SEQ: &[u8] = br#","seq":0"#;
const PLACE: &[u8] = b"0";
const USUAL: usize = 2048;
