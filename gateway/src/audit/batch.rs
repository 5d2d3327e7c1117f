//! Records that share a write, and those who wait for it. Never tells two ends.

use std::io;
use std::sync::OnceLock;

use tokio::sync::Notify;

/// Why a record was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The system refused.
    Write(io::ErrorKind),
    /// The system did not answer.
    TimedOut,
    /// There is nobody who writes.
    Closed,
}

/// Lines that share a write. All who wait for one of them learn of it at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    end: OnceLock<Result<(), Failure>>,
    ended: Notify,
}

impl Batch {
    /// Resolves once the batch was written, or was given up.
    pub(super) async fn written(&self) -> Result<(), Failure> {
        // Made before the look, so that an end between the look and the wait still wakes it.
        let ended = self.ended.notified();
        if let Some(end) = self.end.get() {
            return *end;
        }
        ended.await;
        // The writer wakes one, who wakes the rest from inside the runtime: that spares a switch of threads for each.
        self.ended.notify_waiters();
        self.end.get().copied().unwrap_or(Err(Failure::Closed))
    }

    /// The first end counts.
    pub(super) fn end(&self, end: Result<(), Failure>) {
        if self.end.set(end).is_ok() {
            self.ended.notify_one();
        }
    }
}
