//! The book on a real disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use super::{Book, BookError, Opener, place};

const ISSUER: &str = "https://auth.example.com";

fn files(ledger: &Path) -> usize {
    std::fs::read_dir(place(ledger)).unwrap().count()
}

#[test]
fn a17_a_person_has_one_pseudonym_until_it_is_erased_and_then_another() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("audit");
    let book = Book::open(&ledger).unwrap();
    assert!(matches!(
        book.remembered(ISSUER, "alice"),
        Err(BookError::Unread)
    ));
    let first = book.alias(ISSUER, "alice").unwrap();
    assert_eq!(first.pseudonym().len(), "sealed:".len() + 32);
    assert!(book.remembered(ISSUER, "alice").is_ok());
    assert_ne!(
        book.alias(ISSUER, "bob").unwrap().pseudonym(),
        first.pseudonym()
    );
    let elsewhere = book.alias("https://other.example.com", "alice").unwrap();
    assert_ne!(elsewhere.pseudonym(), first.pseudonym());
    let reopened = Book::open(&ledger).unwrap();
    let again = reopened.alias(ISSUER, "alice").unwrap();
    assert_eq!(again.pseudonym(), first.pseudonym(), "after a restart");

    let erased = book.erase(ISSUER, "alice").unwrap();
    assert_eq!(erased.as_deref(), Some(first.pseudonym()));
    assert!(book.remembered(ISSUER, "alice").is_err());
    assert_eq!(book.erase(ISSUER, "alice").unwrap(), None);
    let back = book.alias(ISSUER, "alice").unwrap();
    assert_ne!(
        back.pseudonym(),
        first.pseudonym(),
        "who comes back is somebody new"
    );
}

#[test]
fn a17_what_is_sealed_opens_with_the_book_and_never_after_the_erasure() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("audit");
    let book = Book::open(&ledger).unwrap();
    let (alice, bob) = (
        book.alias(ISSUER, "alice").unwrap(),
        book.alias(ISSUER, "bob").unwrap(),
    );
    let record = json!({
        "sub": alice.pseudonym(), "act": bob.pseudonym(), "kind": "decision",
        "actor": { "chain": [{ "sub": bob.pseudonym() }], "client_name": alice.seal("Alice's desk") },
        "source": { "ip": alice.seal("192.0.2.7"), "port": 7 },
    });
    let text = record.to_string();
    assert!(!text.contains("alice") && !text.contains("192.0.2.7") && !text.contains("desk"));
    let opened = |ledger: &Path| {
        let mut opened = record.clone();
        Opener::read(ledger).unwrap().open(&mut opened);
        opened
    };
    let all = opened(&ledger);
    assert_eq!((&all["sub"], &all["act"]), (&json!("alice"), &json!("bob")));
    assert_eq!(all["actor"]["chain"][0]["sub"], "bob");
    assert_eq!(all["actor"]["client_name"], "Alice's desk");
    assert_eq!(all["source"]["ip"], "192.0.2.7");

    book.erase(ISSUER, "bob").unwrap();
    let less = opened(&ledger);
    assert_eq!(
        (&less["sub"], &less["act"]),
        (&json!("alice"), &record["act"])
    );
    book.erase(ISSUER, "alice").unwrap();
    assert_eq!(opened(&ledger), record, "nobody can say who it was");
    assert_eq!(files(&ledger), 0);
    assert_eq!(opened(&folder.path().join("none")), record);
}

#[test]
fn equal_texts_are_equal_when_sealed_for_one_person_alone_and_long_ones_fit_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::open(&folder.path().join("audit")).unwrap();
    let (alice, bob) = (
        book.alias(ISSUER, "alice").unwrap(),
        book.alias(ISSUER, "bob").unwrap(),
    );
    assert_eq!(alice.seal("a"), alice.seal("a"));
    assert_ne!(alice.seal("a"), bob.seal("a"));
    assert_eq!(bob.open(&alice.seal("a")), None);
    let sealed = alice.seal(&"é".repeat(300));
    assert!(sealed.len() <= 256, "{}", sealed.len());
    let opened = alice.open(&sealed).unwrap();
    assert!(opened.starts_with("éé") && opened.ends_with("…(cut)"));
    for bad in ["", "sealed:", "sealed:AAAA", "a"] {
        assert_eq!(alice.open(bad), None, "{bad}");
    }
}

#[test]
fn the_book_is_its_owner_s_alone_and_a_damaged_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("audit");
    let book = Book::open(&ledger).unwrap();
    book.alias(ISSUER, "alice").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place(&ledger)), 0o700);
    let row = std::fs::read_dir(place(&ledger)).unwrap().next().unwrap();
    let row = row.unwrap().path();
    assert_eq!(mode(&row), 0o600);
    std::fs::write(&row, "{}").unwrap();
    let fresh = Book::open(&ledger).unwrap();
    let found = fresh.alias(ISSUER, "alice");
    assert!(matches!(found, Err(BookError::Damaged { .. })), "{found:?}");
    assert_eq!(fresh.erase(ISSUER, "alice").unwrap().as_deref(), Some(""));
}
