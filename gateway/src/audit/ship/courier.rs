//! The task of one sink: reads what comes next, ships it until it is acknowledged, moves the cursor. Keeps no record
//! in memory but the batch at hand, and never slows the writer or another sink.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::cursor::CursorFile;
use super::line::{Line, Place};
use super::pace::Pace;
use super::settings::Bounds;
use super::shipper::{FailureKind, ShipError, Shipper};
use super::standing::SinkStanding;
use super::tail::Tail;
use crate::audit::sealing::Head;
use crate::model::Clock;

/// What somebody may want to hear about a sink.
#[derive(Debug)]
pub(crate) enum Tiding<'a> {
    /// An attempt failed otherwise than the one before it; the next one comes after `pause`.
    Failed {
        /// How.
        error: &'a ShipError,
        /// How long until the next attempt.
        pause: Duration,
    },
    /// It works again, after failures of this kind.
    Recovered(FailureKind),
    /// Records that the ledger does not hold any more were never shipped.
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// The destination threw records away for good.
    Rejected(u64),
    /// The cursor cannot be read: the sink gets everything again.
    CursorUnreadable(&'a io::Error),
    /// The cursor cannot be written: after a restart the sink gets again what it had.
    CursorUnwritable(&'a io::Error),
}

/// Is told what happens to the sink of the name.
pub(crate) type Report = Arc<dyn Fn(&str, &Tiding<'_>) + Send + Sync>;

/// What moves one sink.
pub(super) struct Courier {
    pub(super) shipper: Box<dyn Shipper>,
    pub(super) tail: Tail,
    pub(super) bounds: Bounds,
    pub(super) cursor: CursorFile,
    pub(super) standing: Arc<SinkStanding>,
    pub(super) written: watch::Receiver<Head>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) pace: Pace,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) report: Report,
}

/// Whether a courier goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Onward {
    Go,
    End,
}

impl Courier {
    /// Ships until it is told to stop; then what is there, as long as no attempt fails.
    pub(super) async fn run(self) {
        let Self {
            shipper,
            tail,
            bounds,
            cursor,
            standing,
            written,
            stop,
            pace,
            clock,
            report,
        } = self;
        let log = Log {
            cursor,
            read: tail.seq(),
            unsaved: None,
            saved: Instant::now(),
            standing,
            clock,
            report,
        };
        let reader = Reader {
            tail: Some(tail),
            bounds,
            written,
        };
        let mut journey = Journey {
            shipper,
            reader,
            log,
            stop,
            pace,
            failures: 0,
        };
        while journey.step().await == Onward::Go {}
        journey.log.save().await;
    }
}

/// A courier on its way.
struct Journey {
    shipper: Box<dyn Shipper>,
    reader: Reader,
    log: Log,
    stop: watch::Receiver<bool>,
    pace: Pace,
    /// In a row.
    failures: u32,
}

impl Journey {
    async fn step(&mut self) -> Onward {
        match self.reader.next().await {
            Ok(lines) if lines.is_empty() => self.idle().await,
            Ok(lines) => {
                self.log.look_for_gap(&lines);
                self.deliver(&lines).await
            }
            Err(error) => self.failed(&ShipError::Unreadable(error.to_string())).await,
        }
    }

    /// Waits for the next record, and keeps the cursor fresh meanwhile.
    async fn idle(&mut self) -> Onward {
        if *self.stop.borrow() {
            return Onward::End;
        }
        tokio::select! {
            () = self.reader.more() => {}
            () = stopped(&mut self.stop) => {}
            () = tokio::time::sleep_until(self.log.due()), if self.log.unsaved.is_some() => self.log.save().await,
        }
        Onward::Go
    }

    async fn deliver(&mut self, lines: &[Line]) -> Onward {
        let (mut rest, mut most) = (lines, lines.len());
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(most.min(rest.len()));
            match self.shipper.ship(batch).await {
                Ok(receipt) => {
                    self.failures = 0;
                    self.log.acknowledged(batch, receipt.rejected).await;
                    rest = later;
                }
                Err(ShipError::TooLarge) if batch.len() > 1 => most = batch.len() / 2,
                Err(error) => {
                    if self.failed(&error).await == Onward::End {
                        return Onward::End;
                    }
                }
            }
        }
        Onward::Go
    }

    /// Waits before the next attempt. A courier that is to stop gets one more, and no pause before it.
    async fn failed(&mut self, error: &ShipError) -> Onward {
        self.failures = self.failures.saturating_add(1);
        let pause = self.pace.after(self.failures, error);
        self.log.failed(error, pause);
        self.log.save().await;
        if *self.stop.borrow() {
            return Onward::End;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut self.stop) => {}
        }
        Onward::Go
    }
}

