//! Making API keys, hearing of their end, and reporting who uses them.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Finished, gatewright};
use crate::{folder, run};

const NEW: [&str; 10] = [
    "keys",
    "new",
    "--server",
    "crm",
    "--subject",
    "billing",
    "--client",
    "bot",
    "--role",
    "analyst",
];

/// A folder with a configuration whose server takes keys until `sunset`; no key was made yet.
fn taking(sunset: &str) -> TempDir {
    let keys =
        format!("api_keys: {{ keys_file: keys.yaml, hash_key_file: hash.key, sunset: {sunset} }}");
    folder(&crate::GOOD.replace("name: crm,", &format!("name: crm, {keys},")))
}

fn new(folder: &Path, more: &[&str]) -> Finished {
    let arguments: Vec<_> = NEW.iter().chain(more).copied().collect();
    run(folder, &arguments)
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn mode(folder: &Path, name: &str) -> u32 {
    let metadata = fs::metadata(folder.join(name)).unwrap();
    metadata.permissions().mode() & 0o777
}

fn id(made: &Finished) -> String {
    let (_, rest) = made.out.split_at("gwk_".len());
    rest.split_at(12).0.to_owned()
}

#[test]
fn a_new_key_is_shown_once_and_only_its_hash_is_kept() {
    let folder = taking("2999-01-31");
    let more = [
        "--scope",
        "crm:read",
        "--kind",
        "agent",
        "--sunset",
        "2999-01-01",
    ];
    let made = new(folder.path(), &more);
    assert_eq!(made.code, 0, "{}", made.talk);
    let key = made.out.trim_end();
    assert_eq!((key.len(), made.out.lines().count()), (60, 1), "{key}");
    assert!(!made.talk.contains(key), "{}", made.talk);
    assert!(made.talk.contains("gatewright reload"), "{}", made.talk);
    assert_eq!(mode(folder.path(), "keys.yaml"), 0o600);
    assert_eq!(mode(folder.path(), "hash.key"), 0o600);
    let rows = read(folder.path(), "keys.yaml");
    assert!(!rows.contains(key.split_at(17).1), "{rows}");
    for line in [
        "  hash: hmac-sha256:",
        "  subject: \"billing\"\n",
        "  roles: [\"analyst\"]\n",
        "  scopes: [\"crm:read\"]\n",
        "  kind: \"agent\"\n",
        "  servers: [\"crm\"]\n",
        "  sunset: \"2999-01-01\"\n",
    ] {
        assert!(rows.contains(line), "{line}: {rows}");
    }
    let checked = run(folder.path(), &["check"]);
    assert_eq!((checked.code, checked.talk.as_str()), (0, ""));
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3, "nothing is left beside");
}

#[test]
fn another_key_leaves_all_else_as_it_was() {
    let folder = taking("2999-01-31");
    assert_eq!(new(folder.path(), &[]).code, 0);
    let hash_key = read(folder.path(), "hash.key");
    let file = folder.path().join("keys.yaml");
    let before = read(folder.path(), "keys.yaml") + "# a note\n";
    fs::write(&file, &before).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();

    assert_eq!(new(folder.path(), &[]).code, 0);

    let after = read(folder.path(), "keys.yaml");
    assert!(after.starts_with(&before), "{after}");
    assert_eq!(after.matches("- id: ").count(), 2);
    assert_eq!(mode(folder.path(), "keys.yaml"), 0o640);
    assert_eq!(read(folder.path(), "hash.key"), hash_key);
}

#[test]
fn a_key_that_cannot_be_made_leaves_nothing_behind() {
    let folder = taking("2999-01-31");
    let attempts: [(&[&str], i32, &str); 4] = [
        (&["--sunset", "soon"], 2, "bad-date"),
        (&["--scope", "a b"], 2, "bad-scope"),
        (&["--server", "erp"], 2, "cannot be used multiple times"),
        (&["-c", "nowhere.yaml"], 3, "nowhere.yaml"),
    ];
    for (more, code, told) in attempts {
        let made = new(folder.path(), more);
        assert_eq!((made.code, made.out.as_str()), (code, ""), "{more:?}");
        assert!(made.talk.contains(told), "{more:?}: {}", made.talk);
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "{more:?}");
    }
    let plain = crate::folder(crate::GOOD);
    let made = new(plain.path(), &[]);
    assert_eq!((made.code, made.out.as_str()), (2, ""));
    assert!(
        made.talk.contains("no server `crm` takes API keys"),
        "{}",
        made.talk
    );
}

