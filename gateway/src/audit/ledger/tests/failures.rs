//! A ledger whose disk fails, and whose files others change.

use std::time::Duration;

use super::{LONG, actions, block_on, event, ledger_of, open, records, settings, until};
use crate::audit::error::AuditError;
use crate::audit::lane::Standing;
use crate::audit::segments::Segments;
use crate::audit::settings::{LedgerSettings, OnFailure};

/// Takes the folder of the ledger away, as when a disk is gone.
fn take_away(settings: &LedgerSettings) {
    std::fs::rename(
        &settings.directory,
        settings.directory.with_extension("gone"),
    )
    .unwrap();
}

fn bring_back(settings: &LedgerSettings) {
    std::fs::rename(
        settings.directory.with_extension("gone"),
        &settings.directory,
    )
    .unwrap();
}

#[test]
fn a05_a_directory_that_is_gone_refuses_and_one_that_is_back_gets_every_record() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    for _ in 0..3 {
        let refused = block_on(ledger.append(&event(&ledger, "refused"))).unwrap_err();
        assert!(matches!(refused, AuditError::Write { .. }), "{refused}");
        assert_eq!(ledger.standing(), Standing::Failing);
    }
    ledger.append_lossy(&event(&ledger, "a stranger"));
    assert_eq!(ledger.lost(), 1);
    ledger.append_later(&event(&ledger, "an outcome")).unwrap();
    bring_back(&settings);
    until(|| ledger.standing() == Standing::Well);
    block_on(ledger.append(&event(&ledger, "allowed"))).unwrap();
    let subs: Vec<_> = records(&settings)
        .iter()
        .map(|record| record["sub"].clone())
        .collect();
    assert_eq!(subs, ["refused", "an outcome", "allowed"]);
}

#[test]
fn a_lost_directory_does_not_keep_the_ledger_from_closing() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    block_on(ledger.append(&event(&ledger, "refused"))).unwrap_err();
    ledger.flush_and_close();
    assert!(
        ledger.queue_bytes() > 0,
        "what could not be written is not forgotten silently"
    );
}

#[test]
fn a05_a_ledger_that_may_spill_goes_on_elsewhere_and_comes_back() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        on_failure: OnFailure::Spill {
            directory: directory.path().join("spill"),
            limit: LONG,
        },
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    block_on(ledger.append(&event(&ledger, "home"))).unwrap();
    take_away(&settings);
    block_on(ledger.append(&event(&ledger, "elsewhere"))).unwrap();
    assert_eq!(ledger.standing(), Standing::Spilling);
    bring_back(&settings);
    until(|| ledger.standing() == Standing::Well);
    block_on(ledger.append(&event(&ledger, "home again"))).unwrap();
    ledger.flush_and_close();
    drop(ledger);
    let subs: Vec<_> = records(&settings)
        .iter()
        .map(|record| record["sub"].clone())
        .collect();
    assert_eq!(subs, ["home", "elsewhere", "home again"]);
    assert_eq!(
        Segments::list(&directory.path().join("spill"))
            .unwrap()
            .len(),
        1
    );
    assert!(actions(&settings).contains(&"ledger/lapsed".to_owned()));
    let ledger = open(&settings).unwrap();
    block_on(ledger.append(&event(&ledger, "the next start"))).unwrap();
    assert_eq!(records(&settings).len(), 4);
}

#[test]
fn a05_a_ledger_spills_no_longer_than_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        on_failure: OnFailure::Spill {
            directory: directory.path().join("spill"),
            limit: Duration::ZERO,
        },
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    block_on(ledger.append(&event(&ledger, "the first"))).unwrap();
    block_on(ledger.append(&event(&ledger, "refused"))).unwrap_err();
    assert_eq!(ledger.standing(), Standing::Failing);
    bring_back(&settings);
    until(|| ledger.standing() == Standing::Well);
    block_on(ledger.append(&event(&ledger, "allowed"))).unwrap();
    assert_eq!(records(&settings).len(), 3);
}

