//! The security officer's journey: what was done, by whom, and whether that is what was written. Against the program itself.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Finished, Program, gatewright};
use crate::serving::Served;
use crate::support::{Setup, Upstream, modern};
use crate::{folder, run};

/// A gateway that allowed one call of alice and refused another.
async fn served() -> (Served, Upstream) {
    let upstream = Upstream::plain().await;
    let served = Served::with(Setup::default(), &upstream).await;
    assert_eq!(call(&served, "search_orders").await, 200);
    assert_eq!(call(&served, "delete_customer").await, 403);
    assert_eq!(upstream.count(), 1);
    (served, upstream)
}

async fn call(served: &Served, tool: &str) -> u16 {
    let mut message = modern(tool, &json!({}));
    let meta = &mut message["params"]["_meta"];
    meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "planner-7", "version": "1" });
    meta["gatewright/model"] = json!("claude-x");
    served.agent.modern(&message).await.status
}

/// A ledger of a gateway that stopped, in its folder.
async fn stopped() -> (Served, PathBuf) {
    let (mut served, _upstream) = served().await;
    served.program.signal("TERM");
    assert_eq!(served.program.ended().0.code(), Some(0));
    let ledger = served.folder().join("audit");
    (served, ledger)
}

fn ok(finished: Finished) -> String {
    assert_eq!(
        (finished.code, finished.talk.as_str()),
        (0, ""),
        "{}",
        finished.out
    );
    finished.out
}

/// The text with `d` for each digit, and without the key behind ` key `.
fn masked(text: &str) -> String {
    let digits = text.replace(|one: char| one.is_ascii_digit(), "d");
    match digits.split_once(" key ") {
        Some((before, _)) => before.replace("dd records", "d records"),
        None => digits,
    }
}

fn segment(ledger: &Path) -> PathBuf {
    ledger.join("00000000000000000001.jsonl")
}

