//! Holds the shape of the house: which layer may use which, where pingora is named, how long a file may be. Reads
//! the source as text, without comments and literals; the rules are the tables at the bottom.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "architecture/source.rs"]
mod source;

use source::{Source, code};

/// What is wrong in one file.
fn faults(path: &str, text: &str) -> Vec<String> {
    faults_among(path, text, &[])
}

/// What is wrong in one file; the files of `for_tests` are there for tests only.
fn faults_among(path: &str, text: &str, for_tests: &[String]) -> Vec<String> {
    let source = Source::new(path, text);
    let mut found = Vec::new();
    found.extend(layer_faults(&source));
    found.extend(shape_faults(&source));
    if !source.is_test() && !for_tests.iter().any(|test| test == path) {
        found.extend(panic_faults(&source));
    }
    found.extend(pingora_faults(&source));
    found
        .into_iter()
        .map(|fault| format!("{path}: {fault}"))
        .collect()
}

fn layer_faults(source: &Source<'_>) -> Vec<String> {
    let module = source.module();
    if ABOVE_ALL.contains(&module) {
        return Vec::new();
    }
    let Some((_, may_use)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return vec![format!("`{module}` has no row in the table of layers")];
    };
    let mut found: Vec<_> = source
        .used_modules()
        .into_iter()
        .filter(|used| used != module && !may_use.contains(&used.as_str()))
        .map(|used| format!("`{module}` may not use `{used}`"))
        .collect();
    if source.code.contains("super::super") {
        found.push("`super::super` hides which module is meant".to_owned());
    }
    found
}

fn shape_faults(source: &Source<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > LINES {
        found.push(format!("{lines} lines, more than {LINES}"));
    }
    if !source.text.starts_with("//! ") {
        found.push("does not start by saying what it is (`//! `)".to_owned());
    }
    found
}

fn panic_faults(source: &Source<'_>) -> Vec<String> {
    [".unwrap()", ".expect("]
        .iter()
        .filter(|call| source.product.contains(*call))
        .map(|call| format!("`{call}` outside tests"))
        .collect()
}

fn pingora_faults(source: &Source<'_>) -> Option<String> {
    let is_home = PINGORA.iter().any(|home| source.path.starts_with(home));
    (!is_home && source.code.contains("pingora"))
        .then(|| "names pingora, which lives at the edge only".to_owned())
}

/// The files in which a value of `name` is put together.
fn makers<'f>(name: &str, files: &'f [(String, String)]) -> Vec<&'f str> {
    files
        .iter()
        .filter(|(path, text)| Source::new(path, text).makes(name))
        .map(|(path, _)| path.as_str())
        .collect()
}

