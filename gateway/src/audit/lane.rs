//! What stands between requests and the one writer: a bounded buffer of lines in their order and those who wait for
//! them. Never writes, never drops a line that it has taken.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::batch::{Batch, Failure};
use super::line::{Line, Lines};
use super::outage::Outage;
use queue::{Queue, Wanted, Writer};

/// How a line is to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Somebody waits for it.
    Now,
    /// It may linger for a moment to share a write.
    Soon,
    /// It is about a stranger: it may be lost, and is counted then.
    Stranger,
}

/// The buffer and its writer's state.
#[derive(Debug)]
pub(super) struct Lane {
    queue: Mutex<Queue>,
    writer: Condvar,
    watch: Condvar,
    limit: usize,
    /// For how long requests pass while nothing can be written.
    leniency: Duration,
}

impl Lane {
    /// A lane that holds at most `limit` bytes, and lets requests pass for `leniency` when nothing can be written.
    pub(super) fn new(limit: usize, leniency: Duration) -> Self {
        Self {
            queue: Mutex::default(),
            writer: Condvar::new(),
            watch: Condvar::new(),
            limit,
            leniency,
        }
    }

    /// Puts `line` behind the others; the batch tells when it is written. Without a batch there is nothing to wait for.
    pub(super) fn push(
        &self,
        line: &Line,
        urgency: Urgency,
    ) -> Result<Option<Arc<Batch>>, Refusal> {
        let mut queue = self.lock();
        if urgency == Urgency::Now && queue.is_lenient(self.leniency) {
            return self.push_leniently(queue, line).map(|()| None);
        }
        if let Err(refusal) = queue.admits(line.len(), urgency, self.limit) {
            queue.lost = queue
                .lost
                .saturating_add(u64::from(urgency == Urgency::Stranger));
            return Err(refusal);
        }
        queue.add(line);
        match urgency {
            Urgency::Now => queue.wanted.get_or_insert_with(Wanted::now).add(),
            Urgency::Soon => {}
            Urgency::Stranger => {
                queue.stranger_bytes = queue.stranger_bytes.saturating_add(line.len());
            }
        }
        let batch = Arc::clone(&queue.batch);
        if urgency != Urgency::Now {
            self.rouse(queue);
        }
        Ok(Some(batch))
    }

    /// The request passes; its record is written later if there is room for it.
    fn push_leniently(&self, mut queue: MutexGuard<'_, Queue>, line: &Line) -> Result<(), Refusal> {
        if queue.closing {
            return Err(Refusal::Failed(Failure::Closed));
        }
        let has_room = queue.has_room(line.len(), self.limit);
        if has_room {
            queue.add(line);
        } else {
            queue.unrecorded = queue.unrecorded.saturating_add(1);
        }
        if let Some(outage) = &mut queue.outage {
            outage.passed(1, u64::from(!has_room));
        }
        Ok(())
    }

    /// Sends the writer to `batch` if it has not begun with it. That is the part of those who push for
    /// `Urgency::Now`, so that others may push before and share the write.
    pub(super) fn nudge(&self, batch: &Arc<Batch>) {
        let mut queue = self.lock();
        if Arc::ptr_eq(&queue.batch, batch) {
            queue.due = true;
            self.rouse(queue);
        }
    }

    fn rouse(&self, mut queue: MutexGuard<'_, Queue>) {
        let asleep = match queue.writer {
            Writer::Idle => !queue.lines.is_empty(),
            Writer::Lingering => queue.is_due(self.limit),
            Writer::Awake => false,
        };
        if asleep {
            queue.writer = Writer::Awake;
            drop(queue);
            self.writer.notify_one();
        }
    }

    /// Waits for lines and moves them all into `out`, which is empty. After `patience` without any it says so.
    pub(super) fn take(&self, out: &mut Lines, patience: Duration) -> Taken {
        let mut queue = self.lock();
        if !queue.is_due(self.limit) {
            queue.writer = Writer::Lingering;
            let waited = self
                .writer
                .wait_timeout_while(queue, LINGER, |queue| !queue.is_due(self.limit));
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if queue.lines.is_empty() && !queue.closing {
            queue.writer = Writer::Idle;
            let waited = self.writer.wait_timeout_while(queue, patience, |queue| {
                queue.lines.is_empty() && !queue.closing
            });
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            queue.writer = Writer::Awake;
            if queue.lines.is_empty() && !queue.closing {
                return Taken::Nothing;
            }
            drop(queue);
            // Others may be about to share the write.
            return self.take(out, patience);
        }
        queue.writer = Writer::Awake;
        if queue.lines.is_empty() {
            return Taken::Closed;
        }
        std::mem::swap(&mut queue.lines, out);
        queue.held = out.len();
        queue.stranger_bytes = 0;
        queue.due = false;
        let batch = std::mem::take(&mut queue.batch);
        queue.writing = queue
            .wanted
            .take()
            .map(|wanted| (Arc::clone(&batch), wanted));
        Taken::Batch(batch)
    }

    /// What was taken is written: everything is well again. Returns what went wrong until now.
    pub(super) fn written(&self, batch: &Batch) -> Option<Outage> {
        let mut queue = self.lock();
        queue.held = 0;
        queue.writing = None;
        let outage = queue.outage.take();
        drop(queue);
        batch.end(Ok(()));
        outage
    }

    /// A record could be written now. Returns what went wrong until now.
    pub(super) fn mended(&self) -> Option<Outage> {
        self.lock().outage.take()
    }

    /// What was taken could not be written. The writer keeps it; whoever waits is told.
    pub(super) fn failed(&self, kind: io::ErrorKind) {
        self.give_up(self.lock(), Failure::Write(kind));
    }

    /// Waits for `pause` or until the lane closes. Is it still open?
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let queue = self.lock();
        let waited = self
            .writer
            .wait_timeout_while(queue, pause, |queue| !queue.closing);
        !waited.unwrap_or_else(PoisonError::into_inner).0.closing
    }

