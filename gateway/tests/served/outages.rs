//! What `on_failure` chooses, as agents, probes and metrics see it; and that no request goes without its record.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::edge::assert_refused;
use crate::support::ledger::ledger_in;
use crate::support::{Agent, Gateway, Setup, Upstream, eventually, modern, records_in};

const SOON: Duration = Duration::from_secs(20);

/// A gateway whose record is kept as `audit` says, and an agent before it.
async fn keeping(audit: &str, upstream: &Upstream) -> (Gateway, Agent) {
    let setup = Setup::default();
    let (token, yaml) = (setup.analyst(), setup.yaml(&upstream.url()));
    let audit = format!("{{ ledger: audit, {audit} }}");
    let gateway = Gateway::start(setup, yaml.replace("{ ledger: audit }", &audit)).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, agent)
}

/// The folder of the ledger goes, as when a disk is gone.
fn take_away(gateway: &Gateway) -> PathBuf {
    let gone = gateway.ledger().with_extension("gone");
    std::fs::rename(gateway.ledger(), &gone).unwrap();
    gone
}

fn bring_back(gateway: &Gateway) {
    std::fs::rename(gateway.ledger().with_extension("gone"), gateway.ledger()).unwrap();
}

async fn call(agent: &Agent) -> u16 {
    agent.modern(&modern("search_x", &json!({}))).await.status
}

