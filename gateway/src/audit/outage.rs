//! What is remembered while records cannot be written. Never decides what happens to a request.

use std::time::{Duration, Instant};

use super::batch::Failure;

/// A time in which nothing could be written.
#[derive(Debug)]
pub(super) struct Outage {
    /// When it began.
    pub(super) since: Instant,
    /// What was the matter last.
    pub(super) cause: Failure,
    passed: u64,
    lost: u64,
}

impl Outage {
    /// One that begins now.
    pub(super) fn now() -> Self {
        Self {
            since: Instant::now(),
            cause: Failure::Closed,
            passed: 0,
            lost: 0,
        }
    }

    /// So many requests passed before their records were written; `lost` of these never will be.
    pub(super) const fn passed(&mut self, calls: u64, lost: u64) {
        self.passed = self.passed.saturating_add(calls);
        self.lost = self.lost.saturating_add(lost);
    }

    /// What there is to say about it when it is over: nothing, when no request passed.
    pub(super) fn end(&self) -> Option<Lapse> {
        (self.passed > 0).then(|| Lapse {
            passed: self.passed,
            lost: self.lost,
            lasted: self.since.elapsed(),
            cause: self.cause,
        })
    }
}

/// Requests passed before their records were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lapse {
    /// How many.
    pub(super) passed: u64,
    /// Of how many of them there is no record.
    pub(super) lost: u64,
    /// For how long nothing could be written.
    pub(super) lasted: Duration,
    /// What was the matter last.
    pub(super) cause: Failure,
}
