//! What a courier does between its sink and the ledger: waits, halves, stops, tells.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{CursorFile, Line, Report, ShipError, Shipper, Tiding};
use crate::audit::ship::cursor::Found;
use crate::audit::ship::shipper::{FailureKind, Receipt};
use crate::audit::ship::support::{Book, Running, until};

/// Answers one error after the other, and then takes everything.
#[derive(Clone, Default)]
struct Moody(Arc<Mutex<Told>>);

#[derive(Default)]
struct Told {
    errors: Vec<ShipError>,
    batches: Vec<Vec<u64>>,
    /// More lines than this are too large.
    most: Option<usize>,
    is_stuck: bool,
    rejected: u64,
}

impl Moody {
    fn with(told: Told) -> Self {
        Self(Arc::new(Mutex::new(told)))
    }

    fn batches(&self) -> Vec<Vec<u64>> {
        self.0.lock().unwrap().batches.clone()
    }
}

#[async_trait]
impl Shipper for Moody {
    async fn ship(&mut self, batch: &[Line]) -> Result<Receipt, ShipError> {
        let is_stuck = self.0.lock().unwrap().is_stuck;
        if is_stuck {
            std::future::pending::<()>().await;
        }
        let mut told = self.0.lock().unwrap();
        if told.most.is_some_and(|most| batch.len() > most) {
            return Err(ShipError::TooLarge);
        }
        if let Some(error) = told.errors.pop() {
            return Err(error);
        }
        let seqs = batch.iter().map(|line| line.place.seq).collect();
        told.batches.push(seqs);
        Ok(Receipt {
            rejected: std::mem::take(&mut told.rejected),
        })
    }
}

fn unreachable() -> ShipError {
    ShipError::Unreachable("test".to_owned())
}

/// Keeps what it is told, as text.
fn notes() -> (Arc<Mutex<Vec<String>>>, Report) {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&notes);
    let report: Report = Arc::new(move |sink: &str, tiding: &Tiding<'_>| {
        let said = match tiding {
            Tiding::Failed { error, .. } => format!("failed {}", error.kind().name()),
            Tiding::Recovered(kind) => format!("recovered {}", kind.name()),
            Tiding::Missing { first, last } => format!("missing {first} to {last}"),
            Tiding::Rejected(count) => format!("rejected {count}"),
            Tiding::CursorUnreadable(_) => "unreadable".to_owned(),
            Tiding::CursorUnwritable(_) => "unwritable".to_owned(),
        };
        kept.lock().unwrap().push(format!("{sink}: {said}"));
    });
    (notes, report)
}

async fn shipped(running: &Running, seq: u64) {
    until("everything is acknowledged", || {
        running.standing.waiting(seq) == 0
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let mut book = Book::new();
    book.write(10);
    let sink = Moody::with(Told {
        most: Some(3),
        ..Told::default()
    });
    let running = Running::start(&book, "sink", Box::new(sink.clone()));
    shipped(&running, 10).await;
    let batches = sink.batches();
    assert!(batches.iter().all(|batch| batch.len() <= 3), "{batches:?}");
    assert_eq!(batches.concat(), (1..=10).collect::<Vec<_>>());
    assert_eq!(running.standing.trouble(), None);
}

#[tokio::test]
async fn one_record_that_is_too_large_holds_the_sink_up_and_is_told() {
    let mut book = Book::new();
    book.write(1);
    let sink = Moody::with(Told {
        most: Some(0),
        ..Told::default()
    });
    let (notes, report) = notes();
    let running = Running::start_told(&book, "siem", Box::new(sink.clone()), report);
    let is_told = || !notes.lock().unwrap().is_empty();
    until("it is told", is_told).await;
    assert_eq!(notes.lock().unwrap()[0], "siem: failed too_large");
    assert_eq!(running.standing.waiting(1), 1);
}

#[tokio::test]
async fn failures_are_counted_each_and_told_once_until_they_change() {
    let mut book = Book::new();
    book.write(1);
    let errors = vec![
        ShipError::TimedOut(Duration::ZERO),
        unreachable(),
        unreachable(),
        unreachable(),
    ];
    let (notes, report) = notes();
    let sink = Moody::with(Told {
        errors,
        ..Told::default()
    });
    let running = Running::start_told(&book, "siem", Box::new(sink), report);
    shipped(&running, 1).await;
    let counted: Vec<_> = running
        .standing
        .failures()
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(
        counted,
        [(FailureKind::Unreachable, 3), (FailureKind::TimedOut, 1)]
    );
    let told = notes.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "siem: failed unreachable",
            "siem: failed timed_out",
            "siem: recovered timed_out"
        ]
    );
    assert!(running.standing.last_success().is_some());
}

