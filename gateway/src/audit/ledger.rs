//! The ledger: takes records and says when they are kept. Never loses one in silence, never blocks a
//! request on the disk.

use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;

use super::batch::{Batch, Failure};
use super::checkpoint::Checkpoints;
use super::error::AuditError;
use super::event::Event;
use super::guard::Guard;
use super::id::{EventId, EventIds};
use super::lane::{Lane, Refusal, Standing, Urgency};
use super::line::Line;
use super::notice::{Speaker, Voice};
use super::recovery;
use super::sealing::{Head, Sealer};
use super::settings::{LedgerSettings, OnFailure};
use super::store::Store;
use super::writer;
use crate::model::UnixTime;

/// A handle to the one ledger of this process. The last one to go closes it.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Open>);

#[derive(Debug)]
struct Open {
    lane: Arc<Lane>,
    ids: EventIds,
    limit: usize,
    wait: Duration,
    written: watch::Sender<Head>,
    checkpoints: Checkpoints,
    /// Whether the chain is written elsewhere than at home.
    is_away: Arc<AtomicBool>,
    /// Held as long as the ledger is open.
    _guards: Vec<Guard>,
}

impl Ledger {
    /// Locks the directories, finds where the ledger ends, and goes on behind that with a segment of its own.
    ///
    /// # Errors
    /// A directory cannot be made or read, is another gateway's, or takes no segment.
    pub fn open(settings: &LedgerSettings, voice: Voice) -> Result<Self, AuditError> {
        let directories: Vec<&Path> = settings.directories().collect();
        let guards = directories
            .iter()
            .map(|directory| Guard::of(directory))
            .collect::<Result<Vec<_>, _>>()?;
        let unusable = |source| AuditError::Directory {
            directory: settings.directory.clone(),
            source,
        };
        let end = recovery::recover(&directories).map_err(unusable)?;
        let is_away = Arc::new(AtomicBool::new(false));
        let sealer = match &settings.checkpoint {
            Some(checkpoint) => Sealer::open(checkpoint)?,
            None => Sealer::default(),
        };
        let checkpoints = sealer.checkpoints();
        let seal = (Speaker::new(voice), sealer);
        let store = Store::start(settings.clone(), seal, end, Arc::clone(&is_away));
        let store = store.map_err(unusable)?;
        let leniency = match settings.on_failure {
            OnFailure::Continue { limit } => limit,
            OnFailure::Deny | OnFailure::Spill { .. } => Duration::ZERO,
        };
        let lane = Arc::new(Lane::new(settings.queue_bytes, leniency));
        let (watched, writing, wait) = (Arc::clone(&lane), Arc::clone(&lane), settings.wait);
        let ledger = Self(Arc::new(Open {
            lane,
            ids: EventIds::default(),
            limit: settings.queue_bytes,
            wait,
            written: store.watchers(),
            checkpoints,
            is_away,
            _guards: guards,
        }));
        spawn("audit-writer", move || writer::run(&writing, store))?;
        spawn("audit-watch", move || watched.watch(wait))?;
        Ok(ledger)
    }

    /// A name for a record, or for a decision before its record, of the moment `at`.
    pub fn event_id(&self, at: UnixTime) -> EventId {
        self.0.ids.next(at)
    }

    /// Takes the record and resolves once it is kept: by the system or by the disk, as `durability` says. While
    /// `on_failure: continue` lets requests pass it resolves at once. A future that is dropped leaves its record in the
    /// queue.
    ///
    /// # Errors
    /// The record is not known to be written, for whatever cause. It may still turn up in the file later.
    pub async fn append(&self, event: &Event<'_>) -> Result<(), AuditError> {
        let line = Line::of(event)?;
        let pushed = self.0.lane.push(&line, Urgency::Now);
        let Some(batch) = pushed.map_err(|refusal| self.refused(refusal))? else {
            return Ok(());
        };
        let nudge = Nudge(&self.0.lane, &batch);
        give_way().await;
        drop(nudge);
        batch
            .written()
            .await
            .map_err(|failure| self.failed(failure))
    }

    /// Takes the record and returns; it is written within 10 ms, or as soon as writing works again.
    ///
    /// # Errors
    /// The queue is full or the ledger closed.
    pub fn append_later(&self, event: &Event<'_>) -> Result<(), AuditError> {
        let line = Line::of(event)?;
        let pushed = self.0.lane.push(&line, Urgency::Soon);
        pushed.map(drop).map_err(|refusal| self.refused(refusal))
    }

    /// For records about callers who proved nothing: they may fill an eighth of the queue. One that finds no room is
    /// counted and gone.
    pub fn append_lossy(&self, event: &Event<'_>) {
        if let Ok(line) = Line::of(event) {
            // The lane counts what it does not take.
            let _ = self.0.lane.push(&line, Urgency::Stranger);
        }
    }

    /// How many records about strangers were not kept since the start.
    pub fn lost(&self) -> u64 {
        self.0.lane.lost()
    }

    /// How many records were taken since the start.
    pub fn taken(&self) -> u64 {
        self.0.lane.taken()
    }

    /// What is known of its checkpoints.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.0.checkpoints
    }

    /// How many bytes of records are not written yet.
    pub fn queue_bytes(&self) -> usize {
        self.0.lane.waiting_bytes()
    }

    /// The head of what is written, for those who read the files: it changes with every write.
    #[cfg_attr(
        not(any(feature = "server", test)),
        expect(dead_code, reason = "who ships records waits for it")
    )]
    pub(crate) fn written(&self) -> watch::Receiver<Head> {
        self.0.written.subscribe()
    }

    /// How many requests passed since the start of which there will be no record.
    pub fn unrecorded(&self) -> u64 {
        self.0.lane.unrecorded()
    }

    /// What happens to a record that comes now.
    pub fn standing(&self) -> Standing {
        let standing = self.0.lane.standing();
        if standing == Standing::Well && self.0.is_away.load(Ordering::Acquire) {
            return Standing::Spilling;
        }
        standing
    }

    /// Takes no more records, writes those it has, brings them to the disk and returns. Blocks, at most as
    /// long as a request would wait.
    pub fn flush_and_close(&self) {
        self.0.lane.close(self.0.wait);
    }

    fn refused(&self, refusal: Refusal) -> AuditError {
        match refusal {
            Refusal::Full => AuditError::QueueFull {
                limit: self.0.limit,
            },
            Refusal::Failed(failure) => self.failed(failure),
        }
    }

    fn failed(&self, failure: Failure) -> AuditError {
        match failure {
            Failure::Write(kind) => AuditError::Write { kind },
            Failure::TimedOut => AuditError::TimedOut { wait: self.0.wait },
            Failure::Closed => AuditError::Closed,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.lane.close(self.wait);
    }
}

/// Wakes the writer when it goes: also when the request that waits is cut off before its time.
struct Nudge<'a>(&'a Lane, &'a Arc<Batch>);

impl Drop for Nudge<'_> {
    fn drop(&mut self) {
        self.0.nudge(self.1);
    }
}

/// Lets the tasks that are ready run first. Their records then share a write: waking the writer for every single one
/// costs more than everything else here.
async fn give_way() {
    let mut gave_way = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), AuditError> {
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work);
    thread
        .map(drop)
        .map_err(|source| AuditError::Thread { source })
}

#[cfg(test)]
mod tests;