    /// Gives up whatever has been waited for longer than `wait`, until the lane closes.
    pub(super) fn watch(&self, wait: Duration) {
        let mut queue = self.lock();
        let pause = (wait / LOOKS).max(Duration::from_millis(1));
        while !queue.closing {
            let waited = self.watch.wait_timeout(queue, pause);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            let since = queue
                .writing
                .as_ref()
                .map(|(_, wanted)| wanted)
                .or(queue.wanted.as_ref());
            if since.is_some_and(|wanted| wanted.since.elapsed() >= wait) {
                self.give_up(queue, Failure::TimedOut);
                queue = self.lock();
            }
        }
    }

    /// Takes no more lines; those that wait are still written. Returns when the writer is gone, or after `wait`.
    pub(super) fn close(&self, wait: Duration) {
        let mut queue = self.lock();
        queue.closing = true;
        self.writer.notify_all();
        self.watch.notify_all();
        // A write that never returns must not keep the process alive.
        let _ = self
            .watch
            .wait_timeout_while(queue, wait, |queue| !queue.gone);
    }

    /// Nobody will write any more: whoever waits is told.
    pub(super) fn writer_gone(&self) {
        let mut queue = self.lock();
        queue.closing = true;
        queue.gone = true;
        self.give_up(queue, Failure::Closed);
        self.watch.notify_all();
    }

    /// How many records about strangers were not kept.
    pub(super) fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// How many lines were taken so far.
    pub(super) fn taken(&self) -> u64 {
        self.lock().taken
    }

    /// How many requests passed of which there will be no record.
    pub(super) fn unrecorded(&self) -> u64 {
        self.lock().unrecorded
    }

    /// How many bytes are not written yet.
    pub(super) fn waiting_bytes(&self) -> usize {
        let queue = self.lock();
        queue.lines.len().saturating_add(queue.held)
    }

    /// What happens to a request that comes now.
    pub(super) fn standing(&self) -> Standing {
        let queue = self.lock();
        if queue.closing {
            return Standing::Failing;
        }
        match queue.outage {
            None => Standing::Well,
            Some(_) if queue.is_lenient(self.leniency) => Standing::Continuing,
            Some(_) => Standing::Failing,
        }
    }

    /// Notes the failure and tells whoever waits. The lines stay.
    fn give_up(&self, mut queue: MutexGuard<'_, Queue>, failure: Failure) {
        let mut outage = queue.outage.take().unwrap_or_else(Outage::now);
        outage.cause = failure;
        let is_lenient = outage.since.elapsed() < self.leniency && !queue.gone;
        let (under_way, waiting) = queue.writing.take().unzip();
        let waiting = waiting.into_iter().chain(queue.wanted.take());
        if is_lenient {
            waiting.for_each(|wanted| outage.passed(wanted.calls, 0));
        }
        queue.outage = Some(outage);
        let behind = std::mem::take(&mut queue.batch);
        drop(queue);
        let end = if is_lenient { Ok(()) } else { Err(failure) };
        for batch in under_way.into_iter().chain([behind]) {
            batch.end(end);
        }
    }

    /// Every change under the lock leaves the queue whole, so a panic elsewhere is no reason to distrust it.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a line was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no room for it.
    Full,
    /// It would not be written.
    Failed(Failure),
}

/// What happens to a record that comes now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is kept.
    Well,
    /// It is kept elsewhere, because its own place takes none.
    Spilling,
    /// Its request passes, although nothing can be kept.
    Continuing,
    /// Its request is refused.
    Failing,
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 4] = [Self::Well, Self::Spilling, Self::Continuing, Self::Failing];

    /// Its name in metrics and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "well",
            Self::Spilling => "spilling",
            Self::Continuing => "continuing",
            Self::Failing => "failing",
        }
    }
}

/// What the writer found.
#[derive(Debug)]
pub(super) enum Taken {
    /// Lines to write.
    Batch(Arc<Batch>),
    /// No lines for a while.
    Nothing,
    /// No lines any more.
    Closed,
}

/// Short enough that a line nobody waits for is written within 10 ms.
const LINGER: Duration = Duration::from_millis(8);
/// How often the watch looks while the longest wait passes.
const LOOKS: u32 = 4;

mod queue;
#[cfg(test)]
mod tests;
