//! Checkpoints that are not what they should be, here and in the second place.

use gatewright::audit::verify::FaultKind;
use serde_json::json;

use crate::book::{self, Key, note};
use crate::{found, lines};

#[test]
fn a12_a_ledger_without_checkpoints_proves_nothing() {
    let stripped = found(|book| {
        for (_, lines) in &mut book.segments {
            lines.retain(|line| !line.contains("\"checkpoint\""));
        }
        book.rechain();
        book.notes = Some(String::new());
    });
    assert_eq!(stripped, [(FaultKind::Unsigned, 0, None)]);
    let empty = found(|book| {
        book.segments.clear();
        book.notes = Some(String::new());
    });
    assert_eq!(empty, [(FaultKind::Unsigned, 0, None)]);
}

#[test]
fn a12_a_checkpoint_holds_in_its_own_place_alone() {
    let key = Key::new(1);
    let moved = found(|book| {
        let early = lines(book, 0)[4].clone();
        let early: serde_json::Value = serde_json::from_str(&early).unwrap();
        book.write(json!({ "kind": "checkpoint", "checkpoint": early["checkpoint"] }));
    });
    assert_eq!(moved, [(FaultKind::WrongSize, 9, Some(25))]);
    let early = found(|book| {
        let text = note((25, book.head.1), "", &[&key]);
        book.write(json!({ "kind": "checkpoint", "checkpoint": { "note": text } }));
    });
    assert_eq!(early, [(FaultKind::WrongSize, 9, Some(25))]);
    let other = found(|book| {
        let text = note((24, book::ZEROS), "", &[&key]);
        book.write(json!({ "kind": "checkpoint", "checkpoint": { "note": text } }));
    });
    assert_eq!(other, [(FaultKind::WrongHead, 9, Some(25))]);
}

#[test]
fn a12_what_is_no_note_is_no_checkpoint() {
    let key = Key::new(1);
    for change in [
        |note: String| note.replacen("\n\n", "\n", 1),
        |note: String| {
            note.replacen("time ", "time\t", 1)
                .replacen("\n\n", "\n\n\n", 1)
        },
        |note: String| note.replacen("24", "024", 1),
        |note: String| note.replacen("time", "deleted 1-2\ndeleted 1-2\ntime", 1),
        |note: String| note.trim_end().to_owned(),
        |note: String| note.replacen('\u{2014}', "-", 1),
        |_| String::new(),
    ] {
        let found = found(|book| {
            let text = change(note(book.head, "", &[&key]));
            book.write(json!({ "kind": "checkpoint", "checkpoint": { "note": text } }));
        });
        assert_eq!(found, [(FaultKind::BadNote, 9, Some(25))]);
    }
    let none = found(|book| book.write(json!({ "kind": "checkpoint" })));
    assert_eq!(none, [(FaultKind::BadNote, 9, Some(25))]);
}

#[test]
fn a10_a_second_place_that_is_gone_cut_or_changed_is_a_fault() {
    let gone = found(|book| book.notes = None);
    assert_eq!(gone, [(FaultKind::SecondPlace, 0, None)]);
    let cut = found(|book| {
        let notes = book.notes.take().unwrap();
        let (before, _) = notes.split_once("gatewright/test\n23\n").unwrap();
        book.notes = Some(before.to_owned());
    });
    assert_eq!(cut, [(FaultKind::SecondPlace, 0, None)]);
    let changed = found(|book| {
        let notes = book.notes.take().unwrap();
        book.notes = Some(notes.replacen("\n7\n", "\n6\n", 1));
    });
    assert_eq!(changed, [(FaultKind::BadSignature, 8, Some(6))]);
    let torn = found(|book| {
        let notes = book.notes.as_mut().unwrap();
        notes.push_str("gatewright/test\n25\nAA");
    });
    assert!(torn.is_empty(), "it is being written: {torn:?}");
}
