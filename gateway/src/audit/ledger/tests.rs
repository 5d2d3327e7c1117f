//! The ledger with real files, real threads and real failures.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Ledger;
use crate::audit::error::AuditError;
use crate::audit::event::{Event, Kind};
use crate::audit::part::Gateway;
use crate::audit::settings::{CheckpointSettings, LedgerSettings};
use crate::model::{Digest, Reason, UnixTime};

const LONG: Duration = Duration::from_secs(30);

fn settings(directory: &Path) -> LedgerSettings {
    LedgerSettings {
        directory: directory.join("audit"),
        queue_bytes: 16 << 20,
        wait: LONG,
        checkpoint: CheckpointSettings::beside(&directory.join("audit")),
    }
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

fn files(settings: &LedgerSettings) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(&settings.directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    files.sort();
    files
}

fn records(path: &Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// A link to a device that is always full, and a ledger that writes there.
fn full_disk(directory: &Path) -> (PathBuf, Ledger) {
    let link = directory.join("link");
    symlink("/dev/full", &link).unwrap();
    let ledger = Ledger::open_file(&link, 1 << 20, LONG).unwrap();
    (link, ledger)
}

#[test]
fn a_record_that_was_acknowledged_is_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = Ledger::open(&settings).unwrap();
    for round in 1..=50 {
        let mut event = event(&ledger, "alice");
        let seq = block_on(ledger.append(&mut event)).unwrap();
        assert_eq!((seq, event.seq), (round, round));
        let read = records(&files(&settings)[0]);
        assert_eq!(read.len() as u64, round);
        assert_eq!(read.last().unwrap()["seq"], round);
    }
    assert!(ledger.is_healthy());
    assert_eq!(ledger.queue_bytes(), 0);
}

#[test]
fn numbers_are_gapless_and_in_file_order_under_many_threads() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = Ledger::open(&settings).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                let sub = format!("thread-{thread}");
                for round in 0..1000 {
                    let mut event = event(&ledger, &sub);
                    match round % 8 {
                        0 => drop(block_on(ledger.append(&mut event)).unwrap()),
                        1 => ledger.append_lossy(&mut event),
                        _ => drop(ledger.append_later(&mut event).unwrap()),
                    }
                }
            });
        }
    });
    ledger.flush_and_close();
    let numbers: Vec<_> = records(&files(&settings)[0])
        .iter()
        .map(|record| record["seq"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=8000 - ledger.lost()).collect::<Vec<_>>());
}

#[test]
fn a_record_for_later_is_written_without_another_one() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = Ledger::open(&settings).unwrap();
    ledger.append_later(&mut event(&ledger, "alice")).unwrap();
    while ledger.queue_bytes() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(records(&files(&settings)[0]).len(), 1);
}

#[test]
fn a_record_is_written_although_nobody_waits_for_it_any_more() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = Ledger::open(&settings).unwrap();
    let mut event = event(&ledger, "alice");
    let mut future = Box::pin(ledger.append(&mut event));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    drop(future);
    while ledger.queue_bytes() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(records(&files(&settings)[0]).len(), 1);
}

#[test]
fn records_of_tasks_that_are_ready_together_are_all_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = Ledger::open(&settings).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let ledger = ledger.clone();
            runtime.spawn(async move {
                for _ in 0..50 {
                    ledger.append(&mut event(&ledger, "alice")).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    assert_eq!(records(&files(&settings)[0]).len(), 64 * 50);
}

#[test]
fn what_waits_is_written_before_the_ledger_closes() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = Ledger::open(&settings).unwrap();
    for _ in 0..100 {
        ledger.append_later(&mut event(&ledger, "alice")).unwrap();
    }
    ledger.flush_and_close();
    assert_eq!(records(&files(&settings)[0]).len(), 100);
}

#[test]
fn a_closed_ledger_refuses() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&settings(directory.path())).unwrap();
    ledger.flush_and_close();
    let refused = block_on(ledger.append(&mut event(&ledger, "alice"))).unwrap_err();
    assert!(matches!(refused, AuditError::Closed), "{refused}");
    assert_eq!(refused.reason(), Reason::AuditUnavailable);
    assert!(ledger.append_later(&mut event(&ledger, "alice")).is_err());
    assert!(!ledger.is_healthy());
}

