//! What stands between requests and the one writer: a bounded buffer of numbered lines and those who wait for them.
//! Never writes, never drops a line that it has numbered.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::line::Line;

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
    fn end(&self, end: Result<(), Failure>) {
        if self.end.set(end).is_ok() {
            self.ended.notify_one();
        }
    }
}

/// The buffer and its writer's state.
#[derive(Debug)]
pub(super) struct Lane {
    queue: Mutex<Queue>,
    writer: Condvar,
    watch: Condvar,
    limit: usize,
}

#[derive(Debug)]
struct Queue {
    bytes: Vec<u8>,
    /// Bytes that the writer holds and has not written yet.
    held: usize,
    stranger_bytes: usize,
    next: u64,
    lost: u64,
    batch: Arc<Batch>,
    /// Since when somebody waits for `batch`.
    wanted: Option<Instant>,
    /// Whether it must be written now.
    due: bool,
    /// What the writer writes right now, and since when somebody waits for it.
    writing: Option<(Arc<Batch>, Instant)>,
    writer: Writer,
    broken: Option<Failure>,
    closing: bool,
    gone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writer {
    /// Sleeps until woken.
    Idle,
    /// Sleeps for a moment, to find more lines that nobody waits for.
    Lingering,
    /// Comes back by itself.
    Awake,
}

impl Lane {
    /// A lane that holds at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        let queue = Queue {
            bytes: Vec::new(),
            held: 0,
            stranger_bytes: 0,
            next: 1,
            lost: 0,
            batch: Arc::default(),
            wanted: None,
            due: false,
            writing: None,
            writer: Writer::Awake,
            broken: None,
            closing: false,
            gone: false,
        };
        Self {
            queue: Mutex::new(queue),
            writer: Condvar::new(),
            watch: Condvar::new(),
            limit,
        }
    }

    /// Numbers `line` and puts it behind the others; the batch tells when it is written.
    pub(super) fn push(&self, line: &Line, urgency: Urgency) -> Result<(u64, Arc<Batch>), Refusal> {
        let mut queue = self.lock();
        if let Err(refusal) = queue.admits(line.len(), urgency, self.limit) {
            queue.lost = queue
                .lost
                .saturating_add(u64::from(urgency == Urgency::Stranger));
            return Err(refusal);
        }
        let seq = queue.next;
        queue.next = seq.saturating_add(1);
        line.write(seq, &mut queue.bytes);
        match urgency {
            Urgency::Now => {
                queue.wanted.get_or_insert_with(Instant::now);
            }
            Urgency::Soon => {}
            Urgency::Stranger => {
                queue.stranger_bytes = queue.stranger_bytes.saturating_add(line.len());
            }
        }
        let batch = Arc::clone(&queue.batch);
        if urgency != Urgency::Now {
            self.rouse(queue);
        }
        Ok((seq, batch))
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
            Writer::Idle => !queue.bytes.is_empty(),
            Writer::Lingering => queue.is_due(self.limit),
            Writer::Awake => false,
        };
        if asleep {
            queue.writer = Writer::Awake;
            drop(queue);
            self.writer.notify_one();
        }
    }

    /// Waits for lines and moves them all into `out`, which is empty. `None` when the lane is closed and empty.
    pub(super) fn take(&self, out: &mut Vec<u8>) -> Option<Arc<Batch>> {
        let mut queue = self.lock();
        loop {
            if !queue.is_due(self.limit) {
                queue.writer = Writer::Lingering;
                let waited = self
                    .writer
                    .wait_timeout_while(queue, LINGER, |queue| !queue.is_due(self.limit));
                queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            if !queue.bytes.is_empty() {
                break;
            }
            if queue.closing {
                return None;
            }
            queue.writer = Writer::Idle;
            queue = self
                .writer
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        queue.writer = Writer::Awake;
        std::mem::swap(&mut queue.bytes, out);
        queue.held = out.len();
        queue.stranger_bytes = 0;
        queue.due = false;
        let batch = std::mem::take(&mut queue.batch);
        queue.writing = queue.wanted.take().map(|since| (Arc::clone(&batch), since));
        Some(batch)
    }

    /// What was taken is written: everything is well again.
    pub(super) fn written(&self, batch: &Batch) {
        let mut queue = self.lock();
        queue.held = 0;
        queue.writing = None;
        queue.broken = None;
        drop(queue);
        batch.end(Ok(()));
    }

    /// What was taken could not be written. The writer keeps it; whoever waits is told.
    pub(super) fn failed(&self, kind: io::ErrorKind) {
        give_up(self.lock(), Failure::Write(kind));
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
                .map(|(_, since)| *since)
                .or(queue.wanted);
            if since.is_some_and(|since| since.elapsed() >= wait) {
                give_up(queue, Failure::TimedOut);
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
        give_up(queue, Failure::Closed);
        self.watch.notify_all();
    }

    /// How many records about strangers were not kept.
    pub(super) fn lost(&self) -> u64 {
        self.lock().lost
    }

    /// How many lines were numbered so far.
    pub(super) fn numbered(&self) -> u64 {
        self.lock().next.saturating_sub(1)
    }

    /// How many bytes are not written yet.
    pub(super) fn waiting_bytes(&self) -> usize {
        let queue = self.lock();
        queue.bytes.len().saturating_add(queue.held)
    }

    /// Would a record be written now?
    pub(super) fn is_healthy(&self) -> bool {
        let queue = self.lock();
        queue.broken.is_none() && !queue.closing
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

impl Queue {
    fn admits(&self, length: usize, urgency: Urgency, limit: usize) -> Result<(), Refusal> {
        if self.closing {
            return Err(Refusal::Failed(Failure::Closed));
        }
        // An outcome waits until writing works again; a request must not, and a stranger has no claim.
        if let (Some(failure), Urgency::Now | Urgency::Stranger) = (self.broken, urgency) {
            return Err(Refusal::Failed(failure));
        }
        let share = limit / STRANGERS_SHARE;
        if urgency == Urgency::Stranger && self.stranger_bytes.saturating_add(length) > share {
            return Err(Refusal::Full);
        }
        if self
            .bytes
            .len()
            .saturating_add(self.held)
            .saturating_add(length)
            > limit
        {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Must the writer write now?
    fn is_due(&self, limit: usize) -> bool {
        self.due || self.closing || self.bytes.len() > limit / 2
    }
}

/// Marks the lane as broken and tells whoever waits. The lines stay.
fn give_up(mut queue: MutexGuard<'_, Queue>, failure: Failure) {
    queue.broken = Some(failure);
    queue.wanted = None;
    let under_way = queue.writing.take().map(|(batch, _)| batch);
    let behind = std::mem::take(&mut queue.batch);
    drop(queue);
    for batch in under_way.into_iter().chain([behind]) {
        batch.end(Err(failure));
    }
}

/// Short enough that a line nobody waits for is written within 10 ms.
const LINGER: Duration = Duration::from_millis(8);
/// Strangers may fill this part of the queue, an eighth.
const STRANGERS_SHARE: usize = 8;
/// How often the watch looks while the longest wait passes.
const LOOKS: u32 = 4;

#[cfg(test)]
mod tests;
