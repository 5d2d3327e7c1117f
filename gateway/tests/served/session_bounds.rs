//! Sessions have a number, an age and a key: past the first two the oldest end or none is opened, and with another key
//! nobody is in one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::sessions::{initialize, open, within};
use crate::support::{
    Agent, Arrived, Gateway, Holder, Reply, Setup, Upstream, call, presenting, send,
};

/// A server that gives every session a name of its own.
async fn server() -> Upstream {
    let opened = AtomicUsize::new(0);
    Upstream::start(move |arrived: &Arrived| {
        if arrived.method == "DELETE" {
            return Reply::body("text/plain", "");
        }
        let message = arrived.json();
        let reply = Reply::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": {} }));
        if message["method"] == "initialize" {
            let number = opened.fetch_add(1, Ordering::Relaxed);
            reply.with("mcp-session-id", &format!("s-{number}"))
        } else {
            reply
        }
    })
    .await
}

/// A gateway with these `limits`, and an agent for each of these people.
async fn scene<const N: usize>(limits: &str, people: [&str; N]) -> (Upstream, Gateway, [Agent; N]) {
    let upstream = server().await;
    let setup = Setup {
        extra: format!("limits: {{ {limits} }}\n"),
        ..Setup::default()
    };
    let tokens = people.map(|person| setup.issuer.token(person, &["analyst"], "crm:read"));
    let gateway = setup.start(&upstream).await;
    let agents = tokens.map(|token| Agent::new(gateway.url(), Some(token)));
    (upstream, gateway, agents)
}

async fn is_open(agent: &Agent, session: &str) -> bool {
    let status = send(within(agent, &Method::POST, session)).await.status;
    assert!(status == 200 || status == 404, "{status}");
    status == 200
}

#[tokio::test]
async fn limit_sessions_refuses_to_open_one_too_many_before_the_server_is_asked() {
    let (upstream, gateway, [alice, bob, carol]) =
        scene("sessions: 2", ["alice", "bob", "carol"]).await;
    let first = open(&alice).await;
    open(&bob).await;
    assert_eq!(upstream.count(), 2, "at the bound");

    let answer = carol.legacy(&initialize()).await;

    assert_eq!((answer.status, answer.code()), (503, Some(50307)));
    assert_eq!(answer.json()["error"]["data"]["reason"], "sessions_full");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(upstream.count(), 2, "nothing may arrive");
    let records = gateway.records_of("decision").await;
    let last = records.last().unwrap();
    assert_eq!(last["reason"]["code"], "sessions_full");
    assert_eq!(last["action"], "initialize");

    assert_eq!(
        send(within(&alice, &Method::DELETE, &first)).await.status,
        200
    );
    open(&carol).await;
}

#[tokio::test]
async fn limit_sessions_per_principal_ends_the_least_used_one() {
    let (_upstream, _gateway, [alice, bob]) =
        scene("sessions_per_principal: 2", ["alice", "bob"]).await;
    let first = open(&alice).await;
    let second = open(&alice).await;
    let others = open(&bob).await;
    assert!(is_open(&alice, &first).await, "at the bound");

    let third = open(&alice).await;

    assert!(!is_open(&alice, &second).await, "the least used");
    assert!(is_open(&alice, &first).await);
    assert!(is_open(&alice, &third).await);
    assert!(is_open(&bob, &others).await);
}

#[tokio::test]
async fn limit_session_idle_ends_what_nobody_uses() {
    let (upstream, _gateway, [alice]) = scene("session_idle: 1ms", ["alice"]).await;
    let session = open(&alice).await;
    let opened = std::time::Instant::now();
    while opened.elapsed() < Duration::from_millis(3) {
        tokio::task::yield_now().await;
    }
    assert!(!is_open(&alice, &session).await);
    assert_eq!(upstream.count(), 1, "nothing may arrive");
}

#[tokio::test]
async fn x09_initialising_again_and_again_takes_no_more_than_ones_share() {
    let (_upstream, _gateway, [alice, bob]) =
        scene("sessions: 4, sessions_per_principal: 2", ["alice", "bob"]).await;
    let others = open(&bob).await;
    let mut last = String::new();
    for _ in 0..50 {
        last = open(&alice).await;
    }
    assert!(is_open(&alice, &last).await);
    assert!(is_open(&bob, &others).await, "it is not pushed out");
    open(&bob).await;
}

/// A message of somebody who holds a key, perhaps in a session.
fn holding(gateway: &Gateway, holder: &Holder, session: Option<&str>) -> RequestBuilder {
    let token = holder.token(&gateway.setup.issuer);
    let proof = holder.proof(&token);
    let request = presenting(&gateway.url(), Method::POST, &token, &[&proof])
        .header("mcp-protocol-version", "2025-11-25");
    match session {
        Some(session) => request
            .header("mcp-session-id", session)
            .body(call("search_customers", &json!({})).to_string()),
        None => request.body(initialize().to_string()),
    }
}

#[tokio::test]
async fn x02_a_session_is_of_the_key_that_it_was_opened_with() {
    let (upstream, gateway, [bearer]) = scene("sessions: 10", ["alice"]).await;
    let (own, other) = (Holder::new(), Holder::new());
    let opened = send(holding(&gateway, &own, None)).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    let session = opened.header("mcp-session-id").unwrap();

    let with_another_key = send(holding(&gateway, &other, Some(session))).await;
    let without_a_key = send(within(&bearer, &Method::POST, session)).await;

    for answer in [with_another_key, without_a_key] {
        assert_eq!((answer.status, answer.code()), (404, Some(40401)));
    }
    assert_eq!(upstream.count(), 1, "nothing may arrive");
    let answer = send(holding(&gateway, &own, Some(session))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}