async fn ready(gateway: &Gateway) -> (u16, String) {
    let ops = gateway.running.ops().unwrap();
    let url = format!("http://{ops}/readyz?verbose");
    let answer = reqwest::get(url).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn assert_standing(gateway: &Gateway, standing: &str) {
    let metrics = gateway.metrics().await;
    for one in ["well", "spilling", "continuing", "failing"] {
        let value = u8::from(one == standing);
        let line = format!("gatewright_audit_standing{{standing=\"{one}\"}} {value}\n");
        assert!(metrics.contains(&line), "{standing}: {metrics}");
    }
}

/// Asks until an answer has `status`.
async fn until(agent: &Agent, status: u16) {
    let asking = async {
        while call(agent).await != status {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, asking).await.unwrap();
}

#[tokio::test]
async fn a05_deny_refuses_says_so_and_recovers() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = keeping("on_failure: deny", &upstream).await;
    assert_eq!(call(&agent).await, 200);
    assert_standing(&gateway, "well").await;
    take_away(&gateway);

    let refused = agent.modern(&modern("search_x", &json!({}))).await;

    assert_refused(&refused, 503, 50302);
    assert_eq!(upstream.count(), 1, "nothing reached the upstream");
    let (status, told) = ready(&gateway).await;
    assert_eq!(status, 503);
    assert!(
        told.contains("fault audit ledger: records cannot be written"),
        "{told}"
    );
    assert_standing(&gateway, "failing").await;
    bring_back(&gateway);
    until(&agent, 200).await;
    assert_eq!(ready(&gateway).await.0, 200);
    assert_standing(&gateway, "well").await;
}

#[tokio::test]
async fn a05_spill_serves_on_says_so_and_comes_home() {
    let upstream = Upstream::plain().await;
    let audit = "on_failure: spill, spill: elsewhere, failure_limit: 1h";
    let (gateway, agent) = keeping(audit, &upstream).await;
    let home = take_away(&gateway);

    assert_eq!(call(&agent).await, 200);

    let (status, told) = ready(&gateway).await;
    assert_eq!(status, 200);
    assert!(told.contains("ok    audit ledger, spilling"), "{told}");
    assert_standing(&gateway, "spilling").await;
    let elsewhere = gateway.setup.folder.path().join("elsewhere");
    let ledger = ledger_in(&[&home, &elsewhere]);
    let lapsed = ledger
        .iter()
        .find(|it| it["action"] == "ledger/lapsed")
        .unwrap();
    assert_eq!(lapsed["lapse"]["mode"], "spill");
    assert!(ledger.iter().any(|record| record["decision"] == "allow"));
    bring_back(&gateway);
    let is_home = || records_in_last_segment(&gateway) > 0;
    assert!(eventually(SOON, is_home).await);
    assert_eq!(call(&agent).await, 200);
    assert_standing(&gateway, "well").await;
    assert_eq!(upstream.count(), 2);
}

/// How many records the ledger's own folder has in a segment that was begun after the first.
fn records_in_last_segment(gateway: &Gateway) -> usize {
    let entries = std::fs::read_dir(gateway.ledger()).unwrap();
    let mut segments: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
        .collect();
    segments.sort();
    match segments.as_slice() {
        [_, .., last] => std::fs::read_to_string(last).unwrap().lines().count(),
        _ => 0,
    }
}

#[tokio::test]
async fn a05_spill_ends_with_its_limit() {
    let upstream = Upstream::plain().await;
    let audit = "on_failure: spill, spill: elsewhere, failure_limit: 1s";
    let (gateway, agent) = keeping(audit, &upstream).await;
    take_away(&gateway);
    assert_eq!(call(&agent).await, 200);
    until(&agent, 503).await;
    let passed = upstream.count();
    assert_eq!(call(&agent).await, 503);
    assert_eq!(upstream.count(), passed, "nothing reached the upstream");
    assert_eq!(ready(&gateway).await.0, 503);
    assert_standing(&gateway, "failing").await;
    bring_back(&gateway);
    until(&agent, 200).await;
}

#[tokio::test]
async fn a05_continue_lets_calls_pass_says_so_and_tells_how_many() {
    let upstream = Upstream::plain().await;
    let audit = "on_failure: continue, failure_limit: 1h, queue: 4KiB";
    let (gateway, agent) = keeping(audit, &upstream).await;
    take_away(&gateway);

    for _ in 0..20 {
        assert_eq!(call(&agent).await, 200);
    }

    let (status, told) = ready(&gateway).await;
    assert_eq!(status, 200);
    assert!(told.contains("ok    audit ledger, continuing"), "{told}");
    assert_standing(&gateway, "continuing").await;
    let metrics = gateway.metrics().await;
    let unrecorded = metrics
        .lines()
        .find_map(|line| {
            line.strip_prefix(
                "gatewright_audit_events_total{result=\"unrecorded\",sink=\"ledger\"} ",
            )
        })
        .unwrap();
    bring_back(&gateway);
    let lapsed = || {
        let ledger = ledger_in(&[&gateway.ledger()]);
        ledger
            .into_iter()
            .find(|it| it["action"] == "ledger/lapsed")
    };
    assert!(eventually(SOON, || lapsed().is_some()).await);
    let lapse = &lapsed().unwrap()["lapse"];
    assert_eq!(lapse["mode"], "continue");
    assert_eq!(lapse["passed"], 20);
    assert_eq!(lapse["lost"].to_string(), unrecorded);
    assert_standing(&gateway, "well").await;
}

#[tokio::test]
async fn a05_continue_ends_with_its_limit() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = keeping("on_failure: continue, failure_limit: 1s", &upstream).await;
    take_away(&gateway);
    assert_eq!(call(&agent).await, 200);
    until(&agent, 503).await;
    let passed = upstream.count();
    assert_eq!(call(&agent).await, 503);
    assert_eq!(upstream.count(), passed, "nothing reached the upstream");
    assert_eq!(ready(&gateway).await.0, 503);
}

/// How many requests of all kinds are made, by how many agents at once.
const REQUESTS: usize = 3000;
const AGENTS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a08_requests_of_every_kind_and_the_record_agree_one_to_one() {
    let upstream = Upstream::plain().await;
    let audit = "segment: { size: 256KiB }, queue: 64MiB";
    let (gateway, agent) = keeping(audit, &upstream).await;
    let asking = (0..AGENTS).map(|one| {
        let stranger = Agent::new(gateway.url(), None);
        let agent = Agent::new(gateway.url(), agent.token.clone());
        tokio::spawn(async move { ask_everything(one, &agent, &stranger).await })
    });
    let mut answers = Vec::new();
    for asked in asking.collect::<Vec<_>>() {
        answers.extend(asked.await.unwrap());
    }
    gateway.records().await;
    gateway.running.stop().await;

    let (decisions, outcomes, tallied) = books(&gateway.setup.folder.path().join("audit"));
    // A flood of strangers is one record with its number.
    let mut counted = 0;
    for (id, status) in &answers {
        let recorded = decisions.get(id).map_or(0, Vec::len);
        if *status == 429 && recorded == 0 {
            counted += 1;
            continue;
        }
        assert_eq!(recorded, 1, "records of {id}, which was answered {status}");
        let is_allowed = decisions[id][0]["decision"] == "allow";
        assert_eq!(is_allowed, *status == 200, "{id}: {status}");
        assert_eq!(outcomes.get(id).copied(), is_allowed.then_some(1), "{id}");
    }
    assert_eq!(
        tallied, counted,
        "refusals that have no record of their own"
    );
    for arrived in upstream.arrived() {
        let id = arrived.json()["id"].as_str().unwrap().to_owned();
        let of_it = |record: &&Value| record["mcp"]["jsonrpc_id"] == *id;
        let allowed = decisions.values().flatten().filter(of_it);
        let allowed: Vec<_> = allowed.filter(|it| it["decision"] == "allow").collect();
        assert_eq!(allowed.len(), 1, "`{id}` arrived");
        let request = allowed[0]["request_id"].as_str().unwrap();
        assert_eq!(outcomes.get(request), Some(&1), "`{id}` ended");
    }
}

