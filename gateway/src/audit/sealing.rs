//! Where signed checkpoints come from. Never writes into the ledger itself.

use serde::Serialize;

use super::checkpoint::{Checkpoints, Signer};
use super::keys::KeyError;
use super::settings::CheckpointSettings;
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Note(pub(crate) String);

/// Signs what the writer wrote. The writer's thread asks it, after the records that `head` names were written.
#[derive(Debug, Default)]
pub(crate) struct Sealer(Option<Signer>);

impl Sealer {
    /// With the key that the settings name.
    pub(crate) fn open(settings: &CheckpointSettings) -> Result<Self, KeyError> {
        Signer::open(settings).map(|signer| Self(Some(signer)))
    }

    /// What the rest of the gateway sees of it.
    pub(crate) fn checkpoints(&self) -> Checkpoints {
        self.0
            .as_ref()
            .map_or_else(Checkpoints::default, Signer::checkpoints)
    }

    /// A note about everything up to `head`, if `occasion` calls for one.
    pub(crate) fn seal(&mut self, head: Head, now: UnixTime, occasion: Occasion) -> Option<Note> {
        self.0.as_mut()?.seal(head, now, occasion)
    }

    /// The note that was given last is in the ledger.
    pub(crate) fn kept(&mut self) {
        if let Some(signer) = &mut self.0 {
            signer.kept();
        }
    }
}
