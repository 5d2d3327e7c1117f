//! Ways into what is another's, each of them closed: sessions, answers, streams.

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Agent, Answer, Arrived, Gateway, Reply, Setup, Upstream, call, legacy, send, tool,
};
use crate::wire::Wire;

fn initialize() -> Value {
    legacy(
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {},
                 "clientInfo": { "name": "c", "version": "1" } }),
    )
}

/// Opens every session under the same id, as a server does that takes the one it is told.
fn one_session(arrived: &Arrived) -> Reply {
    let id = arrived.json()["id"].clone();
    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": {} });
    Reply::json(&answer).with("mcp-session-id", "s-1")
}

/// Alice and somebody else, with these roles, in front of `upstream`.
async fn two(upstream: &Upstream, other: &[&str]) -> (Gateway, Agent, Agent) {
    let setup = Setup::default();
    let alice = setup.analyst();
    let name = if other.contains(&"analyst") {
        "mallory"
    } else {
        "alice"
    };
    let second = setup.issuer.token(name, other, "crm:read");
    let gateway = setup.start(upstream).await;
    let agents = [alice, second].map(|token| Agent::new(gateway.url(), Some(token)));
    let [alice, second] = agents;
    (gateway, alice, second)
}

async fn in_session(agent: &Agent, session: &str, message: &Value) -> Answer {
    let request = agent
        .request(Method::POST)
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-session-id", session);
    send(request.body(message.to_string())).await
}

#[tokio::test]
async fn x03_who_initializes_cannot_name_a_session_and_is_given_no_one_elses() {
    let upstream = Upstream::start(one_session).await;
    let (_gateway, alice, mallory) = two(&upstream, &["analyst"]).await;
    let opened = alice.legacy(&initialize()).await;
    let session = opened.header("mcp-session-id").unwrap();

    let taken = in_session(&mallory, session, &initialize()).await;

    assert_eq!(taken.status, 502, "{}", taken.body);
    assert_eq!(taken.header("mcp-session-id"), None);
    assert_eq!(upstream.arrived()[1].header("mcp-session-id"), None);
    let theirs = in_session(&mallory, session, &call("search_x", &json!({}))).await;
    assert_eq!(theirs.status, 404, "{}", theirs.body);
    let hers = in_session(&alice, session, &call("search_x", &json!({}))).await;
    assert_eq!(hers.status, 200, "{}", hers.body);
}

#[tokio::test]
async fn x02_a_token_with_other_roles_does_not_find_the_session() {
    let upstream = Upstream::start(one_session).await;
    let (_gateway, alice, weaker) = two(&upstream, &[]).await;
    let opened = alice.legacy(&initialize()).await;
    let session = opened.header("mcp-session-id").unwrap();

    let answer = in_session(&weaker, session, &legacy("ping", &json!({}))).await;

    assert_eq!(answer.status, 404, "{}", answer.body);
    assert_eq!(upstream.count(), 1, "nothing may arrive");
}

/// Answers everything with a list, as a server does that confused two requests of one id.
fn confused(as_events: bool) -> impl Fn(&Arrived) -> Reply {
    move |arrived| {
        let id = arrived.json()["id"].clone();
        let tools = [tool("search_customers"), tool("delete_customer")];
        let list = json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": tools } });
        if as_events {
            Reply::events(vec![Bytes::from(format!("data: {list}\n\n"))])
        } else {
            Reply::json(&list)
        }
    }
}

#[tokio::test]
async fn a_list_that_answers_something_else_is_filtered_in_the_older_revisions() {
    for as_events in [true, false] {
        let upstream = Upstream::start(confused(as_events)).await;
        let (_gateway, alice, _) = two(&upstream, &["analyst"]).await;

        let answer = alice.legacy(&legacy("ping", &json!({}))).await;

        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.contains("search_customers"), "{}", answer.body);
        assert!(!answer.body.contains("delete_customer"), "{}", answer.body);
    }
}

#[tokio::test]
async fn an_answer_that_lists_nothing_keeps_its_meaning_in_the_older_revisions() {
    let text = "ä\u{2028} \"quoted\" \\ end";
    for as_events in [true, false] {
        let upstream = Upstream::start(move |arrived| {
            let id = arrived.json()["id"].clone();
            let result = json!({ "content": [{ "type": "text", "text": text }], "isError": true });
            let message = json!({ "jsonrpc": "2.0", "id": id, "result": result });
            if as_events {
                Reply::events(vec![Bytes::from(format!("id: 1\ndata: {message}\n\n"))])
            } else {
                Reply::json(&message)
            }
        })
        .await;
        let (gateway, alice, _) = two(&upstream, &["analyst"]).await;

        let answer = alice.legacy(&call("search_x", &json!({}))).await;

        let message = answer
            .body
            .trim()
            .rsplit("data: ")
            .next()
            .unwrap()
            .to_owned();
        let read: Value = serde_json::from_str(&message).unwrap();
        assert_eq!(read["result"]["content"][0]["text"], text);
        let outcomes = gateway
            .records_until(|all| all.iter().any(|record| record["kind"] == "outcome"))
            .await;
        let outcome = outcomes
            .iter()
            .find(|record| record["kind"] == "outcome")
            .unwrap();
        assert_eq!(outcome["outcome"]["is_error"], true, "{outcome}");
    }
}

#[tokio::test]
async fn x06_an_event_id_is_not_passed_on_with_anything_but_the_opening_of_a_stream() {
    let upstream = Upstream::start(one_session).await;
    let (_gateway, alice, _) = two(&upstream, &["analyst"]).await;
    let opened = alice.legacy(&initialize()).await;
    let session = opened.header("mcp-session-id").unwrap();
    let request = alice
        .request(Method::POST)
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-session-id", session)
        .header("last-event-id", "1");

    let answer = send(request.body(call("search_x", &json!({})).to_string())).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(upstream.arrived()[1].header("last-event-id"), None);
}

#[tokio::test]
async fn who_expects_100_continue_is_told_that_the_server_is_gone() {
    let setup = Setup::default();
    let token = setup.analyst();
    let yaml = setup.yaml("http://127.0.0.1:1/mcp");
    let gateway = Gateway::start(setup, yaml).await;
    let wire = Wire {
        upstream: Upstream::plain().await,
        agent: Agent::new(gateway.url(), Some(token.clone())),
        gateway,
        token,
    };
    let body = call("search_x", &json!({})).to_string();
    let lines = format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len());
    let mut raw = wire.connect().await;
    raw.send(wire.head(&lines)).await;
    assert_eq!(raw.answer().await.0, 100);
    raw.send(body).await;

    let (status, body) = raw.answer().await;

    assert_eq!(status, 502, "{body}");
    let outcome = wire.gateway.records_of("outcome").await.remove(0);
    assert_eq!(outcome["outcome"]["http_status"], 502, "{outcome}");
}