/// What is on record, by the id of the request: decisions, how many outcomes, and how many refusals are only counted.
fn books(folder: &Path) -> (HashMap<String, Vec<Value>>, HashMap<String, usize>, u64) {
    let mut decisions: HashMap<String, Vec<Value>> = HashMap::new();
    let mut outcomes: HashMap<String, usize> = HashMap::new();
    let mut tallied = 0;
    for record in records_in(folder) {
        let id = record["request_id"].as_str().unwrap_or_default().to_owned();
        tallied += record["tally"]["rate_limited"].as_u64().unwrap_or(0);
        // What is unusual about a request is told besides.
        if record["kind"] == "anomaly" {
            continue;
        }
        if record["kind"] == "outcome" {
            *outcomes.entry(id).or_default() += 1;
        } else {
            decisions.entry(id).or_default().push(record);
        }
    }
    (decisions, outcomes, tallied)
}

/// Calls that are allowed, denied, malformed, from nobody, and given up; the names and states of those answered.
async fn ask_everything(one: usize, agent: &Agent, stranger: &Agent) -> Vec<(String, u16)> {
    let mut answers = Vec::new();
    for round in 0..REQUESTS / AGENTS {
        let mut message = modern("search_x", &json!({}));
        message["id"] = json!(format!("{one}-{round}"));
        let answer = match round % 5 {
            0 => agent.modern(&modern("delete_customer", &json!({}))).await,
            1 => agent.bytes("{").await,
            2 if round % 10 == 2 => stranger.modern(&message).await,
            3 if round % 10 == 3 => {
                let given_up = agent.modern(&message);
                let _ = tokio::time::timeout(Duration::from_micros(300), given_up).await;
                continue;
            }
            _ => agent.modern(&message).await,
        };
        let id = answer.header("x-request-id").unwrap().to_owned();
        answers.push((id, answer.status));
    }
    answers
}

#[tokio::test]
async fn a17_segments_past_their_time_go_behind_a_signed_record_of_that() {
    let upstream = Upstream::plain().await;
    let audit = "retention: 1s, segment: { age: 1s }";
    let (gateway, agent) = keeping(audit, &upstream).await;
    let first = gateway.ledger().join("00000000000000000001.jsonl");
    while first.exists() {
        assert_eq!(call(&agent).await, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    gateway.running.stop().await;

    let mut lines = Vec::new();
    let ledger = gateway.setup.folder.path().join("audit");
    for entry in std::fs::read_dir(ledger).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "jsonl") {
            let text = std::fs::read_to_string(path).unwrap();
            lines.extend(
                text.lines()
                    .map(|line| serde_json::from_str::<Value>(line).unwrap()),
            );
        }
    }
    lines.sort_by_key(|record| record["seq"].as_u64());
    let stone = lines
        .iter()
        .map(|record| &record["tombstone"])
        .find(|stone| stone["first"] == 1)
        .unwrap();
    let note = stone["note"].as_str().unwrap();
    let last = stone["last"].as_u64().unwrap();
    assert!(note.contains(&format!("\ndeleted 1-{last}\n")), "{note}");
    // What is left goes on behind what was deleted.
    let left = &lines[0];
    assert!(left["seq"].as_u64().unwrap() > last);
    let stones = lines.iter().filter(|record| record["kind"] == "checkpoint");
    let heads = stones.map(|record| &record["tombstone"]["head"]);
    assert!(
        heads
            .into_iter()
            .any(|head| *head == left["integrity"]["prev"])
    );
}
