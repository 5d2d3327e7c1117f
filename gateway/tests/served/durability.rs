//! No record, no call: the decision is in the file before the request leaves, and what may not be written is not.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use crate::edge::assert_refused;
use crate::process::Process;
use crate::support::{
    Agent, Gateway, PATH, Reply, Setup, Upstream, call, list, modern, records_in, send,
};

/// An upstream that keeps what the ledger held whenever a request arrived.
async fn reader_of(ledger: &Path) -> (Upstream, Arc<Mutex<Vec<Vec<Value>>>>) {
    let seen = Arc::<Mutex<Vec<Vec<Value>>>>::default();
    let (found, ledger) = (Arc::clone(&seen), ledger.to_owned());
    let upstream = Upstream::start(move |arrived| {
        found.lock().unwrap().push(records_in(&ledger));
        if arrived.method == "GET" {
            return Reply::events(vec![": hello\n\n".into()]);
        }
        let result = json!({ "tools": [], "content": [] });
        Reply::json(&json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": result }))
    })
    .await;
    (upstream, seen)
}

#[tokio::test]
async fn the_decision_is_in_the_ledger_before_the_request_arrives_upstream() {
    let setup = Setup::default();
    let ledger = setup.folder.path().join("audit");
    let (upstream, seen) = reader_of(&ledger).await;
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));

    let mut ids = Vec::new();
    for round in 0..10 {
        let answer = match round % 3 {
            0 => agent.modern(&modern("search_x", &json!({}))).await,
            1 => agent.modern(&list()).await,
            _ => send(agent.request(reqwest::Method::GET)).await,
        };
        assert_eq!(answer.status, 200, "{}", answer.body);
        ids.push(answer.header("x-request-id").unwrap().to_owned());
    }

    let seen = seen.lock().unwrap().clone();
    assert_eq!(seen.len(), ids.len());
    for (at_arrival, id) in seen.iter().zip(&ids) {
        let of_this = |record: &&Value| record["request_id"] == **id;
        let found: Vec<_> = at_arrival.iter().filter(of_this).collect();
        assert_eq!(found.len(), 1, "its decision, and nothing else yet");
        assert_eq!(found[0]["kind"], "decision");
        assert_eq!(found[0]["decision"], "allow");
    }
    for outcome in gateway.outcomes(ids.len()).await {
        let records = records_in(&ledger);
        let decision = records
            .iter()
            .find(|record| record["event_id"] == outcome["decision_id"])
            .unwrap();
        assert!(outcome["seq"].as_u64() > decision["seq"].as_u64());
        assert_eq!(outcome["request_id"], decision["request_id"]);
    }
}

#[tokio::test]
async fn a_queue_without_room_refuses_the_call() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (token, yaml) = (setup.analyst(), setup.yaml(&upstream.url()));
    let yaml = yaml.replace("{ ledger: audit }", "{ ledger: audit, queue: 512 }");
    let gateway = Gateway::start(setup, yaml).await;
    let agent = Agent::new(gateway.url(), Some(token));

    let call = agent.modern(&modern("search_x", &json!({}))).await;
    let denied = agent.modern(&modern("delete_customer", &json!({}))).await;
    let malformed = agent.bytes("{").await;
    let stream = send(agent.request(reqwest::Method::GET)).await;

    for answer in [&call, &denied, &malformed, &stream] {
        assert_refused(answer, 503, 50302);
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(
            answer.json()["error"]["data"]["reason"],
            "audit_unavailable"
        );
        assert_eq!(
            answer.json()["error"]["data"]["decision_id"],
            Value::Null,
            "there is no record to name"
        );
    }
    assert_eq!(call.json()["id"], 7, "{}", call.body);
    assert_eq!(upstream.count(), 0);
}

