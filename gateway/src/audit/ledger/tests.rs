//! The ledger with real files, real threads and real failures.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Ledger;
use crate::audit::chain;
use crate::audit::error::AuditError;
use crate::audit::event::{Event, Kind};
use crate::audit::lane::Standing;
use crate::audit::notice::Voice;
use crate::audit::part::Gateway;
use crate::audit::sealing::Head;
use crate::audit::segments::Segments;
use crate::audit::settings::{Durability, LedgerSettings, SegmentSettings};
use crate::model::{Digest, Reason, SystemClock, UnixTime};

mod failures;

const LONG: Duration = Duration::from_secs(30);

fn settings(directory: &Path) -> LedgerSettings {
    LedgerSettings {
        wait: LONG,
        // What is written beside records about requests is counted here.
        checkpoint: None,
        ..LedgerSettings::new(directory.join("audit"))
    }
}

fn open(settings: &LedgerSettings) -> Result<Ledger, AuditError> {
    let voice = Voice {
        instance: "gw".into(),
        configuration: Digest::of(b""),
        clock: Arc::new(SystemClock),
    };
    Ledger::open(settings, voice)
}

fn event<'a>(ledger: &Ledger, sub: &'a str) -> Event<'a> {
    let at = UnixTime::from_millis(1_700_000_000_005);
    let gateway = Gateway {
        instance: "gw".into(),
        version: "0.1.0".into(),
        config: Digest::of(b""),
    };
    Event {
        sub: Some(sub.into()),
        ..Event::new(Kind::Decision, at, ledger.event_id(at), gateway)
    }
}

/// Every record of all segments; each must be tied to the one before it.
fn ledger_of(settings: &LedgerSettings) -> Vec<Value> {
    let directories: Vec<_> = settings.directories().collect();
    let mut head = Head::START;
    let mut records = Vec::new();
    for segment in Segments::list_all(&directories).unwrap() {
        let text = std::fs::read_to_string(segment.path).unwrap();
        // The end may be under way.
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        for line in whole.map(str::trim_end) {
            let record: Value = serde_json::from_str(line).unwrap();
            assert_eq!(record["seq"], head.seq + 1, "{line}");
            assert_eq!(record["integrity"]["prev"], head.hash.to_string(), "{line}");
            let hash = chain::hash_of(line.as_bytes()).expect("a true hash");
            head = Head {
                seq: head.seq + 1,
                hash,
            };
            records.push(record);
        }
    }
    records
}

/// The records that are not the ledger's own.
fn records(settings: &LedgerSettings) -> Vec<Value> {
    let mut records = ledger_of(settings);
    records.retain(|record| record["kind"] == "decision");
    records
}

fn actions(settings: &LedgerSettings) -> Vec<String> {
    let named = |record: &Value| record["action"].as_str().unwrap_or("-").to_owned();
    ledger_of(settings).iter().map(named).collect()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn until(condition: impl Fn() -> bool) {
    while !condition() {
        std::thread::yield_now();
    }
}

#[test]
fn a_record_that_was_acknowledged_is_in_the_file() {
    for durability in [Durability::Os, Durability::Disk] {
        let directory = tempfile::tempdir().unwrap();
        let settings = LedgerSettings {
            durability,
            ..settings(directory.path())
        };
        let ledger = open(&settings).unwrap();
        for round in 1..=50 {
            block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
            assert_eq!(records(&settings).len(), round);
        }
        assert_eq!(ledger.standing(), Standing::Well);
        assert_eq!(ledger.queue_bytes(), 0);
        assert_eq!(ledger.taken(), 50);
    }
}

#[test]
fn a14_numbers_are_gapless_and_in_file_order_under_many_threads() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        segment: SegmentSettings {
            size: 100_000,
            age: LONG,
        },
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                let sub = format!("thread-{thread}");
                for round in 0..500 {
                    let event = event(&ledger, &sub);
                    match round % 8 {
                        0 => block_on(ledger.append(&event)).unwrap(),
                        1 => ledger.append_lossy(&event),
                        _ => ledger.append_later(&event).unwrap(),
                    }
                }
            });
        }
    });
    ledger.flush_and_close();
    assert_eq!(records(&settings).len() as u64, 4000 - ledger.lost());
    let begun = actions(&settings)
        .iter()
        .filter(|action| *action == "ledger/segment")
        .count();
    assert!(begun > 3, "many segments: {begun}");
}

#[test]
fn a_record_for_later_is_written_without_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    ledger.append_later(&event(&ledger, "alice")).unwrap();
    until(|| ledger.queue_bytes() == 0);
    assert_eq!(records(&settings).len(), 1);
}

