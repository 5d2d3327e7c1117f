//! The program itself, as a user runs it: what it prints, where, and with which exit code.

#![cfg(test)]
#![cfg(feature = "server")]

#[path = "program/dev.rs"]
mod dev;
#[path = "program/keys.rs"]
mod keys;
#[path = "program/pins.rs"]
mod pins;
#[path = "program/policy.rs"]
mod policy;
#[path = "program/process.rs"]
mod process;
#[path = "program/serving.rs"]
mod serving;
#[path = "served/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the tests over sockets need more of it"
)]
mod support;
#[path = "program/token.rs"]
mod token;

use std::path::Path;

use process::{Finished, gatewright};
use serde_json::Value;
use tempfile::TempDir;

const GOOD: &str = "\
version: 1
public_url: https://mcp.example.com
issuers:
  - { name: corp, url: https://auth.example.com }
servers:
  - { name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }
policy: { roles: { analyst: { crm: [search_*] } } }
";

const SIX_MISTAKES: &str = "\
version: 2
public_url: https://mcp.example.com/
issuers:
  - { name: corp, url: https://auth.example.com, algorithms: [HS256] }
servers:
  - { name: crm, path: /crm/mcp/, upstrem: http://127.0.0.1:3000/mcp }
policy: { roles: { analyst: { cmr: [search_*] } } }
";

/// Line, column, code and the underlined text of each of the six.
const PLACES: [(&str, &str, &str); 6] = [
    ("1:10", "unsupported-version", "2"),
    ("2:13", "bad-public-url", "https://mcp.example.com/"),
    ("4:63", "unsafe-algorithm", "HS256"),
    ("6:24", "bad-path", "/crm/mcp/"),
    ("6:35", "unknown-key", "upstrem"),
    ("7:31", "unknown-server", "cmr"),
];

/// A folder with a `gatewright.yaml` of this text.
fn folder(text: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("gatewright.yaml"), text).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Finished {
    Finished::of(gatewright(folder, arguments))
}

#[test]
fn check_shows_six_mistakes_at_once_each_with_its_place_and_a_caret() {
    let folder = folder(SIX_MISTAKES);

    let checked = run(folder.path(), &["check", "-c", "gatewright.yaml"]);

    assert_eq!((checked.code, checked.out.as_str()), (3, ""));
    assert_shows_all(&checked.talk);
    assert!(
        checked.talk.ends_with("gatewright.yaml: 6 mistakes\n"),
        "{}",
        checked.talk
    );
    assert!(!checked.talk.contains('\u{1b}'), "colours in a pipe");
    assert!(
        checked.talk.contains("did you mean `upstream`?"),
        "{}",
        checked.talk
    );
}

/// Whether each mistake is there with `file:line:column` and a caret under exactly the wrong text.
fn assert_shows_all(talk: &str) {
    assert_eq!(talk.matches("error[").count(), 6, "{talk}");
    for (place, code, wrong) in PLACES {
        assert!(talk.contains(&format!("error[{code}]: ")), "{code}: {talk}");
        let shown = format!("--> gatewright.yaml:{place}\n");
        let after = talk
            .split_once(&shown)
            .unwrap_or_else(|| panic!("{place}: {talk}"))
            .1;
        let lines: Vec<_> = after.lines().take(3).collect();
        let at = lines[2].find('^').expect("a caret");
        let carets = lines[2].matches('^').count();
        let underlined: String = lines[1].chars().skip(at).take(carets).collect();
        assert_eq!(underlined, wrong, "{talk}");
    }
}

#[test]
fn check_finds_the_file_by_itself_and_sums_up_a_good_one() {
    let folder = folder(GOOD);
    for arguments in [&["check"][..], &["check", "--config", "gatewright.yaml"]] {
        let checked = run(folder.path(), arguments);
        assert_eq!(
            (checked.code, checked.talk.as_str()),
            (0, ""),
            "{arguments:?}"
        );
        assert!(checked.out.starts_with("ok: "), "{}", checked.out);
        assert!(
            checked.out.ends_with(": 1 issuer, 1 server, 1 role\n"),
            "{}",
            checked.out
        );
    }
}

#[test]
fn check_speaks_json_to_programs() {
    let (bad, good) = (folder(SIX_MISTAKES), folder(GOOD));

    let checked = run(bad.path(), &["check", "-o", "json"]);

    assert_eq!((checked.code, checked.talk.as_str()), (3, ""));
    let mistakes: Value = serde_json::from_str(&checked.out).unwrap();
    let found: Vec<_> = mistakes
        .as_array()
        .unwrap()
        .iter()
        .map(|mistake| {
            let place = format!("{}:{}", mistake["line"], mistake["column"]);
            (place, mistake["code"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = PLACES.map(|(place, code, _)| (place.to_owned(), code.to_owned()));
    assert_eq!(found, expected);
    let checked = run(good.path(), &["check", "-o", "json"]);
    assert_eq!((checked.code, checked.out.trim()), (0, "[]"));
}

#[test]
fn a_named_file_that_is_missing_is_an_error() {
    let folder = folder(GOOD);
    for verb in ["check", "run"] {
        let finished = run(folder.path(), &[verb, "-c", "nowhere.yaml"]);
        assert_eq!((finished.code, finished.out.as_str()), (3, ""), "{verb}");
        assert!(
            finished.talk.contains("nowhere.yaml"),
            "{verb}: {}",
            finished.talk
        );
    }
}

#[test]
fn without_any_file_every_place_that_was_tried_is_told() {
    let empty = TempDir::new().unwrap();
    for verb in ["check", "run"] {
        let finished = run(empty.path(), &[verb]);
        assert_eq!((finished.code, finished.out.as_str()), (3, ""), "{verb}");
        for place in ["gatewright.yaml", "/etc/gatewright/config.yaml", "--config"] {
            assert!(finished.talk.contains(place), "{verb}: {}", finished.talk);
        }
    }
}

#[test]
fn run_says_what_check_says_and_starts_nothing() {
    let folder = folder(SIX_MISTAKES);

    let finished = run(folder.path(), &["run", "-c", "gatewright.yaml"]);

    assert_eq!((finished.code, finished.out.as_str()), (3, ""));
    assert_shows_all(&finished.talk);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "only the configuration: {left:?}");
}

#[test]
fn a_port_in_use_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let text = format!("{GOOD}listen: {{ address: {address} }}\nops: {{ address: 127.0.0.1:0 }}\n");
    let folder = folder(&text);

    let finished = run(folder.path(), &["run"]);

    assert_eq!((finished.code, finished.out.as_str()), (1, ""));
    let told = format!("error: cannot listen on the gateway's address `{address}`: ");
    assert!(finished.talk.contains(&told), "{}", finished.talk);
    assert!(!finished.talk.contains("panicked"), "{}", finished.talk);
}

#[test]
fn what_is_no_verb_or_no_option_is_a_usage_error() {
    let folder = folder(GOOD);
    for arguments in [
        &["chek"][..],
        &[],
        &["run", "--port", "1"],
        &["check", "-o", "yaml"],
        &["dev", "--listen", "nonsense"],
    ] {
        let finished = run(folder.path(), arguments);
        assert_eq!(
            (finished.code, finished.out.as_str()),
            (2, ""),
            "{arguments:?}"
        );
        assert!(
            finished.talk.contains("Usage") || finished.talk.contains("--help"),
            "{}",
            finished.talk
        );
    }
    let close = run(folder.path(), &["chek"]);
    assert!(close.talk.contains("'check'"), "{}", close.talk);
}

#[test]
fn the_version_is_the_one_of_the_package() {
    let finished = run(folder(GOOD).path(), &["--version"]);
    let version = format!("gatewright {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!((finished.code, finished.out), (0, version));
}

#[test]
fn help_names_exactly_the_verbs_there_are() {
    let folder = folder(GOOD);
    let help = run(folder.path(), &["--help"]);
    assert_eq!((help.code, help.talk.as_str()), (0, ""));
    let (_, listed) = help.out.split_once("Commands:\n").unwrap();
    let verbs: Vec<_> = listed
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next())
        .filter(|word| word.chars().all(char::is_lowercase))
        .collect();
    assert_eq!(
        verbs,
        [
            "dev", "run", "check", "config", "policy", "reload", "status", "token", "keys", "pins",
            "report", "help"
        ]
    );
    for verb in verbs.iter().filter(|verb| **verb != "help") {
        let own = run(folder.path(), &[verb, "--help"]);
        assert_eq!(own.code, 0, "{verb}");
        assert!(
            own.out.contains(&format!("Usage: gatewright {verb}")),
            "{}",
            own.out
        );
    }
    for later in [
        "quickstart",
        "doctor",
        "explain",
        "approvals",
        "kill",
        "tap",
        "completion",
    ] {
        assert!(!help.out.contains(later), "help promises `{later}`");
    }
}
