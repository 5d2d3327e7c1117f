//! What the lane holds. Every change leaves it whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Batch, Failure, Line, Lines, Outage, Refusal, Urgency};

#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) lines: Lines,
    /// Bytes that the writer holds and has not written yet.
    pub(super) held: usize,
    pub(super) stranger_bytes: usize,
    pub(super) taken: u64,
    pub(super) lost: u64,
    pub(super) batch: Arc<Batch>,
    /// Who waits for `batch`.
    pub(super) wanted: Option<Wanted>,
    /// Whether it must be written now.
    pub(super) due: bool,
    /// What the writer writes right now, and who waits for it.
    pub(super) writing: Option<(Arc<Batch>, Wanted)>,
    pub(super) writer: Writer,
    pub(super) outage: Option<Outage>,
    pub(super) unrecorded: u64,
    pub(super) closing: bool,
    pub(super) gone: bool,
}

/// That somebody waits.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Since when.
    pub(super) since: Instant,
    /// How many.
    pub(super) calls: u64,
}

impl Wanted {
    pub(super) fn now() -> Self {
        Self {
            since: Instant::now(),
            calls: 0,
        }
    }

    pub(super) const fn add(&mut self) {
        self.calls = self.calls.saturating_add(1);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Writer {
    /// Sleeps until woken.
    Idle,
    /// Sleeps for a moment, to find more lines that nobody waits for.
    Lingering,
    /// Comes back by itself.
    #[default]
    Awake,
}

impl Queue {
    pub(super) fn add(&mut self, line: &Line) {
        self.lines.push(line);
        self.taken = self.taken.saturating_add(1);
    }

    /// Do requests pass although nothing can be written?
    pub(super) fn is_lenient(&self, leniency: Duration) -> bool {
        let outage = self.outage.as_ref();
        outage.is_some_and(|outage| outage.since.elapsed() < leniency)
    }

    pub(super) fn has_room(&self, length: usize, limit: usize) -> bool {
        let waiting = self.lines.len().saturating_add(self.held);
        waiting.saturating_add(length) <= limit
    }

    pub(super) fn admits(
        &self,
        length: usize,
        urgency: Urgency,
        limit: usize,
    ) -> Result<(), Refusal> {
        if self.closing {
            return Err(Refusal::Failed(Failure::Closed));
        }
        // An outcome waits until writing works again; a request must not, and a stranger has no claim.
        if let (Some(outage), Urgency::Now | Urgency::Stranger) = (&self.outage, urgency) {
            return Err(Refusal::Failed(outage.cause));
        }
        let share = limit / STRANGERS_SHARE;
        if urgency == Urgency::Stranger && self.stranger_bytes.saturating_add(length) > share {
            return Err(Refusal::Full);
        }
        if !self.has_room(length, limit) {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Must the writer write now?
    pub(super) fn is_due(&self, limit: usize) -> bool {
        self.due || self.closing || self.lines.len() > limit / 2
    }
}

/// Strangers may fill this part of the queue, an eighth.
const STRANGERS_SHARE: usize = 8;
