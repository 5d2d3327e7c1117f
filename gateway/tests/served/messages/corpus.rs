//! The public corpus of JSON texts (JSONTestSuite) over the socket: what parsers disagree on never arrives
//! in two readings.

use std::path::PathBuf;

use super::{legacy_call, modern_call, modern_lines};
use crate::wire::{Lines, Wire};

/// Every file of a folder, by name.
fn files_of(folder: &str) -> Vec<(String, Vec<u8>)> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the corpus lies is no setting of the gateway"
    )]
    let root = std::env::var_os("GATEWRIGHT_CORPORA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora")),
        PathBuf::from,
    );
    let folder = root.join("JSONTestSuite").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}: set GATEWRIGHT_CORPORA", folder.display());
    });
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// What a parser must take (`y_`), must refuse (`n_`) or may do as it likes (`i_`).
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = files_of("test_parsing");
    assert!(files.len() > 300, "only {} files", files.len());
    let transformed = files_of("test_transform");
    assert!(transformed.len() > 20, "only {} files", transformed.len());
    // What parsers change when they write it again: nothing that they must take.
    let named = |(name, text)| (format!("i_transform_{name}"), text);
    files.extend(transformed.into_iter().map(named));
    files
}

fn names_a_key_twice(name: &str) -> bool {
    name.starts_with("y_object_duplicated_key") || name.starts_with("i_transform_object_same_key")
}

/// The first byte of the name says what a parser must do: take, refuse, or as it likes.
fn kind(name: &str) -> u8 {
    name.as_bytes()[0]
}

#[tokio::test]
async fn q14_h38_no_text_of_the_corpus_is_a_message() {
    for lines in [Lines::legacy(), modern_lines()] {
        none_is_a_message(&lines).await;
    }
}

async fn none_is_a_message(lines: &Lines) {
    let wire = Wire::start().await;
    let mut expected = Vec::new();
    for (name, text) in files() {
        let answer = wire.post(lines, text).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        let body = answer.json();
        let reason = body["error"]["data"]["reason"].as_str().unwrap().to_owned();
        assert_named(&name, &reason);
        expected.push(reason);
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(wire.decisions().await, expected, "one record each");
}

/// Malformed, named twice or no message, as the corpus has it.
fn assert_named(name: &str, reason: &str) {
    let is_malformed = reason == "json_malformed";
    match kind(name) {
        b'n' => assert!(is_malformed, "{name}: {reason}"),
        b'y' if names_a_key_twice(name) => assert_eq!(reason, "json_duplicate_key", "{name}"),
        b'y' => assert!(!is_malformed, "{name}: {reason}"),
        _ => {}
    }
}

#[tokio::test]
async fn q14_q15_q16_a_text_of_the_corpus_as_an_argument_arrives_byte_for_byte_or_not_at_all() {
    for (lines, call) in [
        (Lines::legacy(), legacy_call("{\"value\":@}")),
        (modern_lines(), modern_call("{\"value\":@}")),
    ] {
        let wire = Wire::start().await;
        let (before, after) = call.split_once('@').unwrap();
        let mut forwarded = 0;
        for (name, text) in files() {
            let body = [before.as_bytes(), &text, after.as_bytes()].concat();
            let answer = wire.post(&lines, body.clone()).await;
            match (kind(&name), answer.status) {
                (b'y', 400) => assert!(names_a_key_twice(&name), "{name}: {}", answer.body),
                (b'n' | b'i', 400) => {}
                (b'y' | b'i', 200) if !names_a_key_twice(&name) => {
                    forwarded += 1;
                    assert_eq!(wire.upstream.count(), forwarded, "{name}");
                    let arrived = wire.upstream.arrived().pop().unwrap();
                    assert!(arrived.body == body, "{name}");
                }
                (_, status) => panic!("{name}: {status}: {}", answer.body),
            }
            assert_eq!(wire.upstream.count(), forwarded, "{name}");
        }
        let decisions = wire.decisions().await;
        assert_eq!(decisions.len(), files().len(), "one record each");
        let allowed = decisions.iter().filter(|one| *one == "allow").count();
        assert_eq!(allowed, forwarded);
        assert!(forwarded > 90, "only {forwarded}");
    }
}
