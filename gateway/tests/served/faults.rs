//! An upstream that fails: the client is told in its own words, the outcome is on record, nothing is sent twice.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::edge::{Act, RawPeer, assert_refused, billing, http};
use crate::support::{Agent, Answer, Gateway, PUBLIC, Setup, Upstream, call, list, modern, send};

/// Checks the answer and the two records of one permitted call that failed.
async fn assert_failed(gateway: &Gateway, answer: &Answer, expected: (u16, i64, &str)) {
    let (status, code, reason) = expected;
    assert_refused(answer, status, code);
    assert_eq!(answer.json()["id"], 7, "the id of the request");
    assert_eq!(answer.json()["error"]["data"]["reason"], reason);
    let outcome = gateway.outcomes(1).await.remove(0);
    assert_eq!(outcome["reason"]["code"], reason, "{outcome:#}");
    assert_eq!(outcome["outcome"]["http_status"], status, "{outcome:#}");
    assert_eq!(
        outcome["request_id"].as_str(),
        answer.header("x-request-id")
    );
    let records = gateway.settled().await;
    assert_eq!(records.len(), 2, "a decision and its outcome: {records:#?}");
    assert_eq!(records[0]["decision"], "allow");
    assert_eq!(records[1]["decision_id"], records[0]["event_id"]);
}

async fn in_front_of(upstream: &str, server: &str) -> (Gateway, Agent) {
    let setup = Setup {
        server: server.to_owned(),
        ..Setup::default()
    };
    let (token, yaml) = (setup.analyst(), setup.yaml(upstream));
    let gateway = Gateway::start(setup, yaml).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, agent)
}

#[tokio::test]
async fn an_upstream_that_refuses_connections_is_502() {
    let place = TcpSocket::new_v4().unwrap();
    place.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/mcp", place.local_addr().unwrap());
    let (gateway, agent) = in_front_of(&url, "").await;

    let answer = agent.modern(&modern("search_x", &json!({}))).await;

    assert_failed(&gateway, &answer, (502, 50201, "upstream_unreachable")).await;
}

#[tokio::test]
async fn an_upstream_whose_name_does_not_resolve_is_502() {
    let (gateway, agent) = in_front_of("http://no-such-host.invalid/mcp", "").await;

    let answer = agent.legacy(&call("search_x", &json!({}))).await;

    assert_failed(&gateway, &answer, (502, 50201, "upstream_unreachable")).await;
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_504_at_the_read_timeout() {
    let peer = RawPeer::start(|_| Act::Stay).await;
    let (gateway, agent) = in_front_of(&peer.url(), "    read_timeout: 400ms\n").await;
    let started = Instant::now();

    let answer = agent.modern(&modern("search_x", &json!({}))).await;

    let waited = started.elapsed();
    assert!(
        (Duration::from_millis(400)..Duration::from_secs(8)).contains(&waited),
        "{waited:?}"
    );
    assert_failed(&gateway, &answer, (504, 50401, "upstream_timeout")).await;
    assert_eq!(peer.count(), 1, "a POST is never sent twice");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_before_its_answer_is_502() {
    for part in ["", "HTTP/1.1 200 OK\r\ncontent-ty"] {
        let peer = RawPeer::start(|_| Act::Break(part.to_owned())).await;
        let (gateway, agent) = in_front_of(&peer.url(), "").await;

        let answer = agent.modern(&modern("search_x", &json!({}))).await;

        assert_failed(&gateway, &answer, (502, 50201, "upstream_unreachable")).await;
        assert_eq!(peer.count(), 1, "a POST is never sent twice");
    }
}

#[tokio::test]
async fn an_upstream_that_does_not_speak_http_is_502() {
    let peer = RawPeer::start(|_| Act::Break("SSH-2.0-nothing\r\n\r\n".to_owned())).await;
    let (gateway, agent) = in_front_of(&peer.url(), "").await;

    let answer = agent.modern(&modern("search_x", &json!({}))).await;

    assert_failed(&gateway, &answer, (502, 50202, "upstream_protocol")).await;
    assert_eq!(peer.count(), 1);
}

/// The head of an answer, and less of its body than it promises.
fn half(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4000\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_passed_on_as_whole() {
    let peer = RawPeer::start(|_| Act::Break(half(r#"{"jsonrpc":"2.0","id":7"#))).await;
    let (gateway, agent) = in_front_of(&peer.url(), "").await;
    let message = modern("search_x", &json!({}));
    let request = agent
        .request(reqwest::Method::POST)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "search_x")
        .body(message.to_string());

    let body = match request.send().await {
        Ok(answer) => answer.bytes().await,
        Err(error) => Err(error),
    };

    assert!(body.is_err(), "the client must see that it is not whole");
    let outcome = gateway.outcomes(1).await.remove(0);
    assert_eq!(outcome["reason"]["code"], "upstream_unreachable");
    assert_eq!(peer.count(), 1, "a POST is never sent twice");
}

#[tokio::test]
async fn a_list_that_breaks_off_shows_nothing() {
    let tools = r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"delete_customer"},{"name":"search_x"}"#;
    let peer = RawPeer::start(move |_| Act::Break(half(tools))).await;
    let (gateway, agent) = in_front_of(&peer.url(), "").await;
    let request = agent
        .request(reqwest::Method::POST)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list")
        .body(list().to_string());

    let seen = match request.send().await {
        Ok(answer) => answer.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    };

    assert!(!seen.contains("delete_customer"), "{seen}");
    let outcome = gateway.outcomes(1).await.remove(0);
    assert_eq!(outcome["reason"]["code"], "upstream_unreachable");
    assert_eq!(peer.count(), 1);
}

#[tokio::test]
async fn a_kept_connection_that_fails_does_not_repeat_the_post() {
    let served = std::sync::atomic::AtomicUsize::new(0);
    let result = http(&json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [] } }));
    let peer =
        RawPeer::start(
            move |_| match served.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                1 => Act::Break(String::new()),
                _ => Act::Send(result.clone()),
            },
        )
        .await;
    let (_gateway, agent) = in_front_of(&peer.url(), "").await;
    let message = modern("search_x", &json!({}));

    assert_eq!(agent.modern(&message).await.status, 200);
    let broken = agent.modern(&message).await;

    assert_refused(&broken, 502, 50201);
    assert_eq!(peer.count(), 2, "a POST is never sent twice");
    assert_eq!(agent.modern(&message).await.status, 200, "and it recovers");
    assert_eq!(peer.count(), 3);
}