#[test]
fn keys_without_the_key_of_their_hash_are_not_given_a_new_one() {
    let folder = taking("2999-01-31");
    assert_eq!(new(folder.path(), &[]).code, 0);
    fs::remove_file(folder.path().join("hash.key")).unwrap();
    let made = new(folder.path(), &[]);
    assert_eq!((made.code, made.out.as_str()), (1, ""));
    assert!(made.talk.contains("put it back"), "{}", made.talk);
    assert!(!folder.path().join("hash.key").exists());
}

#[test]
fn two_who_make_keys_do_not_write_over_each_other() {
    let folder = taking("2999-01-31");
    assert_eq!(new(folder.path(), &[]).code, 0);
    let before = read(folder.path(), "keys.yaml");
    fs::write(folder.path().join("keys.yaml.new"), "").unwrap();
    let made = new(folder.path(), &[]);
    assert_eq!((made.code, made.out.as_str()), (1, ""));
    assert!(made.talk.contains("keys.yaml.new"), "{}", made.talk);
    assert_eq!(read(folder.path(), "keys.yaml"), before);
}

#[test]
fn files_that_are_missing_are_told_with_the_way_to_make_them() {
    let checked = run(taking("2999-01-31").path(), &["check"]);
    assert_eq!(checked.code, 3);
    assert_eq!(
        checked.talk.matches("error[missing-file]").count(),
        2,
        "{}",
        checked.talk
    );
    assert!(
        checked.talk.contains("`gatewright keys new` makes it"),
        "{}",
        checked.talk
    );
}

#[test]
fn check_warns_of_keys_that_ended_or_will_soon() {
    let today = gatewright::model::Clock::now(&gatewright::model::SystemClock);
    let day = |days: u64| {
        let at = today.plus(std::time::Duration::from_secs(days * 24 * 3600));
        at.to_string().split_at(10).0.to_owned()
    };
    for (sunset, told) in [
        (
            "2026-01-31".to_owned(),
            Some(" ended at 2026-02-01T00:00:00.000Z"),
        ),
        (day(28), Some("the API keys of server `crm` end at ")),
        (day(31), None),
    ] {
        let folder = taking(&sunset);
        assert_eq!(new(folder.path(), &[]).code, 0);
        let checked = run(folder.path(), &["check"]);
        assert_eq!(checked.code, 0);
        match told {
            Some(told) => {
                assert!(checked.talk.starts_with("warning: "), "{}", checked.talk);
                assert!(checked.talk.contains(told), "{}", checked.talk);
            }
            None => assert_eq!(checked.talk, ""),
        }
    }
    let folder = taking("2999-01-31");
    let made = new(folder.path(), &["--sunset", &day(3)]);
    let checked = run(folder.path(), &["check"]);
    let told = format!("warning: API key `{}` of server `crm` end", id(&made));
    assert!(checked.talk.starts_with(&told), "{}", checked.talk);
}

#[test]
fn an_unknown_role_is_told() {
    let folder = taking("2999-01-31");
    let made = new(folder.path(), &["--role", "analist"]);
    assert_eq!(made.code, 0);
    assert!(
        made.talk
            .contains("warning: the policy has no role `analist`"),
        "{}",
        made.talk
    );
    assert!(!made.talk.contains("no role `analyst`"), "{}", made.talk);
}

/// A record as the ledger writes it, in short.
fn record(kind: &str, id: &str, at: &str) -> String {
    let iss = "urn:gatewright:api-keys";
    let record = json!({
        "timestamp": at, "act": "bot", "token_id": id, "kind": kind,
        "subject": { "iss": iss, "id": "billing" }, "mcp": { "server": "crm" },
    });
    format!("{record}\n")
}

const FIRST: &str = "00000000000000000001.jsonl";
const SECOND: &str = "00000000000000000004.jsonl";

fn ledger(folder: &Path, files: &[(&str, &str)]) {
    fs::create_dir_all(folder.join("audit")).unwrap();
    for (name, text) in files {
        fs::write(folder.join("audit").join(name), text).unwrap();
    }
}