#[test]
fn a_record_is_written_although_nobody_waits_for_it_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    let event = event(&ledger, "alice");
    let mut future = Box::pin(ledger.append(&event));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    drop(future);
    until(|| ledger.queue_bytes() == 0);
    assert_eq!(records(&settings).len(), 1);
}

#[test]
fn a18_records_of_tasks_that_are_ready_together_are_all_acknowledged() {
    for durability in [Durability::Os, Durability::Disk] {
        let directory = tempfile::tempdir().unwrap();
        let settings = LedgerSettings {
            durability,
            ..settings(directory.path())
        };
        let ledger = open(&settings).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap();
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let ledger = ledger.clone();
                runtime.spawn(async move {
                    for _ in 0..50 {
                        ledger.append(&event(&ledger, "alice")).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
        assert_eq!(records(&settings).len(), 64 * 50);
    }
}

#[test]
fn what_waits_is_written_before_the_ledger_closes() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    for _ in 0..100 {
        ledger.append_later(&event(&ledger, "alice")).unwrap();
    }
    ledger.flush_and_close();
    assert_eq!(records(&settings).len(), 100);
}

#[test]
fn a_closed_ledger_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(&settings(directory.path())).unwrap();
    ledger.flush_and_close();
    let refused = block_on(ledger.append(&event(&ledger, "alice"))).unwrap_err();
    assert!(matches!(refused, AuditError::Closed), "{refused}");
    assert_eq!(refused.reason(), Reason::AuditUnavailable);
    assert!(ledger.append_later(&event(&ledger, "alice")).is_err());
    assert_eq!(ledger.standing(), Standing::Failing);
}

#[test]
fn a15_every_start_goes_on_with_the_chain_in_a_segment_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let mut boots = std::collections::HashSet::new();
    for _ in 0..3 {
        let ledger = open(&settings).unwrap();
        block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
        ledger.flush_and_close();
    }
    let segments = Segments::list(&settings.directory).unwrap();
    assert_eq!(segments.len(), 3);
    for record in ledger_of(&settings) {
        if record["action"] == "ledger/segment" {
            assert_eq!(record["kind"], "lifecycle");
            assert_eq!(record["segment"]["first"], record["seq"]);
            assert_eq!(record["gateway"]["instance"], "gw");
            boots.insert(record["segment"]["boot"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(boots.len(), 3, "each start has a name");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&settings.directory), 0o700);
    for segment in segments {
        assert_eq!(mode(&segment.path), 0o600);
    }
}

#[test]
fn records_of_an_older_format_are_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    std::fs::create_dir(&settings.directory).unwrap();
    let old = settings
        .directory
        .join("gatewright-20261101T000000000Z-7.jsonl");
    std::fs::write(&old, b"{\"seq\":1}\n").unwrap();
    open(&settings).unwrap().flush_and_close();
    assert_eq!(std::fs::read(&old).unwrap(), b"{\"seq\":1}\n");
    assert_eq!(ledger_of(&settings)[0]["seq"], 1);
}

#[test]
fn a15_a_directory_that_is_in_use_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let first = open(&settings).unwrap();
    let refused = open(&settings).unwrap_err();
    assert!(matches!(refused, AuditError::Locked { .. }), "{refused}");
    assert!(
        refused
            .to_string()
            .contains(settings.directory.to_str().unwrap()),
        "{refused}"
    );
    drop(first);
    open(&settings).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    std::fs::write(&settings.directory, b"a file").unwrap();
    assert!(matches!(
        open(&settings).unwrap_err(),
        AuditError::Directory { .. }
    ));
}

#[test]
fn a18_a_full_queue_refuses_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        queue_bytes: 100,
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    let refused = block_on(ledger.append(&event(&ledger, "alice"))).unwrap_err();
    assert!(
        matches!(refused, AuditError::QueueFull { limit: 100 }),
        "{refused}"
    );
    assert!(ledger.append_later(&event(&ledger, "alice")).is_err());
    assert_eq!(
        ledger.standing(),
        Standing::Well,
        "no room for this one is not a broken disk"
    );
}

#[test]
fn a16_an_old_segment_ends_and_an_empty_one_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        segment: SegmentSettings {
            size: 1 << 20,
            age: Duration::ZERO,
        },
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    for _ in 0..3 {
        block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    }
    ledger.flush_and_close();
    // One record each: the first finds a segment that has none yet.
    assert_eq!(Segments::list(&settings.directory).unwrap().len(), 3);
}

#[test]
fn those_who_read_the_files_learn_of_what_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = open(&settings(directory.path())).unwrap();
    let written = ledger.written();
    block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    assert_eq!(
        written.borrow().seq,
        2,
        "the segment's own record is the first"
    );
}
