//! Pins in memory and on the disk.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::book::{Approved, Book, Drift, Sight, TELLINGS, TEXT, TEXTS, TOLD, TOOLS};
use super::{Keeper, News, PinError, PinState, Pins, ServerPins};
use crate::mcp::Definition;
use crate::model::{Digest, ServerName, UnixTime};

const NOON: UnixTime = UnixTime::from_seconds(1_800_000_000);

fn item(name: &str, description: &str) -> String {
    json!({ "name": name, "description": description, "inputSchema": { "type": "object" } })
        .to_string()
}

fn digest(item: &str) -> Digest {
    Definition::of(item).unwrap().digest()
}

/// Sees the tool `pay` with this description.
fn see(book: &mut Book, description: &str) -> Sight {
    book.see("pay", &item("pay", description), NOON)
}

fn drift(from: &str, to: &str) -> Sight {
    Sight::Changed(Some(Drift {
        pinned: digest(&item("pay", from)),
        found: digest(&item("pay", to)),
    }))
}

#[test]
fn s11_a_tool_is_pinned_at_first_sight_and_each_change_is_told_once() {
    let mut book = Book::default();
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    assert!(!book.doubts("pay"));
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    assert_eq!(see(&mut book, "steals"), drift("pays", "steals"));
    assert!(book.doubts("pay"));
    assert_eq!(see(&mut book, "steals"), Sight::Changed(None));
    assert_eq!(see(&mut book, "robs"), drift("pays", "robs"));
    assert_eq!(see(&mut book, "steals"), Sight::Changed(None));
    assert_eq!(book.entries()["pay"].state(), PinState::Changed);
}

#[test]
fn s11_a_tool_that_is_again_what_it_was_is_not_changed() {
    let mut book = Book::default();
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    assert_eq!(see(&mut book, "steals"), drift("pays", "steals"));
    assert_eq!(see(&mut book, "pays"), Sight::Same, "it is what it was");
    assert!(!book.doubts("pay"));
    assert_eq!(see(&mut book, "steals"), Sight::Changed(None), "told");
    assert!(book.doubts("pay"));
    assert!(!book.doubts("refund"), "never seen is not changed");
}

#[test]
fn s11_another_spelling_of_a_definition_is_no_change() {
    let mut book = Book::default();
    assert_eq!(see(&mut book, "pays é"), Sight::Same);
    for spelled in [
        item("pay", "pays é").replace('é', "\\u00e9"),
        r#"{"inputSchema" : {"type":"object"}, "description":"pays é","name":"pay","_meta":{"n":1}}"#.to_owned(),
    ] {
        assert_eq!(book.see("pay", &spelled, NOON), Sight::Same, "{spelled}");
    }
}

#[test]
fn s11_an_approval_pins_what_was_looked_at_and_nothing_that_came_later() {
    let mut book = Book::default();
    let approved = Approved {
        at: NOON,
        uid: Some(7),
    };
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    assert_eq!(see(&mut book, "steals"), drift("pays", "steals"));
    let looked_at = book.entries()["pay"].change.clone().unwrap().kept;
    assert_eq!(see(&mut book, "robs"), drift("pays", "robs"));

    book.approve("pay", &looked_at, approved);

    assert!(book.doubts("pay"), "nobody looked at the last change");
    assert_eq!(see(&mut book, "steals"), Sight::Same);
    assert!(!book.doubts("pay"));
    assert_eq!(book.entries()["pay"].approved, Some(approved));
    assert_eq!(see(&mut book, "pays"), drift("steals", "pays"));
}

#[test]
fn s11_a_telling_that_failed_is_told_at_the_next_sight() {
    let mut book = Book::default();
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    let Sight::Changed(Some(failed)) = see(&mut book, "steals") else {
        panic!("it changed");
    };
    book.forget_telling("pay", failed);
    assert_eq!(see(&mut book, "steals"), drift("pays", "steals"));
}

#[test]
fn s11_what_is_remembered_as_told_does_not_grow() {
    let mut book = Book::default();
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    for round in 0..=TOLD {
        let changed = format!("steals {round}");
        assert_eq!(see(&mut book, &changed), drift("pays", &changed));
    }
    assert_eq!(book.entries()["pay"].told.len(), TOLD);
    assert_eq!(see(&mut book, "steals 0"), drift("pays", "steals 0"));
}

#[test]
fn s11_a_server_that_never_stops_changing_is_told_of_a_thousand_times_a_minute() {
    let mut book = Book::default();
    assert_eq!(see(&mut book, "pays"), Sight::Same);
    let mut told = 0;
    for round in 0..=TELLINGS {
        told += u32::from(see(&mut book, &format!("{round}")) != Sight::Changed(None));
    }
    assert_eq!(told, TELLINGS);
    let later = NOON.plus(Duration::from_secs(60));
    let last = item("pay", &TELLINGS.to_string());
    assert!(
        matches!(book.see("pay", &last, later), Sight::Changed(Some(_))),
        "what was too much is told later"
    );
}