#[test]
fn the_report_names_each_key_with_its_use_and_those_never_used() {
    let folder = taking("2999-01-31");
    let (used, unused) = (new(folder.path(), &[]), new(folder.path(), &[]));
    let (used, unused) = (id(&used), id(&unused));
    let first = record("decision", &used, "2026-11-20T10:00:00.000Z")
        + &record("outcome", &used, "2026-11-20T12:00:00.000Z")
        + &record("decision", &used, "2026-11-21T10:00:00.000Z")
            .replace("urn:gatewright:api-keys", "https://corp");
    let torn = record("decision", "removedremov", "2026-11-19T10:00:00.000Z")
        + &record("decision", &used, "2026-11-20T11:30:00.000Z")
        + record("decision", &used, "2026-11-20T11:31:00.000Z")
            .split_at(60)
            .0;
    ledger(
        folder.path(),
        &[(FIRST, &first), (SECOND, &torn), ("c.txt", "x")],
    );

    let report = run(folder.path(), &["report", "keys", "-o", "json"]);
    assert_eq!((report.code, report.talk.as_str()), (0, ""));
    let rows: Value = serde_json::from_str(&report.out).unwrap();
    let row = |id: &str| {
        rows.as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == id)
            .unwrap()
    };
    assert_eq!(row(&used)["requests"], 2);
    assert_eq!(row(&used)["last_used"], "2026-11-20T11:30:00.000Z");
    assert_eq!(row(&used)["sunset"], "2999-02-01T00:00:00.000Z");
    assert_eq!(
        (&row(&unused)["requests"], &row(&unused)["last_used"]),
        (&json!(0), &json!(null))
    );
    assert_eq!(row("removedremov")["removed"], true);

    assert_table(folder.path(), &used, &unused);
}

fn assert_table(folder: &Path, used: &str, unused: &str) {
    let report = run(folder, &["report", "keys"]);
    assert_eq!((report.code, report.talk.as_str()), (0, ""));
    assert_eq!(
        report.out.lines().next(),
        Some("SERVER  KEY           SUBJECT  CLIENT  REQUESTS  LAST USED            ENDS")
    );
    let line = format!(
        "crm     {used}  billing  bot     2         2026-11-20T11:30:00  2999-02-01T00:00:00\n"
    );
    assert!(report.out.contains(&line), "{}", report.out);
    let line = format!(
        "crm     {unused}  billing  bot     0         never                2999-02-01T00:00:00\n"
    );
    assert!(report.out.contains(&line), "{}", report.out);
    assert!(
        report.out.contains("2026-11-19T10:00:00  removed\n"),
        "{}",
        report.out
    );
}

#[test]
fn a_report_that_lacks_something_says_so() {
    let folder = taking("2999-01-31");
    let none = run(folder.path(), &["report", "keys"]);
    assert_eq!(none.code, 3, "no files yet: {}", none.out);
    let key = id(&new(folder.path(), &[]));
    let whole = record("decision", &key, "2026-11-20T10:00:00.000Z");
    let broken = format!("{{\"urn:gatewright:api-keys\"\n{whole}");
    ledger(folder.path(), &[(FIRST, &broken)]);
    let report = run(folder.path(), &["report", "keys"]);
    assert_eq!(report.code, 1);
    assert!(
        report.out.contains(&format!("{key}  billing  bot     1 ")),
        "{}",
        report.out
    );
    assert!(
        report
            .talk
            .contains("records about keys that cannot be read: 1"),
        "{}",
        report.talk
    );

    let plain = crate::folder(crate::GOOD);
    let report = run(plain.path(), &["report", "keys"]);
    assert_eq!((report.code, report.out.as_str()), (0, "no API keys\n"));
    assert_eq!(run(plain.path(), &["report"]).code, 2);
}

#[test]
fn a_new_key_is_inspected_like_a_token() {
    let folder = taking("2999-01-31");
    let key = new(folder.path(), &[]).out.trim().to_owned();
    let inspect = |key: &str| {
        let mut command = gatewright(folder.path(), &["token", "inspect", "-o", "json", "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(key.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
        )
    };
    let (code, told) = inspect(&key);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("billing") && !told.contains(&key), "{told}");
    let (code, told) = inspect(&format!("{key}A"));
    assert_eq!(code, Some(1), "{told}");
}