#[tokio::test]
async fn other_servers_go_on_while_one_hangs() {
    let silent = RawPeer::start(|_| Act::Stay).await;
    let well = Upstream::plain().await;
    let home = Setup::default();
    let mut claims = home.issuer.claims("alice", &["analyst"]);
    claims["aud"] = json!([crate::support::resource(), format!("{PUBLIC}/billing/mcp")]);
    claims["scope"] = json!("crm:read");
    let token = home.issuer.sign_claims(&claims);
    let setup = Setup {
        server: billing(&well.url()),
        roles: format!("{}      billing: [search_*]\n", home.roles),
        ..home
    };
    let yaml = setup.yaml(&silent.url());
    let gateway = Gateway::start(setup, yaml).await;
    let stuck = Agent::new(gateway.url(), Some(token.clone()));
    let hanging = tokio::spawn(async move { stuck.modern(&modern("search_x", &json!({}))).await });
    while silent.count() == 0 {
        tokio::task::yield_now().await;
    }

    let url = format!("http://{}/billing/mcp", gateway.address());
    let agent = Agent::new(url, Some(token));
    for _ in 0..10 {
        let answer = agent.modern(&modern("search_x", &json!({}))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    assert!(!hanging.is_finished(), "the other one still waits");
    assert_eq!((silent.count(), well.count()), (1, 10));
    hanging.abort();
}

#[tokio::test]
async fn a_challenge_or_redirect_of_the_upstream_is_not_the_clients_business() {
    for head in [
        "401 Unauthorized\r\nwww-authenticate: Bearer realm=\"upstream\"",
        "302 Found\r\nlocation: http://127.0.0.1:1/",
    ] {
        let peer = RawPeer::start(move |_| {
            Act::Send(format!("HTTP/1.1 {head}\r\ncontent-length: 2\r\n\r\nno"))
        })
        .await;
        let (gateway, agent) = in_front_of(&peer.url(), "").await;

        let answer = agent.modern(&modern("search_x", &json!({}))).await;

        assert_failed(&gateway, &answer, (502, 50202, "upstream_protocol")).await;
        assert_eq!(answer.header("www-authenticate"), None);
        assert_eq!(answer.header("location"), None);
        assert_eq!(peer.count(), 1);
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_is_told_without_an_id() {
    let place = TcpSocket::new_v4().unwrap();
    place.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/mcp", place.local_addr().unwrap());
    let (gateway, agent) = in_front_of(&url, "").await;

    let answer = send(agent.request(reqwest::Method::GET)).await;

    assert_refused(&answer, 502, 50201);
    assert_eq!(answer.json()["id"], Value::Null);
    let outcome = gateway.outcomes(1).await.remove(0);
    assert_eq!(outcome["action"], "GET");
}