#[test]
fn s11_ten_thousand_tools_are_pinned_and_one_more_is_in_doubt() {
    let mut book = Book::default();
    for tool in 0..TOOLS {
        let name = tool.to_string();
        assert!(!book.doubts("other"), "{tool}");
        assert_eq!(book.see(&name, &item(&name, ""), NOON), Sight::Same);
    }
    assert_eq!(book.see("other", &item("other", ""), NOON), Sight::Unknown);
    assert!(book.doubts("other") && !book.doubts("0"));
    assert_eq!(book.entries().len(), TOOLS);
}

#[test]
fn s11_a_definition_of_64_kib_is_kept_and_of_a_larger_one_the_hash() {
    let empty = Definition::of(&item("a", "")).unwrap().text().len();
    for (length, is_kept) in [(TEXT - 1, true), (TEXT, true), (TEXT + 1, false)] {
        let mut book = Book::default();
        let text = item("a", &"x".repeat(length - empty));
        assert_eq!(book.see("a", &text, NOON), Sight::Same);
        let kept = &book.entries()["a"].pinned;
        assert_eq!(kept.text.is_some(), is_kept, "{length}");
        assert_eq!(kept.digest, digest(&text));
        let changed = text.replace("xx", "xy");
        assert!(matches!(
            book.see("a", &changed, NOON),
            Sight::Changed(Some(_))
        ));
    }
}

#[test]
fn s11_of_all_definitions_of_a_server_32_mib_are_kept() {
    let mut book = Book::default();
    let filler = "x".repeat(TEXT - 200);
    let tools = TEXTS / (TEXT - 200) + 2;
    for tool in 0..tools {
        let name = tool.to_string();
        assert_eq!(book.see(&name, &item(&name, &filler), NOON), Sight::Same);
    }
    let texts = book
        .entries()
        .values()
        .filter_map(|entry| entry.pinned.text.as_ref());
    let bytes: usize = texts.map(|text| text.len()).sum();
    assert!(bytes <= TEXTS && bytes > TEXTS - TEXT, "{bytes}");
    assert_eq!(book.entries().len(), tools);
}

fn keeper(folder: &Path) -> (Keeper, Arc<AtomicUsize>) {
    let failures = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&failures);
    let report = move |_: &ServerName, _: &PinError| {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    (
        Keeper::new(&folder.join("pins"), Arc::new(report)),
        failures,
    )
}

fn crm(keeper: &Keeper, mode: Pins) -> Arc<ServerPins> {
    let name = ServerName::new("crm");
    let pins = keeper.of_server(&name).unwrap();
    keeper.set_modes(&[(&name, mode)]);
    pins
}

fn seen(pins: &ServerPins, description: &str) -> (bool, bool) {
    let seen = pins.see("pay", &item("pay", description), NOON);
    (seen.is_shown, seen.news != News::None)
}

#[test]
fn s11_the_mode_says_what_follows_from_a_change() {
    let folder = TempDir::new().unwrap();
    let (keeper, _) = keeper(folder.path());
    let pins = crm(&keeper, Pins::Off);
    assert_eq!(seen(&pins, "anything"), (true, false));
    assert!(pins.entries().is_empty(), "off remembers nothing");
    crm(&keeper, Pins::Warn);
    assert_eq!(seen(&pins, "pays"), (true, false));
    assert_eq!(seen(&pins, "steals"), (true, true));
    assert!(!pins.withholds("pay"));
    crm(&keeper, Pins::Block);
    assert_eq!(seen(&pins, "steals"), (false, false));
    assert!(pins.withholds("pay") && !pins.withholds("refund"));
    keeper.set_modes(&[]);
    assert!(!pins.withholds("pay"), "a server that is gone pins nothing");
    assert_eq!(pins.entries().len(), 1, "and forgets nothing");
}

