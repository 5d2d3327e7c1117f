//! What the verifier found: the sum of it, and each fault with its place. Never text of a record that was not checked for
//! what it is.

use std::path::PathBuf;

use serde::Serialize;

/// What a ledger turned out to be.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whole lines that were read.
    pub records: u64,
    /// Files that were read.
    pub segments: u64,
    /// The number of the first record that is there.
    pub first: Option<u64>,
    /// The number of the last.
    pub last: Option<u64>,
    /// Places where records are missing.
    pub gaps: u64,
    /// How many are missing there.
    pub missing: u64,
    /// Records that are not what was written.
    pub altered: u64,
    /// The last checkpoint that a known key signed.
    pub last_checkpoint: Option<Sealed>,
    /// Records after it, which nothing but the chain holds.
    pub unsealed: u64,
    /// Checkpoints and tombstones in the ledger with a good signature.
    pub checkpoints: u64,
    /// Checkpoints from outside the ledger that it agrees with.
    pub compared: u64,
    /// Checkpoints that somebody kept about records that are not there any more.
    pub too_old: u64,
    /// The last record that was deleted in order, with a signed tombstone.
    pub deleted_to: Option<u64>,
    /// Starts after a crash, as the ledger tells them.
    pub recovered: u64,
    /// Files that end with half a line. No fault: the chain goes on without it.
    pub torn: u64,
    /// Records with an earlier time than the one before. No fault: clocks are set.
    pub clock_steps: u64,
    /// Everything that is wrong, the first hundred.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more_faults: u64,
}

impl Report {
    /// Is nothing wrong?
    pub fn is_good(&self) -> bool {
        self.faults.is_empty()
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        if self.faults.len() < FAULTS {
            self.faults.push(fault);
        } else {
            self.more_faults = self.more_faults.saturating_add(1);
        }
    }
}

/// A checkpoint with a good signature.
#[derive(Debug, Clone, Serialize)]
pub struct Sealed {
    /// The last record that it covers.
    pub seq: u64,
    /// When it was signed, as it says, RFC 3339.
    pub time: Option<String>,
    /// The id of the key.
    pub key: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What it is.
    pub kind: FaultKind,
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 for the file as a whole.
    pub line: u64,
    /// The number of the record.
    pub seq: Option<u64>,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A line is no record in the one form that records have.
    NotARecord,
    /// A record does not have the hash that it names.
    Altered,
    /// A record does not follow the one before it.
    Unlinked,
    /// Records are missing.
    Missing,
    /// A record stands where another should.
    OutOfOrder,
    /// A file does not begin with the record that tells what it is.
    BadSegment,
    /// A checkpoint has no note, or one that cannot be read.
    BadNote,
    /// A note is of no known key.
    UnknownKey,
    /// A note is not what its key signed.
    BadSignature,
    /// A note is about another ledger.
    WrongOrigin,
    /// A key signed that was replaced before.
    RetiredKey,
    /// Another key signs, and the one before did not say so.
    UnannouncedKey,
    /// A new key was named and did not sign, or has another name.
    BrokenRotation,
    /// A checkpoint is about another record than the one before it.
    WrongSize,
    /// A signed checkpoint names another hash: records before it were replaced.
    WrongHead,
    /// A checkpoint from outside covers more records than there are: the end was cut off, or all is an old copy.
    Truncated,
    /// A checkpoint from outside names another hash: this is another ledger, or an old copy that went on.
    Forked,
    /// The first records are missing, and no signed tombstone says that they may.
    NoTombstone,
    /// No signed checkpoint says anything about these records.
    Unsigned,
    /// The second place of checkpoints is missing or unreadable, goes back, or ends before the ledger does.
    SecondPlace,
}

impl FaultKind {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotARecord => "not_a_record",
            Self::Altered => "altered",
            Self::Unlinked => "unlinked",
            Self::Missing => "missing",
            Self::OutOfOrder => "out_of_order",
            Self::BadSegment => "bad_segment",
            Self::BadNote => "bad_note",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::WrongOrigin => "wrong_origin",
            Self::RetiredKey => "retired_key",
            Self::UnannouncedKey => "unannounced_key",
            Self::BrokenRotation => "broken_rotation",
            Self::WrongSize => "wrong_size",
            Self::WrongHead => "wrong_head",
            Self::Truncated => "truncated",
            Self::Forked => "forked",
            Self::NoTombstone => "no_tombstone",
            Self::Unsigned => "unsigned",
            Self::SecondPlace => "second_place",
        }
    }
}

const FAULTS: usize = 100;
