//! The table of bounds: every key under `limits`, its range, what happens past it, and which tests hold it. The tests are
//! found by their names: `limit_body_...` holds `limits.body`. `GATEWRIGHT_WRITE=1` writes the document anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use gatewright::config::{load, reference};
use gatewright::model::Reason;

use super::{read, root};

struct Bound {
    key: &'static str,
    least: &'static str,
    most: &'static str,
    /// What is refused: one less than the least, and one more than the most.
    beyond: [&'static str; 2],
    past: &'static str,
}

const fn bound(
    key: &'static str,
    [least, most]: [&'static str; 2],
    beyond: [&'static str; 2],
    past: &'static str,
) -> Bound {
    Bound {
        key,
        least,
        most,
        beyond,
        past,
    }
}

/// Every bound, in the order of the configuration's table.
const BOUNDS: &[Bound] = &[
    bound(
        "body",
        UP_TO_64_MIB,
        PAST_64_MIB,
        "413 `body_too_large`; nothing is forwarded",
    ),
    bound(
        "headers",
        UP_TO_1_MIB,
        PAST_1_MIB,
        "431 `headers_too_large`",
    ),
    bound(
        "header_lines",
        ["1", "256"],
        ["0", "257"],
        "431 `headers_too_large`",
    ),
    bound(
        "token",
        UP_TO_1_MIB,
        PAST_1_MIB,
        "401 `token_invalid`; the token is not read",
    ),
    bound(
        "list",
        UP_TO_64_MIB,
        PAST_64_MIB,
        "the list is replaced by an error: 502 `upstream_protocol`",
    ),
    bound(
        "list_ttl",
        ["0s", "720h"],
        ["-1s", "2592001s"],
        "`ttlMs` is lowered to it",
    ),
    bound(
        "event",
        UP_TO_64_MIB,
        PAST_64_MIB,
        "the stream ends: `upstream_protocol`",
    ),
    bound(
        "answer",
        UP_TO_1_TIB,
        PAST_1_TIB,
        "the answer ends short: `upstream_protocol`",
    ),
    bound(
        "stream_age",
        UP_TO_30_DAYS,
        PAST_30_DAYS,
        "the stream ends; the client may resume it",
    ),
    bound(
        "json_depth",
        ["1", "1000"],
        ["0", "1001"],
        "400 `json_malformed`",
    ),
    bound(
        "json_keys",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "400 `request_invalid`",
    ),
    bound(
        "subscriptions",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "400 `params_invalid`",
    ),
    bound(
        "head_timeout",
        UP_TO_AN_HOUR,
        PAST_AN_HOUR,
        "the connection is closed without an answer",
    ),
    bound(
        "body_timeout",
        UP_TO_AN_HOUR,
        PAST_AN_HOUR,
        "408 `body_incomplete`",
    ),
    bound(
        "body_rate",
        UP_TO_1_MIB,
        PAST_1_MIB,
        "408 `body_incomplete`, for a body that is slower",
    ),
    bound(
        "write_timeout",
        UP_TO_AN_HOUR,
        PAST_AN_HOUR,
        "the connection is closed",
    ),
    bound(
        "idle_timeout",
        UP_TO_AN_HOUR,
        PAST_AN_HOUR,
        "the connection is closed",
    ),
    bound(
        "connections",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "the connection waits to be accepted",
    ),
    bound(
        "connections_per_source",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "the connection is closed at once",
    ),
    bound(
        "streams_per_connection",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "the stream is reset (HTTP/2)",
    ),
    bound(
        "bytes_in_flight",
        UP_TO_1_TIB,
        PAST_1_TIB,
        "503 with `Retry-After`; the body is not read",
    ),
    bound(
        "sessions",
        UP_TO_10_MILLION,
        PAST_10_MILLION,
        "`initialize`: 503 with `Retry-After`",
    ),
    bound(
        "sessions_per_principal",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "the principal's least used session ends: 404 `session_unknown`",
    ),
    bound(
        "session_idle",
        UP_TO_30_DAYS,
        PAST_30_DAYS,
        "the session ends: 404 `session_unknown`",
    ),
    bound(
        "tasks",
        UP_TO_10_MILLION,
        PAST_10_MILLION,
        "the task is not handed out",
    ),
    bound(
        "tasks_per_principal",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "the principal's least used task is forgotten",
    ),
    bound(
        "task_idle",
        UP_TO_30_DAYS,
        PAST_30_DAYS,
        "the task is forgotten",
    ),
    bound(
        "failures_per_source",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "429 `rate_limited` for that source; nothing is verified",
    ),
    bound(
        "failures",
        UP_TO_A_MILLION,
        PAST_A_MILLION,
        "429 `rate_limited` for all; nothing is verified",
    ),
];

const UP_TO_1_MIB: [&str; 2] = ["1B", "1MiB"];
const PAST_1_MIB: [&str; 2] = ["0B", "1048577B"];
const UP_TO_64_MIB: [&str; 2] = ["1B", "64MiB"];
const PAST_64_MIB: [&str; 2] = ["0B", "67108865B"];
const UP_TO_1_TIB: [&str; 2] = ["1B", "1024GiB"];
const PAST_1_TIB: [&str; 2] = ["0B", "1099511627777B"];
const UP_TO_A_MILLION: [&str; 2] = ["1", "1000000"];
const PAST_A_MILLION: [&str; 2] = ["0", "1000001"];
const UP_TO_10_MILLION: [&str; 2] = ["1", "10000000"];
const PAST_10_MILLION: [&str; 2] = ["0", "10000001"];
const UP_TO_AN_HOUR: [&str; 2] = ["1ms", "1h"];
const PAST_AN_HOUR: [&str; 2] = ["0ms", "3600001ms"];
const UP_TO_30_DAYS: [&str; 2] = ["1ms", "720h"];
const PAST_30_DAYS: [&str; 2] = ["0ms", "2592000001ms"];

#[test]
fn every_bound_is_in_the_table_and_held_by_a_test() {
    let document = document(&tests_by_key());
    #[expect(
        clippy::disallowed_methods,
        reason = "whether to write is no setting of the gateway"
    )]
    if std::env::var_os("GATEWRIGHT_WRITE").is_some() {
        fs::write(root().join(DOCUMENT), &document).unwrap();
    }
    let named: Vec<_> = BOUNDS.iter().map(|bound| bound.key.to_owned()).collect();
    let real: Vec<_> = defaults().into_iter().map(|(key, _)| key).collect();
    assert_eq!(named, real, "the table and the configuration differ");
    let held = tests_by_key();
    let open: Vec<_> = named
        .iter()
        .filter(|key| !held.contains_key(*key))
        .map(|key| format!("limit_{key}_..."))
        .collect();
    assert!(open.is_empty(), "no test has a name like {open:#?}");
    assert!(
        document == read(DOCUMENT),
        "{DOCUMENT} is out of date: GATEWRIGHT_WRITE=1 cargo test -p gatewright --test documents"
    );
}

#[test]
fn every_range_in_the_table_is_the_one_in_force() {
    for bound in BOUNDS {
        for inside in [bound.least, bound.most] {
            assert_eq!(mistakes(bound.key, inside), None, "{}: {inside}", bound.key);
        }
        for outside in bound.beyond {
            let found = mistakes(bound.key, outside);
            assert!(found.is_some(), "{}: {outside} is accepted", bound.key);
        }
    }
}

#[test]
fn every_status_in_the_table_is_the_one_of_its_reason() {
    for bound in BOUNDS {
        let words: Vec<_> = bound.past.split([' ', ';', ',']).collect();
        for pair in words.windows(2) {
            let (Ok(status), Some(name)) = (pair[0].parse::<u16>(), pair[1].strip_prefix('`'))
            else {
                continue;
            };
            let name = name.trim_end_matches('`');
            let reason = Reason::ALL.into_iter().find(|known| known.name() == name);
            let real = reason.map(|reason| reason.status().to_string());
            assert_eq!(real, Some(status.to_string()), "{}: {name}", bound.key);
        }
    }
}

/// What `check` says about a configuration with this bound.
fn mistakes(key: &str, value: &str) -> Option<String> {
    let text = format!("{CONFIGURATION}limits: {{ {key}: {value} }}\n");
    let path = Path::new("gatewright.yaml");
    let checked = load::parse(&text, path, &|_| None);
    checked.err().map(|mistakes| format!("{mistakes:?}"))
}

fn defaults() -> Vec<(String, String)> {
    let entries = reference::entries().into_iter();
    entries
        .filter_map(|entry| {
            let key = entry.path.strip_prefix("limits.")?;
            Some((key.to_owned(), entry.default))
        })
        .collect()
}

/// The names of all tests by the bound they hold: `limit_list_ttl_...` is about `list_ttl` and not about `list`.
fn tests_by_key() -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    let mut keys: Vec<_> = defaults().into_iter().map(|(key, _)| key).collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    for name in ["src", "tests"]
        .iter()
        .flat_map(|folder| tests_in(&root().join(folder)))
    {
        let is_of = |key: &&String| name.starts_with(&format!("limit_{key}_"));
        let key = keys.iter().find(is_of);
        let key = key.unwrap_or_else(|| panic!("{name} is named after no bound"));
        found.entry(key.clone()).or_default().insert(name);
    }
    found
}