#[test]
fn every_start_has_a_file_of_its_own_that_only_its_owner_reads() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    for _ in 0..3 {
        drop(Ledger::open(&settings).unwrap());
    }
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(files(&settings).len(), 3);
    assert_eq!(mode(&settings.directory), 0o700);
    for file in files(&settings) {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(
            name.starts_with("gatewright-20") && name.contains('T') && name.contains("Z-"),
            "{name}"
        );
        assert_eq!(mode(&file), 0o600);
    }
}

#[test]
fn a_directory_that_is_in_use_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let first = Ledger::open(&settings).unwrap();
    let refused = Ledger::open(&settings).unwrap_err();
    assert!(matches!(refused, AuditError::Locked { .. }), "{refused}");
    assert!(
        refused
            .to_string()
            .contains(settings.directory.to_str().unwrap()),
        "{refused}"
    );
    drop(first);
    Ledger::open(&settings).unwrap();
}

#[test]
fn a_directory_that_cannot_be_made_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    std::fs::write(&settings.directory, b"a file").unwrap();
    assert!(matches!(
        Ledger::open(&settings).unwrap_err(),
        AuditError::Directory { .. }
    ));
}

#[test]
fn a_full_disk_refuses_and_is_not_healthy() {
    let directory = tempfile::tempdir().unwrap();
    let (_link, ledger) = full_disk(directory.path());
    for _ in 0..3 {
        let refused = block_on(ledger.append(&mut event(&ledger, "alice"))).unwrap_err();
        assert!(
            matches!(
                refused,
                AuditError::Write {
                    kind: std::io::ErrorKind::StorageFull
                }
            ),
            "{refused}"
        );
        assert!(!ledger.is_healthy());
    }
    ledger.append_lossy(&mut event(&ledger, "a stranger"));
    assert_eq!(ledger.lost(), 1);
}

#[test]
fn a_disk_with_room_again_gets_every_number() {
    let directory = tempfile::tempdir().unwrap();
    let (link, ledger) = full_disk(directory.path());
    block_on(ledger.append(&mut event(&ledger, "refused"))).unwrap_err();
    ledger
        .append_later(&mut event(&ledger, "an outcome"))
        .unwrap();
    let good = directory.path().join("good");
    std::fs::remove_file(&link).unwrap();
    symlink(&good, &link).unwrap();
    while !ledger.is_healthy() {
        std::thread::yield_now();
    }
    assert_eq!(
        block_on(ledger.append(&mut event(&ledger, "allowed"))).unwrap(),
        3
    );
    let subs: Vec<_> = records(&good)
        .iter()
        .map(|record| record["sub"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(subs, ["refused", "an outcome", "allowed"]);
}

#[test]
fn a_full_disk_does_not_keep_the_ledger_from_closing() {
    let directory = tempfile::tempdir().unwrap();
    let (_link, ledger) = full_disk(directory.path());
    block_on(ledger.append(&mut event(&ledger, "refused"))).unwrap_err();
    ledger.flush_and_close();
    assert!(
        ledger.queue_bytes() > 0,
        "what could not be written is not forgotten silently"
    );
}

#[test]
fn a_full_queue_refuses_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = Ledger::open_file(&directory.path().join("file"), 100, LONG).unwrap();
    let refused = block_on(ledger.append(&mut event(&ledger, "alice"))).unwrap_err();
    assert!(
        matches!(refused, AuditError::QueueFull { limit: 100 }),
        "{refused}"
    );
    assert!(ledger.append_later(&mut event(&ledger, "alice")).is_err());
    assert!(
        ledger.is_healthy(),
        "no room for this one is not a broken disk"
    );
}

#[test]
fn a_write_that_does_not_return_refuses_after_the_wait_and_then_at_once() {
    // A pipe that nobody reads takes 64 KiB and then blocks, as a dead network disk does.
    let (reader, pipe) = std::io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&pipe));
    let ledger = Ledger::open_file(Path::new(&path), 1 << 20, Duration::from_millis(20)).unwrap();
    let mut refused = None;
    for _ in 0..10_000 {
        if let Err(error) = block_on(ledger.append(&mut event(&ledger, "alice"))) {
            refused = Some(error);
            break;
        }
    }
    assert!(
        matches!(refused, Some(AuditError::TimedOut { .. })),
        "{refused:?}"
    );
    let again = block_on(ledger.append(&mut event(&ledger, "alice"))).unwrap_err();
    assert!(matches!(again, AuditError::TimedOut { .. }), "{again}");
    assert!(!ledger.is_healthy());
    ledger.flush_and_close();
    drop(reader);
}
