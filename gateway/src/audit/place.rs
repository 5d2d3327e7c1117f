//! Where the chain is written: at home, or elsewhere while home fails. Never goes back before home takes bytes again.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::segment::Segment;
use super::settings::{LedgerSettings, OnFailure};

/// The directories of a ledger and the one in use.
#[derive(Debug)]
pub(super) struct Places {
    home: PathBuf,
    elsewhere: Option<(PathBuf, Duration)>,
    away: Option<Away>,
    /// Whether the chain is written elsewhere, for those who ask.
    is_away: Arc<AtomicBool>,
}

/// A time away from home.
#[derive(Debug)]
struct Away {
    since: Instant,
    looked: Instant,
    /// The segment at home that could not even be cut.
    unfinished: Option<Segment>,
}

impl Places {
    pub(super) fn new(settings: &LedgerSettings, is_away: Arc<AtomicBool>) -> Self {
        let elsewhere = match &settings.on_failure {
            OnFailure::Spill { directory, limit } => Some((directory.clone(), *limit)),
            OnFailure::Deny | OnFailure::Continue { .. } => None,
        };
        Self {
            home: settings.directory.clone(),
            elsewhere,
            away: None,
            is_away,
        }
    }

    /// Where segments are made now.
    pub(super) fn directory(&self) -> &Path {
        match (&self.away, &self.elsewhere) {
            (Some(_), Some((elsewhere, _))) => elsewhere,
            (Some(_) | None, _) => &self.home,
        }
    }

    /// Goes elsewhere. `segment` is the one that could not be written; it comes back if there is nowhere to go.
    pub(super) fn leave_home(&mut self, segment: Option<Segment>) -> Result<(), Option<Segment>> {
        if self.elsewhere.is_none() || self.away.is_some() {
            return Err(segment);
        }
        let now = Instant::now();
        self.away = Some(Away {
            since: now,
            looked: now,
            unfinished: segment.filter(Segment::is_torn),
        });
        self.is_away.store(true, Ordering::Release);
        Ok(())
    }

    /// Has the chain been elsewhere for longer than it may?
    pub(super) fn is_overdue(&self) -> bool {
        match (&self.away, &self.elsewhere) {
            (Some(away), Some((_, limit))) => away.since.elapsed() >= *limit,
            (Some(_) | None, _) => false,
        }
    }

    /// Does home take bytes again? Looks once in a while.
    pub(super) fn may_return(&mut self) -> bool {
        let Some(away) = &mut self.away else {
            return false;
        };
        if away.looked.elapsed() < PAUSE {
            return false;
        }
        away.looked = Instant::now();
        if takes_bytes(&self.home).is_err() {
            return false;
        }
        let mended = away.unfinished.as_mut().map(Segment::mend);
        // A file that is not the one that was left has nothing of ours to cut off.
        let is_clear = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
        if mended.is_some_and(|mended| mended.is_err_and(|error| !is_clear(&error))) {
            return false;
        }
        away.unfinished = None;
        true
    }

    /// The next segment is made at home.
    pub(super) fn return_home(&mut self) {
        self.away = None;
        self.is_away.store(false, Ordering::Release);
    }
}

/// Tries a disk with more than its system keeps back for small files.
fn takes_bytes(directory: &Path) -> io::Result<()> {
    let path = directory.join("probe");
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(true).write(true).mode(0o600);
    let tried = file.open(&path).and_then(|mut file| {
        file.write_all(&vec![b' '; PROBE])?;
        file.sync_all()
    });
    let removed = std::fs::remove_file(&path);
    tried.and(removed)
}

/// How often home is looked at.
const PAUSE: Duration = Duration::from_secs(1);
const PROBE: usize = 64 << 10;
