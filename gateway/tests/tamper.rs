//! The tamper kit: everything that somebody could do to a ledger, and what the verifier says about it. Each is done to a ledger that
//! is good before.

#![cfg(test)]

#[path = "tamper/book.rs"]
mod book;
#[path = "tamper/checkpoints.rs"]
mod checkpoints;
#[path = "tamper/keys.rs"]
mod keys;

use std::fs;

use book::{Book, Key, line, note};
use gatewright::audit::verify::{Evidence, FaultKind};
use serde_json::json;

/// A good ledger of records 1 to 24 in three segments, with checkpoints at 5, 8, 13, 16, 21 and 24.
fn usual() -> Book {
    let book = Book::usual(&Key::new(1));
    assert!(book.verified().is_good());
    book
}

/// What is found after `change`.
fn found(change: impl FnOnce(&mut Book)) -> Vec<(FaultKind, u64, Option<u64>)> {
    let mut book = usual();
    change(&mut book);
    book.faults()
}

fn lines(book: &mut Book, segment: usize) -> &mut Vec<String> {
    &mut book.segments[segment].1
}

#[test]
fn a_ledger_that_nobody_touched_is_good_and_its_sums_are_right() {
    let report = usual().verified();
    assert_eq!((report.records, report.segments), (24, 3));
    assert_eq!((report.first, report.last), (Some(1), Some(24)));
    assert_eq!((report.gaps, report.altered, report.unsealed), (0, 0, 0));
    assert_eq!((report.checkpoints, report.compared), (6, 6));
    let last = report.last_checkpoint.unwrap();
    assert_eq!((last.seq, last.key), (23, Key::new(1).shown()));
    assert_eq!(last.time, Some(book::time(23).to_string()));
}

#[test]
fn a10_a_changed_byte_is_found_in_its_record() {
    for (from, to) in [
        ("alice", "alicf"),
        ("\"allow\"", "\"deny\""),
        ("\"seq\":3", "\"seq\": 3"),
    ] {
        let found = found(|book| book.replace(3, from, to));
        assert_eq!(found, [(FaultKind::Altered, 3, Some(3))], "{from}");
    }
}

#[test]
fn a10_every_byte_of_a_record_is_covered() {
    let book = usual();
    let whole = book.segments[0].1[2].clone();
    for at in 0..whole.len() {
        let mut changed = whole.clone().into_bytes();
        changed[at] ^= 1;
        let mut book = usual();
        lines(&mut book, 0)[2] = String::from_utf8(changed).unwrap();
        let faults = book.faults();
        let is_named = faults.iter().any(|(_, line, _)| [3, 4].contains(line));
        assert!(is_named, "byte {at}: {faults:?}");
    }
}

#[test]
fn a10_a_deleted_record_is_missing() {
    let found = found(|book| drop(lines(book, 0).remove(2)));
    assert_eq!(found, [(FaultKind::Missing, 3, Some(3))]);
}

#[test]
fn a10_a_record_that_was_deleted_with_all_hashes_made_anew_shows_at_the_next_checkpoint() {
    let found = found(|book| {
        lines(book, 0).remove(2);
        book.rechain();
    });
    assert_eq!(found[0], (FaultKind::WrongSize, 4, Some(4)));
    assert!(found.iter().any(|(kind, ..)| *kind == FaultKind::Forked));
}

#[test]
fn a10_a_forged_record_is_found_wherever_it_is_put() {
    let forged = |book: &mut Book, seq: u64| {
        let (_, at) = book.at(seq);
        let prev = book::hash(&lines(book, 0)[at - 1]);
        let time = book::time(seq).to_string();
        line(
            prev,
            json!({ "timestamp": time, "seq": seq, "kind": "decision" }),
        )
    };
    let inserted = found(|book| {
        let forged = forged(book, 3);
        lines(book, 0).insert(2, forged);
    });
    assert_eq!(inserted[0], (FaultKind::OutOfOrder, 4, Some(3)));
    let exchanged = found(|book| {
        let forged = forged(book, 3);
        lines(book, 0)[2] = forged;
    });
    assert_eq!(exchanged, [(FaultKind::Unlinked, 4, Some(4))]);
    let copied = found(|book| {
        let copy = lines(book, 0)[2].clone();
        lines(book, 0).insert(3, copy);
    });
    assert_eq!(copied, [(FaultKind::OutOfOrder, 4, Some(3))]);
}