#[test]
fn s11_concurrent_lists_tell_of_a_change_once() {
    let folder = TempDir::new().unwrap();
    let (keeper, _) = keeper(folder.path());
    let pins = crm(&keeper, Pins::Block);
    assert_eq!(seen(&pins, "pays"), (true, false));
    let (barrier, told) = (Barrier::new(8), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                for round in 0..50 {
                    let (is_shown, has_news) = seen(&pins, &format!("steals {}", round % 5));
                    assert!(!is_shown);
                    told.fetch_add(usize::from(has_news), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(told.load(Ordering::Relaxed), 5);
}

#[test]
fn s11_pins_are_written_beside_the_requests_and_read_at_the_next_start() {
    let folder = TempDir::new().unwrap();
    let (first, failures) = keeper(folder.path());
    let pins = crm(&first, Pins::Block);
    assert_eq!(seen(&pins, "pays"), (true, false));
    let file = folder.path().join("pins/crm.json");
    let began = Instant::now();
    while !file.exists() {
        assert!(began.elapsed() < Duration::from_secs(10), "never written");
        std::thread::yield_now();
    }
    assert_eq!(seen(&pins, "steals"), (false, true));
    first.close();
    for (path, mode) in [(file.clone(), 0o600), (folder.path().join("pins"), 0o700)] {
        let found = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{}", path.display());
    }

    let (second, _) = keeper(folder.path());
    let again = crm(&second, Pins::Block);
    assert!(again.withholds("pay"), "a change is still one");
    let forget_spellings = |pins: &ServerPins| {
        let mut entries = pins.entries();
        for (_, entry) in &mut entries {
            entry.spelling = None;
        }
        entries
    };
    assert_eq!(again.entries(), forget_spellings(&pins));
    assert_eq!(seen(&again, "steals"), (false, false), "told before");
    assert_eq!(seen(&again, "pays"), (true, false));
    assert_eq!(failures.load(Ordering::Relaxed), 0);
}

#[test]
fn s11_a_directory_of_pins_has_one_owner() {
    let folder = TempDir::new().unwrap();
    let (first, _) = keeper(folder.path());
    crm(&first, Pins::Warn);
    let (second, _) = keeper(folder.path());
    let name = ServerName::new("crm");
    assert!(matches!(
        second.of_server(&name),
        Err(PinError::Locked { .. })
    ));
    first.close();
    assert!(second.of_server(&name).is_ok());
}

#[test]
fn s11_a_write_that_fails_is_reported_and_tried_again() {
    let folder = TempDir::new().unwrap();
    let (keeper, failures) = keeper(folder.path());
    let pins = crm(&keeper, Pins::Warn);
    let file = folder.path().join("pins/crm.json");
    // A folder in the place of the file cannot be replaced by one.
    std::fs::create_dir_all(file.join("x")).unwrap();
    assert_eq!(seen(&pins, "pays"), (true, false));
    let until = |holds: &dyn Fn() -> bool| {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(10));
            std::thread::yield_now();
        }
    };
    until(&|| failures.load(Ordering::Relaxed) > 0);
    assert!(pins.save().is_err());
    std::fs::remove_dir_all(&file).unwrap();
    until(&|| file.is_file());
    assert!(pins.save().is_ok());
}

#[test]
fn s11_a_file_that_is_not_what_was_written_is_an_error_and_no_empty_set_of_pins() {
    let folder = TempDir::new().unwrap();
    let (first, _) = keeper(folder.path());
    let pins = crm(&first, Pins::Warn);
    assert_eq!(seen(&pins, "pays"), (true, false));
    assert_eq!(seen(&pins, "steals"), (true, true));
    first.close();
    let file = folder.path().join("pins/crm.json");
    let good: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let tool = good["tools"][0].clone();
    let hash = tool["pinned"]["hash"].as_str().unwrap();
    for (bad, why) in [
        (String::new(), "EOF"),
        ("{".to_owned(), "EOF"),
        (good.to_string().replace("pays", "PAYS"), "hash"),
        (good.to_string().replace(hash, "12"), "64 digits"),
        (good.to_string().replace("pins/1", "pins/2"), "format"),
        (good.to_string().replace("\"crm\"", "\"wiki\""), "`wiki`"),
        (
            good.to_string().replace("first_seen", "first"),
            "unknown field",
        ),
        (
            json!({ "format": "gatewright.pins/1", "server": "crm", "tools": [tool, tool] })
                .to_string(),
            "twice",
        ),
    ] {
        std::fs::write(&file, &bad).unwrap();
        let (again, _) = keeper(folder.path());
        let error = again.of_server(&ServerName::new("crm")).unwrap_err();
        let told = error.to_string();
        assert!(
            told.contains(why) && told.contains("crm.json") && told.contains("remove it"),
            "{told}"
        );
        assert_eq!(std::fs::read_to_string(&file).unwrap(), bad, "left alone");
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (again, _) = keeper(folder.path());
    let unreadable = again.of_server(&ServerName::new("crm"));
    assert!(matches!(unreadable, Err(PinError::File { .. })));
}

#[test]
fn s11_a_gateway_that_pins_nothing_makes_nothing() {
    let folder = TempDir::new().unwrap();
    let (keeper, _) = keeper(folder.path());
    keeper.set_modes(&[]);
    keeper.close();
    assert!(!folder.path().join("pins").exists());
}