#[test]
fn a05_a_ledger_that_continues_lets_pass_and_tells_how_many() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        on_failure: OnFailure::Continue { limit: LONG },
        queue_bytes: 4000,
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    for _ in 0..20 {
        block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    }
    assert_eq!(ledger.standing(), Standing::Continuing);
    let (lost, kept) = (ledger.unrecorded(), ledger.taken());
    assert!(lost > 0 && kept > 0, "{lost} {kept}");
    assert_eq!(lost + kept, 20);
    bring_back(&settings);
    until(|| actions(&settings).contains(&"ledger/lapsed".to_owned()));
    let all = ledger_of(&settings);
    let lapse = all
        .iter()
        .find(|record| record["action"] == "ledger/lapsed")
        .unwrap();
    assert_eq!(lapse["lapse"]["mode"], "continue");
    assert_eq!(lapse["lapse"]["passed"], 20);
    assert_eq!(lapse["lapse"]["lost"], lost);
    assert_eq!(records(&settings).len() as u64, kept);
    assert_eq!(ledger.standing(), Standing::Well);
}

#[test]
fn a05_a_ledger_continues_no_longer_than_it_may() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        on_failure: OnFailure::Continue {
            limit: Duration::from_millis(1),
        },
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    let _ = block_on(ledger.append(&event(&ledger, "alice")));
    until(|| ledger.standing() == Standing::Failing);
    let refused = block_on(ledger.append(&event(&ledger, "alice"))).unwrap_err();
    assert!(matches!(refused, AuditError::Write { .. }), "{refused}");
}

#[test]
fn a16_a_segment_that_somebody_takes_away_is_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    let path = Segments::path(&settings.directory, 1);
    std::fs::rename(&path, path.with_extension("1")).unwrap();
    block_on(ledger.append(&event(&ledger, "bob"))).unwrap();
    // As logrotate would bring it back, if it were asked to copy.
    std::fs::rename(path.with_extension("1"), &path).unwrap();
    let all = ledger_of(&settings);
    let said = all
        .iter()
        .find(|record| record["kind"] == "anomaly")
        .unwrap();
    assert_eq!(said["action"], "ledger/disturbed");
    assert_eq!(said["disturbed"]["found"], "missing");
    assert_eq!(said["disturbed"]["file"], "00000000000000000001.jsonl");
    assert_eq!(records(&settings).len(), 2);
}

#[test]
fn a16_a_segment_that_is_cut_by_others_is_on_record() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    let path = Segments::path(&settings.directory, 1);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, b"").unwrap();
    block_on(ledger.append(&event(&ledger, "bob"))).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        b"",
        "it is left as it was found"
    );
    std::fs::write(&path, &whole).unwrap();
    let all = ledger_of(&settings);
    let said = all
        .iter()
        .find(|record| record["kind"] == "anomaly")
        .unwrap();
    assert_eq!(said["disturbed"]["found"], "shortened");
    assert_eq!(said["disturbed"]["expected_bytes"], whole.len());
    assert_eq!(said["disturbed"]["bytes"], 0);
}

#[test]
fn a05_a_ledger_without_calls_finds_out_by_itself_that_its_disk_is_gone_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path());
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    until(|| ledger.standing() == Standing::Failing);
    bring_back(&settings);
    until(|| ledger.standing() == Standing::Well);
    block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    assert_eq!(records(&settings).len(), 1);
}

#[test]
fn a05_a_spilled_ledger_whose_old_segment_is_gone_comes_home() {
    let directory = tempfile::tempdir().unwrap();
    let settings = LedgerSettings {
        on_failure: OnFailure::Spill {
            directory: directory.path().join("spill"),
            limit: LONG,
        },
        ..settings(directory.path())
    };
    let ledger = open(&settings).unwrap();
    take_away(&settings);
    until(|| ledger.standing() == Standing::Spilling);
    bring_back(&settings);
    std::fs::remove_file(Segments::path(&settings.directory, 1)).unwrap();
    until(|| ledger.standing() == Standing::Well);
    block_on(ledger.append(&event(&ledger, "alice"))).unwrap();
    assert_eq!(Segments::list(&settings.directory).unwrap().len(), 1);
}