#[test]
fn a10_records_that_changed_places_are_found() {
    let found = found(|book| lines(book, 0).swap(2, 3));
    assert_eq!(
        found,
        [
            (FaultKind::Missing, 3, Some(3)),
            (FaultKind::OutOfOrder, 4, Some(3))
        ]
    );
}

#[test]
fn a10_a_changed_record_with_all_hashes_made_anew_shows_at_the_next_checkpoint() {
    let found = found(|book| {
        book.replace(11, "alice", "bob");
        book.rechain();
    });
    assert!(found.contains(&(FaultKind::WrongHead, 5, Some(13))));
    assert!(found.iter().any(|(kind, ..)| *kind == FaultKind::Forked));
}

#[test]
fn a10_an_end_that_was_cut_off_shows_against_the_second_place() {
    let cut = found(|book| lines(book, 2).truncate(6));
    assert_eq!(cut.len(), 1);
    assert_eq!((cut[0].0, cut[0].2), (FaultKind::Truncated, Some(22)));
    let whole = found(|book| drop(book.segments.pop()));
    assert_eq!((whole[0].0, whole[0].2), (FaultKind::Truncated, Some(16)));
}

#[test]
fn a10_an_old_copy_of_all_shows_against_a_checkpoint_that_somebody_kept() {
    let mut book = usual();
    let all = book.notes.clone().unwrap();
    let kept = all.trim_end().rsplit("\n\n").take(2).collect::<Vec<_>>();
    let kept = format!("{}\n\n{}\n", kept[1], kept[0]);
    let mut old = Book::new(&Key::new(1));
    old.segment();
    old.records(3);
    old.checkpoint("", &[&Key::new(1)]);
    assert!(old.verified().is_good(), "alone it looks good");
    old.kept.push(kept.clone());
    assert_eq!(old.faults()[0].0, FaultKind::Truncated);
    book.kept.push(kept);
    let report = book.verified();
    assert!(report.is_good() && report.compared == 7, "{report:?}");
}

#[test]
fn a10_an_old_copy_that_went_on_shows_in_the_second_place() {
    let key = Key::new(1);
    let mut book = usual();
    let notes = book.notes.clone();
    let mut other = Book::new(&key);
    other.segment();
    other.records(3);
    other.checkpoint("", &[&key]);
    assert_eq!(other.segments[0].1, book.segments[0].1[..5]);
    other.notes = notes;
    other.records(3);
    other.checkpoint("", &[&key]);
    let faults = other.faults();
    assert!(
        faults.iter().any(|fault| fault.0 == FaultKind::Truncated),
        "{faults:?}"
    );
    other.records(40);
    other.checkpoint("", &[&key]);
    let faults = other.faults();
    assert!(
        faults.iter().any(|fault| fault.0 == FaultKind::Forked),
        "{faults:?}"
    );
    assert!(
        faults.iter().any(|fault| fault.0 == FaultKind::SecondPlace),
        "{faults:?}"
    );
    book.records(1);
    assert!(book.verified().is_good());
}

#[test]
fn a13_a_ledger_that_shows_others_something_else_is_not_the_one_they_saw() {
    let key = Key::new(1);
    let mut other = Book::new(&key);
    other.segment();
    other.records(2);
    other.write(json!({ "kind": "decision", "sub": "mallory" }));
    let shown = other.checkpoint("", &[&key]);
    assert!(other.verified().is_good());
    let found = found(|book| book.kept.push(shown));
    assert_eq!(found, [(FaultKind::Forked, 1, Some(4))]);
}

