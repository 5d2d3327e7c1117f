//! The ledger: takes records, numbers them and says when they are written. Never loses one in silence, never blocks a
//! request on the disk.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::future::poll_fn;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::checkpoint::Checkpoints;
use super::error::AuditError;
use super::event::Event;
use super::id::{EventId, EventIds};
use super::lane::{Batch, Failure, Lane, Refusal, Urgency};
use super::line::Line;
use super::sealing::Sealer;
use super::settings::LedgerSettings;
use super::writer::{self, RecordFile};
use crate::model::{Clock, SystemClock, UnixTime};

/// A handle to the one ledger of this process. The last one to go closes it.
#[derive(Debug, Clone)]
pub struct Ledger(Arc<Open>);

#[derive(Debug)]
struct Open {
    lane: Arc<Lane>,
    ids: EventIds,
    limit: usize,
    wait: Duration,
    checkpoints: Checkpoints,
    /// Held as long as the ledger is open.
    _lock: Option<File>,
}

impl Ledger {
    /// Locks the directory and starts a new file in it.
    ///
    /// # Errors
    /// The directory cannot be made, is another gateway's, or takes no file.
    pub fn open(settings: &LedgerSettings) -> Result<Self, AuditError> {
        let directory = &settings.directory;
        let unusable = |source| AuditError::Directory {
            directory: directory.clone(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(unusable)?;
        let lock = lock(directory)?;
        let sealer = Sealer::open(&settings.checkpoint)?;
        let file = new_file(directory, SystemClock.now())?;
        let (queue_bytes, wait) = (settings.queue_bytes, settings.wait);
        Self::start(file, queue_bytes, wait, (Some(lock), sealer.checkpoints()))
    }

    /// Writes to `path`, whatever it is, without a lock: for tests of what goes wrong.
    #[cfg(test)]
    pub(crate) fn open_file(
        path: &Path,
        queue_bytes: usize,
        wait: Duration,
    ) -> Result<Self, AuditError> {
        let failed = |source| AuditError::File {
            path: path.to_path_buf(),
            source,
        };
        Self::start(
            RecordFile::open(path.to_path_buf()).map_err(failed)?,
            queue_bytes,
            wait,
            (None, Checkpoints::default()),
        )
    }

    /// A name for a record, or for a decision before its record, of the moment `at`.
    pub fn event_id(&self, at: UnixTime) -> EventId {
        self.0.ids.next(at)
    }

    /// Numbers the record and resolves once the system has it: a crash of this process does not lose it any more.
    /// A future that is dropped leaves its record in the queue.
    ///
    /// # Errors
    /// The record is not known to be written, for whatever cause. It may still turn up in the file later.
    pub async fn append(&self, event: &mut Event<'_>) -> Result<u64, AuditError> {
        event.seq = 0;
        let line = Line::of(event)?;
        let (seq, batch) = self
            .0
            .lane
            .push(&line, Urgency::Now)
            .map_err(|refusal| self.refused(refusal))?;
        event.seq = seq;
        let nudge = Nudge(&self.0.lane, &batch);
        give_way().await;
        drop(nudge);
        batch
            .written()
            .await
            .map_err(|failure| self.failed(failure))?;
        Ok(seq)
    }

    /// Numbers the record and returns; it is written within 10 ms, or as soon as writing works again.
    ///
    /// # Errors
    /// The queue is full or the ledger closed.
    pub fn append_later(&self, event: &mut Event<'_>) -> Result<u64, AuditError> {
        event.seq = 0;
        let line = Line::of(event)?;
        let (seq, _) = self
            .0
            .lane
            .push(&line, Urgency::Soon)
            .map_err(|refusal| self.refused(refusal))?;
        event.seq = seq;
        Ok(seq)
    }

    /// For records about callers who proved nothing: they may fill an eighth of the queue. One that finds no room is
    /// counted and gone.
    pub fn append_lossy(&self, event: &mut Event<'_>) {
        event.seq = 0;
        let pushed = Line::of(event).map(|line| self.0.lane.push(&line, Urgency::Stranger));
        if let Ok(Ok((seq, _))) = pushed {
            event.seq = seq;
        }
    }

    /// How many records about strangers were not kept since the start.
    pub fn lost(&self) -> u64 {
        self.0.lane.lost()
    }

    /// How many records were taken since the start.
    pub fn taken(&self) -> u64 {
        self.0.lane.numbered()
    }

    /// How many bytes of records are not written yet.
    pub fn queue_bytes(&self) -> usize {
        self.0.lane.waiting_bytes()
    }

    /// What is known of its checkpoints.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.0.checkpoints
    }

    /// Did the last write succeed in time, and is the ledger open?
    pub fn is_healthy(&self) -> bool {
        self.0.lane.is_healthy()
    }

    /// Takes no more records, writes those it has, brings them to the disk and returns. Blocks, at most as
    /// long as a request would wait.
    pub fn flush_and_close(&self) {
        self.0.lane.close(self.0.wait);
    }

    fn start(
        file: RecordFile,
        limit: usize,
        wait: Duration,
        (lock, checkpoints): (Option<File>, Checkpoints),
    ) -> Result<Self, AuditError> {
        let lane = Arc::new(Lane::new(limit));
        let (watched, written) = (Arc::clone(&lane), Arc::clone(&lane));
        let open = Self(Arc::new(Open {
            lane,
            ids: EventIds::default(),
            limit,
            wait,
            checkpoints,
            _lock: lock,
        }));
        spawn("audit-writer", move || writer::run(&written, file))?;
        spawn("audit-watch", move || watched.watch(wait))?;
        Ok(open)
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

/// The lock that keeps a second gateway out of `directory`, as long as the file returned is open.
fn lock(directory: &Path) -> Result<File, AuditError> {
    let path = directory.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(|source| AuditError::File {
        path: path.clone(),
        source,
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AuditError::Locked {
            directory: directory.to_path_buf(),
        }),
        Err(TryLockError::Error(source)) => Err(AuditError::File { path, source }),
    }
}

/// A file of this start's own: `gatewright-<time>-<process>.jsonl`.
fn new_file(directory: &Path, now: UnixTime) -> Result<RecordFile, AuditError> {
    // Two starts of one process within a millisecond get two names.
    let mut found = (
        directory.to_path_buf(),
        io::Error::from(io::ErrorKind::AlreadyExists),
    );
    for later in 0..STARTS {
        let path = file_path(directory, now.plus(Duration::from_millis(later)));
        match RecordFile::create(path.clone()) {
            Ok(file) => return Ok(file),
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => found = (path, source),
            Err(source) => return Err(AuditError::File { path, source }),
        }
    }
    let (path, source) = found;
    Err(AuditError::File { path, source })
}

fn file_path(directory: &Path, start: UnixTime) -> PathBuf {
    let time = start.to_string().replace(['-', ':', '.'], "");
    directory.join(format!("gatewright-{time}-{}.jsonl", std::process::id()))
}

const STARTS: u64 = 100;

#[cfg(test)]
mod tests;
