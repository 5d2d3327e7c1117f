//! What every sink can do: take a batch of lines. A shipper neither waits before the next attempt nor counts; whoever
//! calls it does.

use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use super::line::Line;

/// Brings lines to one place. Contract, held for each implementation by the tests in `contract.rs`: what is answered
/// with `Ok` is there, in order; after an error the same lines come again, and whatever of them is there already is no
/// fault; no line is changed.
#[async_trait]
pub(super) trait Shipper: Send + Sync {
    /// Resolves once the destination has acknowledged all of `batch`, which is not empty.
    async fn ship(&mut self, batch: &[Line]) -> Result<Receipt, ShipError>;
}

/// What the destination said of a batch that it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use]
pub(super) struct Receipt {
    /// How many of the records it threw away for good, and told us not to send again.
    pub(super) rejected: u64,
}

/// Why a batch is not there, as far as is known. Says nothing of what stood in it, and no word of the destination.
#[derive(Debug, Error)]
pub(crate) enum ShipError {
    /// Nobody was reached, or the connection broke.
    #[error("the destination cannot be reached: {0}")]
    Unreachable(String),
    /// No answer came in time.
    #[error("the destination did not answer within {0:?}")]
    TimedOut(Duration),
    /// The destination asks for patience.
    #[error("the destination cannot take it now (status {status})")]
    Busy {
        /// The HTTP status.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The batch is more than the destination takes at once.
    #[error("the destination takes no batch of this size")]
    TooLarge,
    /// The destination will not take it until somebody changes something.
    #[error("the destination refuses: {0}")]
    Refused(String),
    /// The ledger's own files, or a file with a secret, cannot be read.
    #[error("a file cannot be read: {0}")]
    Unreadable(String),
}

/// [`ShipError`] without its details: a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// See [`ShipError::Unreachable`].
    Unreachable,
    /// See [`ShipError::TimedOut`].
    TimedOut,
    /// See [`ShipError::Busy`].
    Busy,
    /// See [`ShipError::TooLarge`].
    TooLarge,
    /// See [`ShipError::Refused`].
    Refused,
    /// See [`ShipError::Unreadable`].
    Unreadable,
}

impl FailureKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 6] = [
        Self::Unreachable,
        Self::TimedOut,
        Self::Busy,
        Self::TooLarge,
        Self::Refused,
        Self::Unreadable,
    ];

    /// As a label.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Busy => "busy",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

impl ShipError {
    /// Which kind it is.
    pub(crate) const fn kind(&self) -> FailureKind {
        match self {
            Self::Unreachable(_) => FailureKind::Unreachable,
            Self::TimedOut(_) => FailureKind::TimedOut,
            Self::Busy { .. } => FailureKind::Busy,
            Self::TooLarge => FailureKind::TooLarge,
            Self::Refused(_) => FailureKind::Refused,
            Self::Unreadable(_) => FailureKind::Unreadable,
        }
    }
}