#[test]
fn a16_a_segment_that_is_missing_renamed_or_exchanged_is_found() {
    let middle = found(|book| drop(book.segments.remove(1)));
    assert_eq!(middle, [(FaultKind::Missing, 1, Some(9))]);
    let first = found(|book| drop(book.segments.remove(0)));
    assert_eq!(first, [(FaultKind::NoTombstone, 0, Some(9))]);
    let renamed = found(|book| book.segments[1].0 = 10);
    assert_eq!(renamed, [(FaultKind::BadSegment, 1, Some(9))]);
    let exchanged = found(|book| {
        let lines = book.segments[1].1.clone();
        book.segments[1].1 = std::mem::replace(&mut book.segments[2].1, lines);
    });
    assert_eq!(exchanged[0], (FaultKind::BadSegment, 1, Some(17)));
}

#[test]
fn a16_half_a_line_is_a_fault_but_at_the_end_of_a_file() {
    let book = usual();
    let unfinished = book.verified_with("{\"timestamp\":\"2023", |evidence| evidence);
    assert!(unfinished.is_good());
    assert_eq!((unfinished.torn, unfinished.records), (1, 24));
    let earlier = book.verified_with("", |evidence| {
        let first = book::segment(&evidence.directories[0], 1);
        let text = fs::read_to_string(&first).unwrap();
        fs::write(first, text + "{\"timestamp\":\"2023").unwrap();
        evidence
    });
    assert!(earlier.is_good(), "{:?}", earlier.faults);
    assert_eq!((earlier.torn, earlier.records), (1, 24));
    let inside = found(|book| {
        let line = &mut lines(book, 1)[3];
        let half = line.len() / 2;
        line.truncate(half);
    });
    assert_eq!(inside, [(FaultKind::NotARecord, 4, Some(12))]);
}

#[test]
fn a02_text_that_looks_like_a_record_or_a_checkpoint_is_text() {
    let key = Key::new(1);
    let mut book = usual();
    let record = lines(&mut book, 0)[4].clone();
    let forged = note((1, book::ZEROS), "", &[&Key::new(9)]);
    for text in [
        record.as_str(),
        &forged,
        "\",\"integrity\":{\"prev\":\"",
        "}}\n{\"seq\":1",
    ] {
        book.write(json!({ "kind": "decision", "sub": text, "action": "ledger/segment" }));
    }
    book.checkpoint("", &[&key]);
    let report = book.verified();
    assert!(report.is_good(), "{:?}", report.faults);
}

#[test]
fn a21_time_that_goes_back_is_told_and_is_no_fault() {
    let key = Key::new(1);
    let mut book = usual();
    book.write(json!({ "kind": "decision", "timestamp": book::time(1).to_string() }));
    book.checkpoint("", &[&key]);
    let report = book.verified();
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!(report.clock_steps, 1);
}

#[test]
fn a17_records_that_were_deleted_in_order_are_not_missed_and_others_are() {
    let key = Key::new(1);
    let buried = |last: u64, head| {
        let mut book = usual();
        book.tombstone((1, last), head, &key);
        book.segments.remove(0);
        book.verified()
    };
    let head = book::hash(usual().segments[0].1.last().unwrap());
    let report = buried(8, head);
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!((report.first, report.deleted_to), (Some(9), Some(8)));
    for (last, head) in [(8, book::ZEROS), (7, head), (16, head)] {
        let report = buried(last, head);
        assert_eq!(report.faults[0].kind, FaultKind::NoTombstone, "{last}");
    }
}

#[test]
fn what_is_older_than_what_was_asked_for_is_not_read() {
    let mut book = usual();
    let since = |seq| {
        move |evidence: Evidence| Evidence {
            since: Some(book::time(seq)),
            ..evidence
        }
    };
    let report = book.verified_with("", since(18));
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!((report.first, report.records), (Some(17), 8));
    book.replace(3, "alice", "bob");
    assert!(book.verified_with("", since(18)).is_good(), "that is older");
    assert!(!book.verified_with("", since(5)).is_good());
    book.replace(19, "alice", "bob");
    assert!(!book.verified_with("", since(18)).is_good());
}

#[test]
fn more_faults_than_anybody_reads_are_counted() {
    let mut book = usual();
    let key = Key::new(1);
    book.records(300);
    book.checkpoint("", &[&key]);
    for seq in 25..300 {
        book.replace(seq, "alice", "bob");
    }
    let report = book.verified();
    assert_eq!(
        (report.altered, report.faults.len(), report.more_faults),
        (275, 100, 175)
    );
}
