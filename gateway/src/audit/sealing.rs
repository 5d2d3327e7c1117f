//! Where signed checkpoints come from. Never writes into the ledger itself.

use crate::model::{Digest, UnixTime};

/// The end of a chain of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The number of the last record; 0 when there is none.
    pub(crate) seq: u64,
    /// The hash of the last record; zeros when there is none.
    pub(crate) hash: Digest,
}

impl Head {
    /// The head of a ledger without records.
    pub(crate) const START: Self = Self {
        seq: 0,
        hash: Digest::from_bytes([0; 32]),
    };
}

/// Why the writer asks for a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Records were written, or time went by: a note when one is due.
    Passing,
    /// The segment ends here: always a note.
    End,
    /// The records `first` to `last` are about to be deleted: always a note, which names them.
    Deletion {
        /// The first record that goes.
        first: u64,
        /// The last record that goes.
        last: u64,
    },
}

/// The text of a C2SP signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note(pub(crate) String);

/// Signs what the writer wrote. The writer's thread asks it, after the records that `head` names were written.
#[derive(Debug, Default)]
pub(crate) struct Sealer {}

impl Sealer {
    /// A note about everything up to `head`, if `occasion` calls for one.
    #[expect(
        clippy::unused_self,
        clippy::needless_pass_by_ref_mut,
        reason = "keys and counts belong here"
    )]
    pub(crate) fn seal(&mut self, head: Head, now: UnixTime, occasion: Occasion) -> Option<Note> {
        let _ = (head, now, occasion);
        None
    }
}