/// A message of 2025-11-25 to a gateway that is a process.
async fn call_process(process: &Process, token: &str, tool: &str) -> crate::support::Answer {
    let url = format!("http://{}{PATH}", process.address);
    let agent = Agent::new(url, Some(token.to_owned()));
    agent
        .legacy(&call(tool, &json!({ "q": "canary-argument" })))
        .await
}

#[tokio::test]
async fn a_disk_that_is_full_stops_calls_until_there_is_room() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let (token, yaml) = (setup.analyst(), setup.yaml(&upstream.url()));
    let folder = setup.folder.path();
    let process = Process::start(folder, &yaml, Some(32)).await;
    let mut passed = 0;
    let refused = loop {
        let answer = call_process(&process, &token, "search_x").await;
        if answer.status != 200 {
            break answer;
        }
        passed += 1;
        assert!(passed < 100, "the limit was never met");
    };

    assert_refused(&refused, 503, 50302);
    assert!(refused.header("retry-after").is_some());
    assert!(passed > 0, "there was room at first");
    for tool in ["search_x", "delete_customer"] {
        let answer = call_process(&process, &token, tool).await;
        assert_refused(&answer, 503, 50302);
    }
    assert_eq!(upstream.count(), passed, "nothing passed unrecorded");

    process.lift_limit();
    let mut answer = call_process(&process, &token, "search_x").await;
    for _ in 0..100 {
        if answer.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        answer = call_process(&process, &token, "search_x").await;
    }
    assert_eq!(answer.status, 200, "{}", answer.body);
    process.stop().await;
    let records = records_in(&folder.join("audit"));
    let of = |kind: &str| records.iter().filter(|it| it["kind"] == kind).count();
    assert_eq!(
        of("outcome"),
        upstream.count(),
        "every call has its outcome"
    );
    assert!(of("decision") >= upstream.count());
}

#[tokio::test]
async fn tokens_arguments_and_sessions_are_neither_on_record_nor_in_the_log() {
    const SESSION: &str = "canary-session";
    let upstream = Upstream::start(|arrived| {
        let id = arrived.json()["id"].clone();
        Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [{ "type": "text", "text": "canary-result" }] } }))
            .with("mcp-session-id", SESSION)
    })
    .await;
    let setup = Setup::default();
    let (token, yaml) = (setup.analyst(), setup.yaml(&upstream.url()));
    let stranger = crate::support::Issuer::new().token("eve", &["analyst"], "crm:read");
    let folder = setup.folder.path();
    let process = Process::start(folder, &yaml, None).await;
    let url = format!("http://{}{PATH}", process.address);

    call_process(&process, &token, "search_x").await;
    call_process(&process, &token, "delete_customer").await;
    call_process(&process, &stranger, "search_x").await;
    let agent = Agent::new(format!("{url}?access_token={token}"), Some(token.clone()));
    agent.legacy(&call("search_x", &json!({}))).await;
    let agent = Agent::new(url, Some(token.clone()));
    let hello = crate::support::legacy(
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "c", "version": "1" } }),
    );
    let opened = agent.legacy(&hello).await;
    let session = opened.header("mcp-session-id").unwrap();
    assert_ne!(session, SESSION);
    let in_session = agent
        .request(reqwest::Method::POST)
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-session-id", session);
    let message = call("search_x", &json!({ "q": "canary-argument" }));
    assert_eq!(send(in_session.body(message.to_string())).await.status, 200);
    agent.bytes(r#"{"canary-argument"#).await;
    process.stop().await;

    let records = records_in(&folder.join("audit"));
    assert!(records.len() > 8, "{records:#?}");
    let mut written = json!(records).to_string();
    for output in ["stdout", "stderr"] {
        written.push_str(&std::fs::read_to_string(folder.join(output)).unwrap());
    }
    let parts = token.split('.').chain(stranger.split('.').skip(1));
    for secret in parts
        .skip(1)
        .chain(["canary-argument", SESSION, session, "canary-result"])
    {
        assert!(!written.contains(secret), "`{secret}` was written down");
    }
}
