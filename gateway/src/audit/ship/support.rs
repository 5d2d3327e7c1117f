//! What the tests of shipping share: a ledger that they write themselves, collectors, a NATS server, a courier's parts.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::watch;

use super::courier::{Courier, Report};
use super::cursor::{CursorFile, Found};
use super::pace::Pace;
use super::settings::Bounds;
use super::shipper::Shipper;
use super::standing::SinkStanding;
use super::tail::Tail;
use crate::audit::sealing::Head;
use crate::audit::segments::Segments;
use crate::model::{Digest, SystemClock};

#[cfg(test)]
mod collector;
#[path = "../../../tests/served/support/nats.rs"]
pub(super) mod nats;

pub(super) use collector::{Act, Collector};

/// A ledger in the format of the real one, a record at a time.
pub(super) struct Book {
    folder: TempDir,
    file: Option<File>,
    seq: u64,
    hash: Digest,
    head: watch::Sender<Head>,
}

impl Book {
    pub(super) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            file: None,
            seq: 0,
            hash: Head::START.hash,
            head: watch::channel(Head::START).0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn written(&self) -> watch::Receiver<Head> {
        self.head.subscribe()
    }

    /// Writes another `count` records and says so.
    pub(super) fn write(&mut self, count: u64) {
        for _ in 0..count {
            let line = self.next_line();
            self.put(line.as_bytes());
        }
        self.tell();
    }

    /// The next segment begins with the next record.
    pub(super) fn rotate(&mut self) {
        self.file = None;
    }

    /// Bytes as they are, of which nobody is told.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let path = Segments::path(self.folder.path(), self.seq.max(1));
        let open = || {
            OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .unwrap()
        };
        self.file.get_or_insert_with(open).write_all(bytes).unwrap();
    }

    /// Says how far it is written.
    pub(super) fn tell(&self) {
        let (seq, hash) = (self.seq, self.hash);
        self.head.send_replace(Head { seq, hash });
    }

    /// The next record with its line end.
    pub(super) fn next_line(&mut self) -> String {
        self.seq += 1;
        let open = format!(
            r#"{{"timestamp":"2026-11-22T08:00:00.{:03}Z","sub":"alice","decision":"deny","event_id":"id-{}","seq":{},"kind":"decision","subject":{{"iss":"https://auth.test","roles":["a","b"]}},"mcp":{{"jsonrpc_id":7}},"trace_id":"0af7651916cd43dd8448eb211c80319c","integrity":{{"prev":"{}""#,
            self.seq % 1000,
            self.seq,
            self.seq,
            self.hash
        );
        self.hash = Digest::of(open.as_bytes());
        format!("{open},\"hash\":\"{}\"}}}}\n", self.hash)
    }

    /// Every line, in order.
    pub(super) fn lines(&self) -> Vec<String> {
        lines_in(self.folder.path())
    }
}

/// The lines of the segments in `directory`, without their ends.
pub(super) fn lines_in(directory: &Path) -> Vec<String> {
    let segments = Segments::list(directory).unwrap();
    let text = |segment: &crate::audit::segments::SegmentFile| {
        std::fs::read_to_string(&segment.path).unwrap()
    };
    let texts: Vec<_> = segments.iter().map(text).collect();
    texts
        .iter()
        .flat_map(|text| text.lines())
        .map(str::to_owned)
        .collect()
}

/// A courier that runs, and how to stop it.
pub(super) struct Running {
    pub(super) standing: Arc<SinkStanding>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// Carries from `book` to `shipper`, from where the cursor `name` is.
    pub(super) fn start(book: &Book, name: &str, shipper: Box<dyn Shipper>) -> Self {
        Self::start_told(book, name, shipper, Arc::new(|_, _| {}))
    }

    /// The same; `report` is told.
    pub(super) fn start_told(
        book: &Book,
        name: &str,
        shipper: Box<dyn Shipper>,
        report: Report,
    ) -> Self {
        let cursor = CursorFile::of(book.path(), name);
        let place = match cursor.load() {
            Found::Place(place) => Some(place),
            Found::Nothing | Found::Unreadable(_) => None,
        };
        let standing = Arc::new(SinkStanding::new(name, "test", 0));
        let (stop, stopping) = watch::channel(false);
        let courier = Courier {
            shipper,
            tail: Tail::new(vec![book.path().to_owned()], place),
            bounds: BOUNDS,
            cursor,
            standing: Arc::clone(&standing),
            written: book.written(),
            stop: stopping,
            pace: QUICK,
            clock: Arc::new(SystemClock),
            report,
        };
        Self {
            standing,
            stop,
            task: tokio::spawn(courier.run()),
        }
    }

    /// Stops in order.
    pub(super) async fn finish(self) {
        self.stop.send_replace(true);
        let ended = tokio::time::timeout(Duration::from_secs(20), self.task).await;
        ended.expect("a courier that is told to stop ends").unwrap();
    }
}

/// Waits until `holds`.
pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..2_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Small, so that a few records are many batches.
pub(super) const BOUNDS: Bounds = Bounds {
    lines: 25,
    bytes: 64 << 10,
};

pub(super) const QUICK: Pace = Pace {
    first: Duration::from_millis(5),
    most: Duration::from_millis(20),
    refused: Duration::from_millis(40),
    patience: Duration::from_millis(200),
};
