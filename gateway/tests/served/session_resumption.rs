//! A stream of a session goes on after an event that passed in it, and after nothing else.

use bytes::Bytes;
use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::session_books::scene;
use crate::sessions::{open, within};
use crate::support::{Agent, Answer, Reply, Setup, Upstream, send};

fn resume(agent: &Agent, session: &str, event: &str) -> RequestBuilder {
    within(agent, &Method::GET, session).header("last-event-id", event)
}

/// The ids of the events of a stream.
fn events(answer: &Answer) -> Vec<String> {
    let lines = answer.body.lines();
    lines
        .filter_map(|line| line.strip_prefix("id: "))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn x06_a_stream_goes_on_after_an_event_that_passed_in_the_same_session() {
    let scene = scene().await;
    let stream = send(within(&scene.agent, &Method::GET, &scene.session)).await;
    let ids = events(&stream);
    assert_eq!(ids.len(), 2, "{}", stream.body);
    for id in &ids {
        let answer = send(resume(&scene.agent, &scene.session, id)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let arrived = scene.upstream.arrived();
        assert_eq!(
            arrived.last().unwrap().header("last-event-id"),
            Some(id.as_str())
        );
    }
}

#[tokio::test]
async fn x06_the_stream_that_opens_a_session_can_be_resumed_too() {
    let upstream = Upstream::start(|arrived| {
        let asked = json!({ "jsonrpc": "2.0", "id": 5, "method": "ping" });
        let answer = json!({ "jsonrpc": "2.0", "id": 7, "result": {} });
        match arrived.method.as_str() {
            "GET" => Reply::events(vec![Bytes::from(format!("id: e-2\ndata: {asked}\n\n"))]),
            _ => Reply::events(vec![Bytes::from(format!("id: e-1\ndata: {answer}\n\n"))]),
        }
        .with("mcp-session-id", "s-1")
    })
    .await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let session = open(&agent).await;

    let answer = send(resume(&agent, &session, "e-1")).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(upstream.arrived()[1].header("last-event-id"), Some("e-1"));
}

#[tokio::test]
async fn x06_events_of_other_sessions_and_guessed_ones_are_unknown() {
    let scene = scene().await;
    let other = open(&scene.agent).await;
    let stream = send(within(&scene.agent, &Method::GET, &other)).await;
    let theirs = &events(&stream)[0];
    let before = scene.upstream.count();
    for event in [theirs.as_str(), "1", "0", "s-0.1 ", &"x".repeat(1024)] {
        let answer = send(resume(&scene.agent, &scene.session, event)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (404, Some(40401)),
            "{event}"
        );
        scene
            .assert_kept(&answer, (before, "session_unknown"))
            .await;
    }
    let alone = scene
        .agent
        .request(Method::GET)
        .header("mcp-protocol-version", "2025-11-25")
        .header("last-event-id", theirs.as_str());
    let answer = send(alone).await;
    assert_eq!(
        (answer.status, answer.code()),
        (404, Some(40401)),
        "no session"
    );
    assert_eq!(scene.upstream.count(), before, "nothing may arrive");
}

#[tokio::test]
async fn x06_an_event_id_that_is_no_plain_text_is_refused() {
    let scene = scene().await;
    let before = scene.upstream.count();
    let long = "x".repeat(1025);
    for event in [long.as_bytes(), b"\xe9", b"a\tb"] {
        let value = reqwest::header::HeaderValue::from_bytes(event).unwrap();
        let request = within(&scene.agent, &Method::GET, &scene.session);
        let answer = send(request.header("last-event-id", value)).await;
        assert_eq!((answer.status, answer.code()), (400, Some(40002)));
    }
    let twice = resume(&scene.agent, &scene.session, "a").header("last-event-id", "b");
    assert_eq!(send(twice).await.status, 400);
    assert_eq!(scene.upstream.count(), before, "nothing may arrive");
}
