//! Why a record could not be kept. Never says what stood in the record.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::json::EncodeError;
use super::keys::KeyError;
use crate::model::Reason;

/// Why the ledger cannot be opened or did not take a record.
#[derive(Debug, Error)]
pub enum AuditError {
    /// The directory cannot be made or read.
    #[error("cannot use the audit directory `{}`", directory.display())]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process writes records into this directory.
    #[error("the audit directory `{}` is locked by another gateway", directory.display())]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// The record file cannot be opened.
    #[error("cannot open the audit file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A thread of the ledger could not be started.
    #[error("cannot start the audit writer")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
    /// There is no key to sign checkpoints with.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The record has no JSON form.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The record has no place for its number.
    #[error("the audit record has no number")]
    Unnumbered,
    /// More bytes of records wait for the writer than may.
    #[error("the audit queue is full: `{limit}` bytes are waiting")]
    QueueFull {
        /// The limit in bytes.
        limit: usize,
    },
    /// The system refused a write; the ledger keeps trying.
    #[error("cannot write the audit record: {kind}")]
    Write {
        /// What kind of error the system gave.
        kind: io::ErrorKind,
    },
    /// The system did not finish a write in time.
    #[error("the audit record was not written within {wait:?}")]
    TimedOut {
        /// How long the ledger waited.
        wait: Duration,
    },
    /// The ledger is closed or its writer is gone.
    #[error("the audit ledger is closed")]
    Closed,
}

impl AuditError {
    /// What the client is told: always that the record could not be written.
    pub const fn reason(&self) -> Reason {
        Reason::AuditUnavailable
    }
}