/// The names of the tests of bounds under `folder`.
fn tests_in(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            found.extend(tests_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let lines: Vec<_> = text.lines().collect();
            // Helpers may be named alike.
            let tests = lines.windows(2).filter(|pair| pair[0].contains("test]"));
            found.extend(
                tests
                    .filter_map(|pair| test_name(pair[1]))
                    .map(str::to_owned),
            );
        }
    }
    found
}

fn test_name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("async ").unwrap_or(line);
    let name = line.strip_prefix("fn ")?.split('(').next()?;
    name.starts_with("limit_").then_some(name)
}

fn document(held: &BTreeMap<String, BTreeSet<String>>) -> String {
    let defaults: BTreeMap<_, _> = defaults().into_iter().collect();
    let mut text = HEAD.to_owned();
    for bound in BOUNDS {
        let default = defaults.get(bound.key).map_or("", String::as_str);
        let tests = held.get(bound.key).into_iter().flatten();
        let tests: Vec<_> = tests.map(|name| format!("`{name}`")).collect();
        let Bound {
            key,
            least,
            most,
            past,
            ..
        } = bound;
        let tests = tests.join("<br>");
        writeln!(
            text,
            "| `{key}` | {default} | `{least}` to `{most}` | {past} | {tests} |"
        )
        .unwrap();
    }
    text
}

const CONFIGURATION: &str = "\
version: 1
public_url: http://127.0.0.1:8080
issuers: [{ name: corp, url: https://auth.example.com }]
servers: [{ name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }]
";
const DOCUMENT: &str = "docs/limits.md";
const HEAD: &str = "\
# Bounds

Every key under `limits`: what the gateway holds, does and waits for at the most, what happens past it, and the tests that
hold it to that, one below the bound, at it and one above. What a key counts stands in the
[configuration reference](configuration.md); reasons are explained under [reasons](reasons.md). `gatewright config show`
prints the bounds in force. Written from the names of the tests; do not edit.

| key | default | range | past it | held by |
| --- | --- | --- | --- | --- |
";
