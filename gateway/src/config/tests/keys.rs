//! The files of API keys: every mistake in one is found, and none shows a key.

use std::path::Path;

use crate::config::load::parse;
use crate::config::{Mistakes, Settings};
use crate::identity::PrincipalKind;
use crate::identity::api_key::NewKey;

use super::of_server;

const HASH: &str = "hmac-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HASH_KEY: &str = "0123456789abcdef0123456789abcdef\n";

/// The configuration with these rows and this key of the hash.
fn read(rows: &str, hash_key: &str) -> Result<Settings, Mistakes> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keys.yaml"), rows).unwrap();
    std::fs::write(folder.path().join("hash.key"), hash_key).unwrap();
    let text = of_server(
        "api_keys: { keys_file: keys.yaml, hash_key_file: hash.key, sunset: 2027-01-31 }",
    );
    parse(&text, &folder.path().join("gatewright.yaml"), &|_| None)
}

fn row(more: &str) -> String {
    format!(
        "- {{ id: \"0a1b2c3d4e5f\", hash: \"{HASH}\", subject: billing, client: bot, created: 2026-01-15{more} }}\n"
    )
}

/// The codes of all mistakes with their files and lines.
fn codes(rows: &str) -> Vec<String> {
    let mistakes = read(rows, HASH_KEY).expect_err("should be refused");
    let code = |mistake: &crate::config::Mistake| {
        let file = mistake.path.file_name().unwrap().to_str().unwrap();
        format!("{} {file}:{}", mistake.code, mistake.line)
    };
    mistakes.iter().map(code).collect()
}

#[test]
fn a_row_becomes_a_key_with_its_defaults() {
    let settings = read(&row(""), HASH_KEY).unwrap();
    let keys = settings.servers[0].audience.api_keys.as_ref().unwrap();
    assert_eq!(keys.sunset.to_string(), "2027-02-01T00:00:00.000Z");
    let [key] = keys.rows.as_slice() else {
        panic!("one row: {keys:?}")
    };
    assert_eq!(key.created.to_string(), "2026-01-15T00:00:00.000Z");
    assert_eq!((key.kind, key.sunset), (PrincipalKind::Service, None));
    assert!(key.roles.is_empty() && key.scopes.is_empty());
    let own = read(
        &row(", sunset: 2026-02-01, kind: user, servers: [crm]"),
        HASH_KEY,
    )
    .unwrap();
    let keys = own.servers[0].audience.api_keys.as_ref().unwrap();
    assert_eq!(keys.rows[0].kind, PrincipalKind::User);
    assert_eq!(
        keys.rows[0].sunset.unwrap().to_string(),
        "2026-02-02T00:00:00.000Z"
    );
    assert_ne!(own.config_digest, settings.config_digest);
}

#[test]
fn a_file_without_rows_has_no_keys() {
    for empty in ["", "# a note\n", "[]\n"] {
        let settings = read(empty, HASH_KEY).unwrap();
        let keys = settings.servers[0].audience.api_keys.as_ref().unwrap();
        assert!(keys.rows.is_empty(), "{empty}");
    }
}

#[test]
fn every_mistake_in_a_row_is_found_in_its_file() {
    for (rows, code) in [
        ("- [\n".to_owned(), "syntax"),
        ("keys: []\n".to_owned(), "wrong-type"),
        ("- x\n".to_owned(), "wrong-type"),
        (row(", rolls: [a]"), "unknown-key"),
        (row(", subject: b"), "duplicate-key"),
        (row("").replace(", client: bot", ""), "missing-key"),
        (row("").replace("client: bot", "client: ''"), "empty-value"),
        (row("").replace("0a1b", "0A1B"), "bad-api-key"),
        (row("").replace("hmac-sha256:", "sha256:"), "bad-api-key"),
        (row("").replace("e3b0", "E3B0"), "bad-api-key"),
        (row("").replace("2026-01-15", "2026-01-32"), "bad-date"),
        (
            row("").replace("2026-01-15", "2026-01-15T10:00:00"),
            "bad-date",
        ),
        (row(", sunset: 2026-01-14"), "bad-date"),
        (row(", scopes: [a b]"), "bad-scope"),
        (row(", kind: robot"), "unknown-value"),
        (row(", servers: [cmr]"), "unknown-server"),
        (row(", servers: []"), "empty-list"),
    ] {
        let found = codes(&rows);
        assert_eq!(found.len(), 1, "{rows}: {found:?}");
        assert!(
            found[0].starts_with(&format!("{code} keys.yaml:")),
            "{rows}: {found:?}"
        );
    }
    let twins = row("") + &row("");
    assert_eq!(codes(&twins), ["duplicate-api-key keys.yaml:2"]);
}

#[test]
fn a_short_key_of_the_hash_is_refused() {
    let mistakes = read(&row(""), HASH_KEY.split_at(1).1).unwrap_err();
    let mistake = mistakes.iter().next().unwrap();
    assert_eq!((mistakes.len(), mistake.code), (1, "bad-secret"));
    assert_eq!(
        mistake.path.file_name(),
        Some(Path::new("gatewright.yaml").as_os_str())
    );
    assert!(read(&row(""), HASH_KEY).is_ok());
}

#[test]
fn j55_a_key_that_was_written_into_the_file_is_not_shown() {
    let key = NewKey::make().unwrap().key.expose().clone();
    for rows in [
        row("").replace(HASH, &key),
        row(&format!(", kind: {key}")),
        row(&format!(", {key}: x")),
        row(&format!(", servers: [{key}]")),
        row(&format!(", sunset: {key}")),
        format!("- {key}\n"),
        format!("{key}: [\n"),
    ] {
        let mistakes = read(&rows, HASH_KEY).expect_err("should be refused");
        let shown = format!("{mistakes}{}", mistakes.to_json());
        assert!(!shown.contains(key.split_at(17).1), "{shown}");
    }
}

#[test]
fn keys_have_no_effect_where_tokens_must_be_bound() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keys.yaml"), row("")).unwrap();
    std::fs::write(folder.path().join("hash.key"), HASH_KEY).unwrap();
    let keys = "api_keys: { keys_file: keys.yaml, hash_key_file: hash.key, sunset: 2027-01-31 }";
    for (constraint, expected) in [
        ("any", None),
        ("dpop", Some("no-effect")),
        ("mtls", Some("no-effect")),
    ] {
        let text = of_server(&format!("sender_constraint: {constraint}, {keys}"));
        let read = parse(&text, &folder.path().join("gatewright.yaml"), &|_| None);
        let found = read
            .err()
            .map(|mistakes| mistakes.iter().map(|one| one.code).collect::<Vec<_>>());
        assert_eq!(found, expected.map(|code| vec![code]), "{constraint}");
    }
}