/// Resolves when the courier is to stop, or nobody is left to say so.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Reads the ledger away from the tasks that serve requests.
struct Reader {
    /// None while a read is under way.
    tail: Option<Tail>,
    bounds: Bounds,
    written: watch::Receiver<Head>,
}

impl Reader {
    async fn next(&mut self) -> io::Result<Vec<Line>> {
        let head = self.written.borrow_and_update().seq;
        let gone = || io::Error::other("the reader is gone");
        let mut tail = self.tail.take().ok_or_else(gone)?;
        let bounds = self.bounds;
        let read = tokio::task::spawn_blocking(move || {
            let lines = tail.read(bounds, head);
            (tail, lines)
        });
        let (tail, lines) = read.await.map_err(|_| gone())?;
        self.tail = Some(tail);
        lines
    }

    /// Resolves when there may be more than was read.
    async fn more(&mut self) {
        if self.written.changed().await.is_err() {
            // The ledger is closed: nothing more comes.
            std::future::pending::<()>().await;
        }
        // What is written at the same time goes at the same time.
        tokio::time::sleep(LINGER).await;
    }
}

/// What is noted down about a sink.
struct Log {
    cursor: CursorFile,
    /// The last record that was read; 0 before the first.
    read: u64,
    /// Acknowledged, and not in the cursor yet.
    unsaved: Option<Place>,
    saved: Instant,
    standing: Arc<SinkStanding>,
    clock: Arc<dyn Clock>,
    report: Report,
}

impl Log {
    async fn acknowledged(&mut self, batch: &[Line], rejected: u64) {
        let Some(last) = batch.last() else { return };
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let now = self.clock.now();
        let trouble = self
            .standing
            .acknowledged((count, rejected), last.place.seq, now);
        if let Some(kind) = trouble {
            self.tell(&Tiding::Recovered(kind));
        }
        if rejected > 0 {
            self.tell(&Tiding::Rejected(rejected));
        }
        self.unsaved = Some(last.place.clone());
        if Instant::now() >= self.due() {
            self.save().await;
        }
    }

    /// Whether `lines` come right after what was read last.
    fn look_for_gap(&mut self, lines: &[Line]) {
        let Some((first, last)) = lines.first().zip(lines.last()) else {
            return;
        };
        let first = first.place.seq;
        if self.read > 0 && first > self.read.saturating_add(1) {
            self.tell(&Tiding::Missing {
                first: self.read.saturating_add(1),
                last: first.saturating_sub(1),
            });
        }
        self.read = last.place.seq;
    }

    fn failed(&self, error: &ShipError, pause: Duration) {
        let before = self.standing.failed(error.kind());
        // A refusal waits for a hand: it is said each time.
        if before != Some(error.kind()) || error.kind() == FailureKind::Refused {
            self.tell(&Tiding::Failed { error, pause });
        }
    }

    /// When the cursor is to be written next. Each write waits for the disk, which the ledger needs.
    fn due(&self) -> Instant {
        self.saved.checked_add(SAVE).unwrap_or(self.saved)
    }

    async fn save(&mut self) {
        self.saved = Instant::now();
        let Some(place) = self.unsaved.take() else {
            return;
        };
        let cursor = self.cursor.clone();
        let saved = tokio::task::spawn_blocking(move || (cursor.save(&place), place)).await;
        if let Ok((Err(error), place)) = saved {
            self.tell(&Tiding::CursorUnwritable(&error));
            self.unsaved = Some(place);
        }
    }

    fn tell(&self, tiding: &Tiding<'_>) {
        (self.report)(self.standing.name(), tiding);
    }
}

/// How long a sink that is idle gathers before it sends.
const LINGER: Duration = Duration::from_millis(20);
/// How much of what it had a sink may get again after a crash.
const SAVE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