/// Changes the only segment of the ledger, line by line.
fn change(ledger: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let file = segment(ledger);
    let text = fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    fs::write(file, lines.join("\n") + "\n").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_officer_asks_who_did_what_and_gets_one_line_for_it() {
    let (served, _upstream) = served().await;
    let asked = [
        "audit", "query", "--sub", "alice", "--since", "24h", "--tool", "delete_*",
    ];
    assert_eq!(
        masked(&ok(served.verb(&[&asked[..], &["-o", "table"]].concat()))),
        "dd:dd:dd alice via agent-d (planner-d) model claude-x[meta] tools/call:delete_customer deny \
         tool_not_allowed\n"
    );
    let as_json: Value =
        serde_json::from_str(&ok(served.verb(&[&asked[..], &["-o", "json"]].concat()))).unwrap();
    assert_eq!(as_json["reason"]["code"], "tool_not_allowed");
    for (more, lines) in [
        (&["--decision", "allow"][..], 1),
        (
            &[
                "--client", "agent-1", "--agent", "agent-1", "--server", "crm",
            ],
            2,
        ),
        (&["--model", "claude-x", "--reason", "tool_not_allowed"], 1),
        (&["--limit", "1"], 1),
        (&["--kind", "outcome"], 1),
        (&["--sub", "bob"], 0),
        (&["--until", "1h"], 0),
        (&["--since", "2999-01-01"], 0),
    ] {
        let found =
            ok(served.verb(&[&["audit", "query", "--kind", "decision"][..2], more].concat()));
        assert_eq!(found.lines().count(), lines, "{more:?}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_officer_proves_that_nothing_was_changed_while_the_gateway_runs_and_after() {
    let (mut served, _upstream) = served().await;
    let running = ok(served.verb(&["audit", "verify", "--since", "24h"]));
    let sum = running.lines().next().unwrap();
    assert_eq!(
        masked(sum),
        "ok  d records, d gaps, d altered, last checkpoint dd:dd"
    );
    assert!(running.contains(" 0 gaps, 0 altered"), "{running}");
    served.program.signal("TERM");
    assert_eq!(served.program.ended().0.code(), Some(0));
    let after = ok(served.verb(&["audit", "verify"]));
    assert_eq!(after.lines().count(), 1, "the end is sealed: {after}");
    let told: Value =
        serde_json::from_str(&ok(served.verb(&["audit", "verify", "-o", "json"]))).unwrap();
    assert_eq!((&told["ok"], &told["unsealed"]), (&json!(true), &json!(0)));
    assert_eq!(
        told["checkpoints"], told["compared"],
        "each is in both places"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_a_flipped_byte_and_a_deleted_line_are_named_and_end_with_one() {
    let (served, ledger) = stopped().await;
    let good = fs::read(segment(&ledger)).unwrap();
    let line = String::from_utf8(good.clone()).unwrap();
    let line = 1 + line
        .lines()
        .position(|line| line.contains("delete_customer"))
        .unwrap();

    change(&ledger, |lines| {
        lines[line - 1] = lines[line - 1].replace("\"deny\"", "\"dent\"");
    });
    let flipped = served.verb(&["audit", "verify"]);
    assert_eq!((flipped.code, flipped.talk.as_str()), (1, ""));
    let named =
        format!("    altered audit/00000000000000000001.jsonl:{line} record {line}: expected ");
    assert!(flipped.out.starts_with("FAILED  "), "{}", flipped.out);
    assert!(flipped.out.contains(" 1 altered, "), "{}", flipped.out);
    assert!(
        flipped.out.lines().any(|line| line.starts_with(&named)),
        "{}",
        flipped.out
    );

    fs::write(segment(&ledger), &good).unwrap();
    change(&ledger, |lines| drop(lines.remove(line - 1)));
    let deleted = served.verb(&["audit", "verify", "-o", "json"]);
    assert_eq!(deleted.code, 1);
    let told: Value = serde_json::from_str(&deleted.out).unwrap();
    assert_eq!((&told["ok"], &told["gaps"]), (&json!(false), &json!(1)));
    assert_eq!(
        (&told["faults"][0]["kind"], &told["faults"][0]["seq"]),
        (&json!("missing"), &json!(line))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a10_an_end_that_was_cut_off_in_both_places_shows_against_a_kept_checkpoint() {
    let (served, ledger) = stopped().await;
    let notes = fs::read_to_string(served.folder().join("audit.notes")).unwrap();
    fs::write(served.folder().join("kept"), &notes).unwrap();
    let first = notes.split_inclusive("\n\n").take(2).collect::<String>();
    fs::write(served.folder().join("audit.notes"), first).unwrap();
    change(&ledger, |lines| {
        let end = lines
            .iter()
            .position(|line| line.contains("\"kind\":\"checkpoint\""))
            .unwrap();
        lines.truncate(end + 1);
    });
    assert_eq!(
        served.verb(&["audit", "verify"]).code,
        0,
        "nothing here tells"
    );
    let cut = served.verb(&["audit", "verify", "--checkpoint", "kept"]);
    assert_eq!(cut.code, 1);
    assert!(cut.out.contains("    truncated kept:"), "{}", cut.out);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a23_a_new_key_takes_over_while_the_gateway_runs() {
    let (served, _upstream) = served().await;
    let public = served.folder().join("audit.pub");
    let kept = fs::read_to_string(&public).unwrap();
    fs::write(served.folder().join("kept.pub"), &kept).unwrap();
    let old = fs::read_to_string(served.folder().join("audit.key")).unwrap();

    let key = ok(served.verb(&["audit", "rotate-key"]));

    assert_eq!(fs::read_to_string(&public).unwrap(), format!("{kept}{key}"));
    assert_ne!(
        fs::read_to_string(served.folder().join("audit.key")).unwrap(),
        old
    );
    assert_eq!(call(&served, "search_orders").await, 200);
    let id = key.split('+').nth(1).unwrap().to_owned();
    for more in [&[][..], &["--keys", "kept.pub"]] {
        let verified = ok(served.verb(&[&["audit", "verify"][..], more].concat()));
        assert!(verified.starts_with("ok  "), "{verified}");
    }
    drop(ok(served.verb(&["audit", "query", "--kind", "config"])));
    let asked = ok(served.verb(&["audit", "query", "--kind", "config", "-o", "json"]));
    let asked: Value = serde_json::from_str(&asked).unwrap();
    assert_eq!(asked["action"], "rotate-key");
    assert!(
        asked["sub"].as_str().unwrap().starts_with("uid:"),
        "{asked}"
    );
    assert_eq!(id.len(), 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_leave_in_the_words_of_others() {
    let (served, _upstream) = served().await;
    let lines = |format: &str| -> Vec<Value> {
        let exported = ok(served.verb(&["audit", "export", "--format", format, "--since", "24h"]));
        exported
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let native = lines("native");
    assert_eq!(native[0]["action"], "ledger/segment");
    let ocsf = lines("ocsf");
    assert!(
        ocsf.iter().all(|event| event["class_uid"] == 6003),
        "{ocsf:#?}"
    );
    assert!(
        ocsf.iter()
            .any(|event| event["actor"]["user"]["uid"] == "alice")
    );
    let ecs = lines("ecs");
    assert!(ecs.len() >= native.len(), "no record is left out");
    assert!(
        ecs.iter()
            .any(|event| event["gen_ai"]["tool"]["name"] == "delete_customer")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_clients_may_and_what_they_do_stands_side_by_side() {
    let (served, _upstream) = served().await;
    let report = ok(served.verb(&["report", "scopes", "--since", "24h"]));
    let rows: Vec<Vec<_>> = report
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["CLIENT", "ALLOWED", "GRANTED", "USED", "UNUSED"]);
    assert_eq!(rows[1], ["agent-1", "1", "crm:read", "crm:read", "-"]);
    let json: Value =
        serde_json::from_str(&ok(served.verb(&["report", "scopes", "-o", "json"]))).unwrap();
    assert_eq!(json[0]["granted"], json!(["crm:read"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tail_shows_records_as_they_come() {
    let (served, _upstream) = served().await;
    let elsewhere = TempDir::new().unwrap();
    let ledger = served.folder().join("audit").display().to_string();
    let asked = [
        "audit",
        "tail",
        "--ledger",
        &ledger,
        "--decision",
        "deny",
        "-n",
        "100",
    ];
    let tail = Program::start(elsewhere.path(), &asked);
    let denied = |line: &str| line.contains("tools/call:delete_customer deny tool_not_allowed");
    assert_eq!(
        tail.until(denied).len(),
        1,
        "what was before, without the rest"
    );
    assert_eq!(call(&served, "search_orders").await, 200);
    assert_eq!(call(&served, "delete_customer").await, 403);
    assert_eq!(tail.until(denied).len(), 1, "what comes, without the rest");
}

#[test]
fn a24_what_cannot_be_verified_is_no_success() {
    let folder = folder(crate::GOOD);
    let verify = |more: &[&str]| run(folder.path(), &[&["audit", "verify"][..], more].concat());
    let keyless = verify(&[]);
    assert_eq!((keyless.code, keyless.out.as_str()), (1, ""));
    assert!(
        keyless.talk.contains("cannot read the keys in `audit.pub`"),
        "{}",
        keyless.talk
    );
    fs::write(folder.path().join("audit.pub"), "no key\n").unwrap();
    let bad = verify(&[]);
    assert_eq!(bad.code, 1);
    assert!(
        bad.talk.contains("line 1 of `audit.pub` is no key"),
        "{}",
        bad.talk
    );
    assert_eq!(verify(&["-c", "missing.yaml"]).code, 3);
    assert_eq!(verify(&["--since", "yesterday"]).code, 2);
}

#[test]
fn without_a_gateway_there_is_no_new_key() {
    let folder = folder(crate::GOOD);
    let refused = Finished::of(gatewright(folder.path(), &["audit", "rotate-key"]));
    assert_eq!((refused.code, refused.out.as_str()), (5, ""));
}
