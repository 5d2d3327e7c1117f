//! The table of attacks, and which test holds which row. The tests are found by their names: a test whose name starts
//! with `j12_` holds row J12, one that starts with `q02_q03_` holds both. `GATEWRIGHT_WRITE=1` writes the document anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{read, root};

#[path = "threats/answers.rs"]
mod answers;
#[path = "threats/http.rs"]
mod http;
#[path = "threats/identity.rs"]
mod identity;
#[path = "threats/ledger.rs"]
mod ledger;
#[path = "threats/policy.rs"]
mod policy;
#[path = "threats/requests.rs"]
mod requests;
#[path = "threats/sessions.rs"]
mod sessions;

/// The parts of the document: a heading, and every row with what the gateway does about it.
const PARTS: &[(&str, &[(&str, &str)])] = &[
    ("Tokens, proofs and certificates (J, D, M)", identity::ROWS),
    ("Connections, heads, routes, metadata (H, P)", http::ROWS),
    (
        "Messages of clients (Q) and ways around the call (S)",
        requests::ROWS,
    ),
    ("Answers (U)", answers::ROWS),
    ("Sessions, tasks, streams (X)", sessions::ROWS),
    ("Policies (Z)", policy::ROWS),
    ("The record (A)", ledger::ROWS),
];

/// Rows that no test can hold, and why.
const UNTESTED: &[(&str, &str)] = &[
    (
        "D30",
        "A proof does not cover the body: TLS does. Agents on other machines are served over TLS alone, unless `insecure.plain_public_listener` is set.",
    ),
    (
        "M11",
        "Revocation lists are not read. Certificates of agents are best short-lived; a token that is bound to one ends with its own `exp`.",
    ),
    (
        "X12",
        "Switching off a principal, a tool or a server at once comes with a later version. Until then a stream ends with its token (X11) and with the policy under which it was opened (X08).",
    ),
];

#[test]
fn every_row_is_held_by_a_test() {
    let held = tests_by_row();
    let document = document(&held);
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write is no setting of the gateway"
    )]
    if std::env::var_os("GATEWRIGHT_WRITE").is_some() {
        fs::write(root().join(DOCUMENT), &document).unwrap();
    }
    let open: Vec<_> = rows().filter(|row| !held.contains_key(*row)).collect();
    assert!(
        open.is_empty(),
        "no test is named after these {} rows: {}",
        open.len(),
        open.join(" ")
    );
    assert!(
        document == read(DOCUMENT),
        "{DOCUMENT} is out of date: GATEWRIGHT_WRITE=1 cargo test -p gatewright --test documents"
    );
}

#[test]
fn no_row_stands_twice() {
    let all: Vec<_> = rows().chain(UNTESTED.iter().map(|(row, _)| *row)).collect();
    let unique: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(unique.len(), all.len());
}

fn rows() -> impl Iterator<Item = &'static str> {
    PARTS
        .iter()
        .flat_map(|(_, rows)| rows.iter().map(|(row, _)| *row))
}

/// The names of all tests by the rows they start with.
fn tests_by_row() -> BTreeMap<String, Vec<String>> {
    let known: std::collections::BTreeSet<_> = rows().collect();
    let mut found = BTreeMap::<String, Vec<String>>::new();
    let mut files = Vec::new();
    for folder in ["src", "tests", "../policies/src", "../policies/tests"] {
        collect(&root().join(folder), &mut files);
    }
    files.sort();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for name in text.lines().filter_map(test_name) {
            let starts = name.split('_').map(str::to_uppercase);
            for row in starts.take_while(|start| known.contains(&**start)) {
                found.entry(row).or_default().push(name.to_owned());
            }
        }
    }
    for names in found.values_mut() {
        names.sort();
        names.dedup();
    }
    found
}

fn test_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split('(').next()
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn document(held: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = HEAD.to_owned();
    for (heading, rows) in PARTS {
        write!(
            text,
            "\n## {heading}\n\n| row | what the gateway does | held by |\n| --- | --- | --- |\n"
        )
        .unwrap();
        for (row, sentence) in *rows {
            let tests = held.get(*row).map_or_else(Vec::new, |names| {
                names.iter().map(|name| format!("`{name}`")).collect()
            });
            let tests = tests.join("<br>");
            writeln!(text, "| {row} | {sentence} | {tests} |").unwrap();
        }
    }
    text.push_str("\n## What no test can hold\n\n| row | why |\n| --- | --- |\n");
    for (row, why) in UNTESTED {
        writeln!(text, "| {row} | {why} |").unwrap();
    }
    text
}

const DOCUMENT: &str = "docs/threats.md";
const HEAD: &str = "\
# Attacks and what is done about them

What is tried to pass for somebody else, to slip past the decision, to break in from a server's side or to take what is
another's; what the gateway does about it; and the tests that hold it to that. J: tokens and keys (RFC 9068, 8725). D: DPoP (RFC
9449). M: client certificates (RFC 8705, 9440). H: HTTP. P: metadata, challenges, floods. Q: JSON-RPC. S: lists and other methods.
U: answers. X: sessions and streams. Z: policies. A: the record. Written from the names of the tests; do not edit.
";