#[tokio::test]
async fn a_refusal_is_told_each_time_and_tried_again() {
    let mut book = Book::new();
    book.write(1);
    let refused = || ShipError::Refused("status 403".to_owned());
    let (notes, report) = notes();
    let sink = Moody::with(Told {
        errors: vec![refused(), refused()],
        ..Told::default()
    });
    let running = Running::start_told(&book, "siem", Box::new(sink), report);
    shipped(&running, 1).await;
    let told = notes.lock().unwrap().clone();
    assert_eq!(
        told,
        [
            "siem: failed refused",
            "siem: failed refused",
            "siem: recovered refused"
        ]
    );
}

#[tokio::test]
async fn what_a_destination_throws_away_is_counted_and_not_sent_again() {
    let mut book = Book::new();
    book.write(5);
    let (notes, report) = notes();
    let sink = Moody::with(Told {
        rejected: 2,
        ..Told::default()
    });
    let running = Running::start_told(&book, "siem", Box::new(sink.clone()), report);
    shipped(&running, 5).await;
    assert_eq!(
        (running.standing.shipped(), running.standing.rejected()),
        (3, 2)
    );
    assert_eq!(*notes.lock().unwrap(), ["siem: rejected 2"]);
    assert_eq!(sink.batches().len(), 1);
}

#[tokio::test]
async fn segments_that_are_gone_at_a_start_are_told_and_left_out() {
    let mut book = Book::new();
    book.write(10);
    let running = Running::start(&book, "siem", Box::new(Moody::default()));
    shipped(&running, 10).await;
    running.finish().await;
    for _ in 0..2 {
        book.rotate();
        book.write(10);
    }
    for first in [1, 11] {
        let gone = book.path().join(format!("{first:020}.jsonl"));
        std::fs::remove_file(gone).unwrap();
    }
    let (notes, report) = notes();
    let sink = Moody::default();
    let running = Running::start_told(&book, "siem", Box::new(sink.clone()), report);
    shipped(&running, 30).await;
    assert_eq!(*notes.lock().unwrap(), ["siem: missing 11 to 20"]);
    assert_eq!(sink.batches().concat(), (21..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn a06_a_sink_that_hangs_slows_no_other() {
    let mut book = Book::new();
    let stuck = Moody::with(Told {
        is_stuck: true,
        ..Told::default()
    });
    let hanging = Running::start(&book, "stuck", Box::new(stuck));
    let good = Running::start(&book, "good", Box::new(Moody::default()));
    book.write(500);
    shipped(&good, 500).await;
    assert_eq!(hanging.standing.waiting(500), 500);
    hanging.task.abort();
}

#[tokio::test]
async fn a_courier_that_stops_ships_what_is_there_and_keeps_its_place() {
    let mut book = Book::new();
    let sink = Moody::default();
    let running = Running::start(&book, "sink", Box::new(sink.clone()));
    book.write(40);
    running.finish().await;
    assert_eq!(sink.batches().concat(), (1..=40).collect::<Vec<_>>());
    let cursor = CursorFile::of(book.path(), "sink");
    assert!(matches!(cursor.load(), Found::Place(place) if place.seq == 40));
}

#[tokio::test]
async fn a_courier_that_stops_does_not_wait_for_a_sink_that_fails() {
    let mut book = Book::new();
    book.write(1);
    let errors = (0..1_000_000).map(|_| unreachable()).collect();
    let sink = Moody::with(Told {
        errors,
        ..Told::default()
    });
    let running = Running::start(&book, "sink", Box::new(sink.clone()));
    until("it fails", || running.standing.trouble().is_some()).await;
    running.finish().await;
    assert!(sink.batches().is_empty());
}

#[tokio::test]
async fn the_cursor_is_written_while_records_come_and_never_ahead_of_the_sink() {
    let mut book = Book::new();
    let running = Running::start(&book, "sink", Box::new(Moody::default()));
    let cursor = CursorFile::of(book.path(), "sink");
    book.write(3);
    let saved = || matches!(cursor.load(), Found::Place(place) if place.seq == 3);
    until("an idle courier saves its place", saved).await;
    running.task.abort();
}
