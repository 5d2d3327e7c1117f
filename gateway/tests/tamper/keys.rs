//! Keys of checkpoints: who may sign, and from when to when.

use gatewright::audit::verify::{FaultKind, VerifyingKey};
use serde_json::json;

use crate::book::{Book, Key, note};

/// A ledger in which the first key signed the second.
fn rotated() -> (Book, Key, Key) {
    let (old, new) = (Key::new(1), Key::new(2));
    let mut book = Book::usual(&old);
    book.checkpoint(&format!("next-key {}\n", new.public()), &[&old, &new]);
    book.records(2);
    (book, old, new)
}

#[test]
fn a23_a_key_that_the_old_one_signed_is_known_from_then_on() {
    let (mut book, old, new) = rotated();
    book.checkpoint("", &[&new]);
    let report = book.verified();
    assert!(report.is_good(), "{:?}", report.faults);
    assert_eq!(report.last_checkpoint.unwrap().key, new.shown());
    book.keys = format!("{}\n{}\n", old.public(), new.public());
    assert!(book.verified().is_good());
}

#[test]
fn a23_a_rotation_that_was_announced_twice_is_one() {
    let (mut book, old, new) = rotated();
    book.checkpoint(&format!("next-key {}\n", new.public()), &[&old, &new]);
    book.checkpoint("", &[&new]);
    let report = book.verified();
    assert!(report.is_good(), "{:?}", report.faults);
}

#[test]
fn a23_the_old_key_signs_nothing_after_the_new_one() {
    let (mut book, old, _) = rotated();
    book.checkpoint("", &[&old]);
    assert_eq!(book.faults()[0].0, FaultKind::RetiredKey);
}

#[test]
fn a23_a_known_key_that_nobody_announced_does_not_sign() {
    let (old, new) = (Key::new(1), Key::new(2));
    let mut book = Book::usual(&old);
    book.keys = format!("{}\n{}\n", old.public(), new.public());
    book.checkpoint("", &[&new]);
    assert_eq!(book.faults()[0].0, FaultKind::UnannouncedKey);
}

#[test]
fn a23_a_new_key_must_sign_too_and_the_old_one_must_sign_it() {
    let (old, new) = (Key::new(1), Key::new(2));
    let next = format!("next-key {}\n", new.public());
    for (keys, kind) in [
        (vec![&old], FaultKind::BrokenRotation),
        (vec![&new], FaultKind::UnknownKey),
    ] {
        let mut book = Book::usual(&old);
        book.checkpoint(&next, &keys);
        assert_eq!(book.faults()[0].0, kind);
    }
    let stranger = Key::named("gatewright/other", 3);
    let mut book = Book::usual(&old);
    book.checkpoint(
        &format!("next-key {}\n", stranger.public()),
        &[&old, &stranger],
    );
    assert_eq!(book.faults()[0].0, FaultKind::BrokenRotation);
}

#[test]
fn a23_a_ledger_under_a_key_that_nobody_knows_is_no_proof() {
    let mut book = Book::usual(&Key::new(1));
    book.keys = Key::new(2).public();
    let report = book.verified();
    assert_eq!(report.faults[0].kind, FaultKind::UnknownKey);
    assert!(report.last_checkpoint.is_none());
}

#[test]
fn a12_a_signature_that_does_not_fit_is_none_even_beside_a_good_one() {
    let (one, two) = (Key::new(1), Key::new(2));
    let mut book = Book::usual(&one);
    book.keys = format!("{}\n{}\n", one.public(), two.public());
    let good = note(book.head, "", &[&one]);
    let other = note((1, book.head.1), "", &[&two]);
    let line = other.lines().last().unwrap();
    let text = format!("{good}{line}\n");
    book.write(json!({ "kind": "checkpoint", "checkpoint": { "note": text } }));
    assert_eq!(book.faults()[0].0, FaultKind::BadSignature);
}

#[test]
fn a12_a_checkpoint_of_another_ledger_is_none_even_under_a_known_key() {
    let (one, two) = (Key::new(1), Key::named("gatewright/other", 2));
    let mut book = Book::usual(&one);
    book.keys = format!("{}\n{}\n", one.public(), two.public());
    let text = note(book.head, "", &[&two, &one]);
    book.write(json!({ "kind": "checkpoint", "checkpoint": { "note": text } }));
    assert_eq!(book.faults()[0].0, FaultKind::WrongOrigin);
}

#[test]
fn a23_a_file_of_keys_is_read_line_by_line_and_every_key_must_fit_its_id() {
    let public = Key::new(1).public();
    let text = format!("# kept by the auditor\n\n{public}\n");
    assert_eq!(VerifyingKey::parse_all(&text).unwrap().len(), 1);
    let (name, rest) = public.split_once('+').unwrap();
    let (id, key) = rest.split_once('+').unwrap();
    for bad in [
        "k".to_owned(),
        format!("{name}+00000000+{key}"),
        format!("other+{id}+{key}"),
        format!("{name}+{id}+{}", key.replacen('A', "B", 1)),
        format!("{name}+{id}"),
    ] {
        assert_eq!(
            VerifyingKey::parse_all(&format!("{public}\n{bad}\n")),
            Err(2),
            "{bad}"
        );
    }
}