/// Every file of the crate with its path below `src`.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root, &mut paths);
    paths.sort();
    assert!(paths.len() > 50, "the source was not found");
    paths
        .iter()
        .map(|path| {
            let below = path.strip_prefix(&root).unwrap().display().to_string();
            (below, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

#[test]
fn every_file_keeps_to_its_layer_and_its_size() {
    let files = files();
    let for_tests: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| Source::new(path, text).modules_for_tests())
        .collect();
    let found: Vec<_> = files
        .iter()
        .flat_map(|(path, text)| faults_among(path, text, &for_tests))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_value_that_proves_something_is_made_in_one_place() {
    let files = files();
    for (name, place) in PROOFS {
        assert_eq!(makers(name, &files), [place], "who makes a `{name}`");
    }
}

#[test]
fn every_row_of_the_table_is_a_module_and_no_layer_uses_one_above() {
    for (index, (name, may_use)) in LAYERS.iter().enumerate() {
        for used in *may_use {
            let below = LAYERS[..index].iter().any(|(earlier, _)| earlier == used);
            assert!(
                below,
                "`{used}` stands below `{name}`, or the table has a circle"
            );
        }
    }
    let files = files();
    for (name, _) in LAYERS {
        let exists = files
            .iter()
            .any(|(path, text)| Source::new(path, text).module() == name);
        assert!(exists, "`{name}` has a row and no file");
    }
}

#[test]
fn a_broken_rule_is_found() {
    let head = "//! A sample.\n";
    let broken = [
        ("mcp/a.rs", "use crate::identity::Principal;", "may not use"),
        ("mcp/a.rs", "fn f() { crate::audit::g() }", "may not use"),
        (
            "mcp/a.rs",
            "use crate::{model::Reason, proxy};",
            "may not use",
        ),
        ("model/a.rs", "use crate ::\n  mcp::Call;", "may not use"),
        ("audit/a.rs", "use crate::live::Live;", "may not use"),
        ("proxy/a.rs", "use crate::control::ops;", "may not use"),
        ("proxy/a.rs", "use crate::app::Running;", "may not use"),
        ("fresh/a.rs", "", "no row"),
        ("mcp/a.rs", "use super::super::model;", "super::super"),
        ("decision/a.rs", "use pingora::Error;", "pingora"),
        ("mcp/a.rs", "fn f() { x.unwrap() }", "outside tests"),
        ("mcp/a.rs", "fn f() { x.expect(\"\") }", "outside tests"),
        (
            "mcp/a.rs",
            "#[cfg(test)]\nmod tests { }\nfn f() { x.unwrap() }",
            "outside tests",
        ),
    ];
    for (path, text, expected) in broken {
        let found = faults(path, &format!("{head}{text}\n"));
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{path}: `{text}`: {found:?}"
        );
    }
    assert_eq!(faults("mcp/a.rs", "fn f() {}\n").len(), 1, "no header");
    let long = format!("{head}{}", "\n".repeat(LINES));
    assert_eq!(faults("mcp/a.rs", &long).len(), 1, "too long");
}

#[test]
fn what_is_allowed_is_no_fault() {
    let head = "//! A sample; pingora, crate::proxy and `.unwrap()` in words.\n";
    let fine = [
        ("identity/a.rs", "use crate::live::Live;"),
        ("mcp/a.rs", "use crate::mcp::Call; // crate::proxy"),
        (
            "mcp/a.rs",
            "const A: &str = \"crate::proxy pingora .unwrap()\";",
        ),
        ("mcp/a.rs", "const A: &str = r#\"\" crate::proxy\"#;"),
        (
            "mcp/a.rs",
            "/* crate::proxy */ const QUOTE: char = '\"'; fn f<'a>() {}",
        ),
        (
            "mcp/a.rs",
            "#[cfg(test)]\nmod tests { fn f() { '}'; x.unwrap() } }",
        ),
        ("mcp/a/tests.rs", "fn f() { x.unwrap() }"),
        (
            "proxy/a.rs",
            "use pingora::Error; use crate::config::Limits;",
        ),
        ("app.rs", "use crate::cli; use pingora::Error;"),
        ("cli/a.rs", "use crate::proxy::guard; use crate::app;"),
    ];
    for (path, text) in fine {
        let found = faults(path, &format!("{head}{text}\n"));
        assert!(found.is_empty(), "{path}: `{text}`: {found:?}");
    }
}

#[test]
fn a_second_maker_is_found() {
    let sample = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let files = [
        sample(
            "a.rs",
            "pub struct Permit { a: u8 }\nimpl Permit { }\nfn f() -> Permit {\n}",
        ),
        sample("b.rs", "fn f() { g(Permit { a: 1 }) }"),
        sample("c.rs", "fn f() { decision::Permit\n{ a: 1 } } // Permit {"),
        sample(
            "d.rs",
            "// Permit { a: 1 }\nfn f() { \"Permit {\"; ToolPermit { } }",
        ),
    ];
    assert_eq!(makers("Permit", &files), ["b.rs", "c.rs"]);
}

#[test]
fn a_module_that_is_declared_for_tests_may_unwrap() {
    let declared =
        Source::new("dev/mod.rs", "#[cfg(test)]\nmod agent;\nmod plan;").modules_for_tests();
    assert_eq!(declared, ["dev/agent.rs"]);
    let text = "//! A sample.\nfn f() { x.unwrap() }\n";
    assert!(faults_among("dev/agent.rs", text, &declared).is_empty());
    assert_eq!(faults_among("dev/plan.rs", text, &declared).len(), 1);
}

#[test]
fn comments_and_literals_are_no_code() {
    assert_eq!(
        code("a // b\n\"c\\\"d\" 'e' '\\'' f::<'g>(b\"h\", br#\"i\"j\"#) /* k /* l */ m */ n")
            .split_whitespace()
            .collect::<Vec<_>>(),
        ["a", "\"\"", "''", "''", "f::<'g>(b\"\",", "br\"\")", "n"]
    );
}

/// Lines of a file at most.
const LINES: usize = 400;

/// The modules from the bottom up, each with what it may use besides itself. The settings of `config` are checked
/// values without any I/O of serving, so what serves may hold them; `config` knows nothing of what serves.
const LAYERS: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("live", &["model"]),
    ("state", &["model"]),
    ("mcp", &["model"]),
    ("audit", &["model"]),
    ("identity", &["model", "live", "state"]),
    (
        "decision",
        &["model", "live", "state", "mcp", "audit", "identity"],
    ),
    (
        "telemetry",
        &["model", "live", "mcp", "audit", "identity", "decision"],
    ),
    ("config", &["model", "mcp", "audit", "identity", "decision"]),
    ("upstream", &["model", "live", "telemetry", "config"]),
    (
        "control",
        &["model", "live", "audit", "decision", "telemetry", "config"],
    ),
    (
        "proxy",
        &[
            "model",
            "live",
            "state",
            "mcp",
            "audit",
            "identity",
            "decision",
            "telemetry",
            "config",
            "upstream",
        ],
    ),
    (
        "dev",
        &[
            "model",
            "mcp",
            "audit",
            "identity",
            "decision",
            "telemetry",
            "config",
        ],
    ),
];

/// Where things are put together: everything may be used there.
const ABOVE_ALL: [&str; 4] = ["app", "cli", "lib", "main"];

/// Where pingora may be named. `upstream` makes the peer that pingora connects to; what a peer is only pingora says.
/// `telemetry/logs` keeps pingora's own lines from telling credentials, and its test needs one.
const PINGORA: [&str; 4] = ["proxy/", "upstream/", "app.rs", "telemetry/logs/tests.rs"];

/// Values whose existence proves that something was done, and the one file that does it.
const PROOFS: [(&str, &str); 5] = [
    ("Permit", "decision/record.rs"),
    ("Principal", "identity/principal.rs"),
    ("Unbound", "identity/principal.rs"),
    ("VerifiedToken", "identity/token/verified.rs"),
    ("Inflight", "proxy/inflight.rs"),
];
