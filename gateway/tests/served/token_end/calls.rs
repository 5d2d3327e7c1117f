//! A call under way is cut with the error as its answer, unless its server lets calls outlive their tokens.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{
    AT_LAST, Asked, LIFE, NEWS, SOON, agent, assert_ended, assert_on_record, assert_told, busy,
    each, fronting, hear, silence,
};
use crate::edge::{Act, RawPeer};
use crate::support::{PUBLIC, Reply, Upstream, eventually};

const WAYS: [(Asked, &str); 4] = [
    (Asked::Call, "h1"),
    (Asked::Call, "h2"),
    (Asked::LegacyCall, "h1"),
    (Asked::LegacyCall, "h2"),
];
const OUTLIVING: &str = "    calls_outlive_token: true\n";

fn result() -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [], "isError": false } })
}

/// A JSON answer whose body comes long after its token has ended.
fn late_json() -> Reply {
    let mut reply = Reply::json(&result());
    reply.pieces[0].0 = LIFE * 2;
    reply
}

/// An event at once, the result long after its token has ended.
fn late_events() -> Reply {
    let mut reply = Reply::events(vec![Bytes::from_static(NEWS)]);
    let result = format!("data: {}\n\n", result());
    reply.pieces.push((LIFE * 2, result.into()));
    reply
}

#[tokio::test]
async fn x11_a_call_without_any_answer_is_cut_with_its_token() {
    each(&WAYS, |asked, version| async move {
        let what = format!("{asked:?} over {version}");
        let peer = RawPeer::start(|_| Act::Stay).await;
        let gateway = fronting(&peer.url(), "").await;
        let agent = agent(&gateway, version, LIFE);

        let heard = hear(asked.request(&agent)).await;

        heard.assert_in_time(SOON, &what);
        // Not 401: what the server did with it, nobody knows, and nobody is to send it again unasked.
        assert_eq!(heard.status, 504, "{what}");
        assert_told(&heard.json(), &what);
        assert_on_record(&gateway, &json!(504), &what).await;
        assert_eq!(peer.count(), 1, "{what}: a POST is never sent twice");
    })
    .await;
}

#[tokio::test]
async fn x11_a_call_whose_json_does_not_come_is_answered_with_the_error() {
    each(&WAYS, |asked, version| async move {
        let what = format!("{asked:?} over {version}");
        let upstream = Upstream::start(|_| late_json()).await;
        let gateway = fronting(&upstream.url(), "").await;
        let agent = agent(&gateway, version, LIFE);

        let heard = hear(asked.request(&agent)).await;

        heard.assert_in_time(SOON, &what);
        assert!(heard.is_whole, "{what}: {heard:?}");
        assert_told(&heard.json(), &what);
        assert_ended(&gateway, &upstream, &json!(200), &what).await;
    })
    .await;
}

#[tokio::test]
async fn x11_a_call_that_is_answered_with_events_ends_with_the_error() {
    each(&WAYS, |asked, version| async move {
        for reply in [silence(), busy(&silence(), NEWS)] {
            let what = format!("{asked:?} over {version}, {} pieces", reply.pieces.len());
            let upstream = Upstream::start(move |_| reply.clone()).await;
            let gateway = fronting(&upstream.url(), "").await;
            let agent = agent(&gateway, version, LIFE);

            let heard = hear(asked.request(&agent)).await;

            heard.assert_in_time(SOON, &what);
            assert!(heard.is_whole, "{what}: {heard:?}");
            assert!(heard.text.starts_with("data: "), "{what}: {heard:?}");
            assert_told(&heard.last_event(), &what);
            assert_ended(&gateway, &upstream, &json!(200), &what).await;
        }
    })
    .await;
}

#[tokio::test]
async fn x11_half_an_answer_is_broken_off_and_not_completed() {
    for version in ["h1", "h2"] {
        let start = "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"x\":\"";
        // More than is held.
        let start = format!("{start}{}", "x".repeat(70_000));
        let mut reply = busy(&Reply::json(&json!({})), b"x");
        reply.pieces.insert(0, (Duration::ZERO, start.into()));
        let upstream = Upstream::start(move |_| reply.clone()).await;
        let gateway = fronting(&upstream.url(), "").await;
        let agent = agent(&gateway, version, LIFE);

        let heard = hear(Asked::Call.request(&agent)).await;

        heard.assert_in_time(SOON, version);
        assert!(!heard.is_whole, "{version}: {heard:?}");
        assert!(!heard.text.contains("error"), "{version}: {heard:?}");
        assert_ended(&gateway, &upstream, &json!(200), version).await;
    }
}

/// Events, and silence from shortly before the end of the token to long after it.
fn silent_late() -> Reply {
    let mut reply = silence();
    reply.pieces.push((LIFE * 9 / 10, NEWS.into()));
    reply
}

#[tokio::test]
async fn x11_a_call_that_falls_silent_ends_with_the_error_over_http_1() {
    each(
        &[(Asked::Call, "h1"), (Asked::LegacyCall, "h1")],
        |asked, version| async move {
            let upstream = Upstream::start(|_| silent_late()).await;
            let gateway = fronting(&upstream.url(), "").await;
            let agent = agent(&gateway, version, LIFE);

            let heard = hear(asked.request(&agent)).await;

            let what = format!("{asked:?}");
            heard.assert_in_time(SOON, &what);
            assert!(heard.is_whole, "{what}: {heard:?}");
            assert_told(&heard.last_event(), &what);
            assert_ended(&gateway, &upstream, &json!(200), &what).await;
        },
    )
    .await;
}

#[tokio::test]
async fn x11_a_call_that_falls_silent_is_cut_a_second_later_over_http_2() {
    each(
        &[(Asked::Call, "h2"), (Asked::LegacyCall, "h2")],
        |asked, version| async move {
            let upstream = Upstream::start(|_| silent_late()).await;
            let gateway = fronting(&upstream.url(), "").await;
            let agent = agent(&gateway, version, LIFE);

            let heard = hear(asked.request(&agent)).await;

            let what = format!("{asked:?}");
            heard.assert_in_time(AT_LAST, &what);
            assert!(!heard.is_whole, "{what}: {heard:?}");
            assert_ended(&gateway, &upstream, &json!(200), &what).await;
        },
    )
    .await;
}

#[tokio::test]
async fn x11_an_answer_after_which_nothing_comes_is_not_answered_again() {
    let mut reply = silence();
    reply.pieces = vec![(Duration::ZERO, format!("data: {}\n\n", result()).into())];
    let upstream = Upstream::start(move |_| reply.clone()).await;
    let gateway = fronting(&upstream.url(), "").await;
    let agent = agent(&gateway, "h1", LIFE);

    let heard = hear(Asked::Call.request(&agent)).await;

    assert!(heard.is_whole);
    assert_eq!(heard.text, format!("data: {}\n\n", result()));
    assert_ended(&gateway, &upstream, &json!(200), "answered").await;
}

#[tokio::test]
async fn x11_calls_outlive_their_token_where_the_configuration_says_so() {
    each(&WAYS, |asked, version| async move {
        for reply in [late_json(), late_events()] {
            let what = format!("{asked:?} over {version}, {} pieces", reply.pieces.len());
            let upstream = Upstream::start(move |_| reply.clone()).await;
            let gateway = fronting(&upstream.url(), OUTLIVING).await;
            let agent = agent(&gateway, version, LIFE);

            let heard = hear(asked.request(&agent)).await;

            assert!(heard.after >= LIFE * 2, "{what}: {heard:?}");
            assert_eq!((heard.status, heard.is_whole), (200, true), "{what}");
            let last = heard.text.rsplit("data: ").next().unwrap();
            let message: Value = serde_json::from_str(last).unwrap();
            assert_eq!(message, result(), "{what}");
            let outcome = gateway.outcomes(1).await.remove(0);
            assert_eq!(outcome["reason"], Value::Null, "{what}: {outcome:#}");
            assert_eq!(outcome["outcome"]["is_error"], false, "{what}: {outcome:#}");
            assert_eq!((upstream.completed(), upstream.aborted()), (1, 0), "{what}");
        }
    })
    .await;
}

#[tokio::test]
async fn x11_a_call_that_its_client_left_ends_with_its_token_too() {
    let upstream = Upstream::start(|_| silence()).await;
    let gateway = fronting(&upstream.url(), "").await;
    let agent = agent(&gateway, "h1", LIFE);
    let since = Instant::now();
    let mut open = Asked::LegacyCall.request(&agent).send().await.unwrap();
    assert!(open.chunk().await.unwrap().is_some());

    drop((open, agent));

    // Before 2026-07-28 a disconnect is no cancellation, but the end of the token is one.
    let is_held = !eventually(LIFE / 2, || upstream.aborted() == 1).await;
    assert!(is_held, "cancelled after {:?}", since.elapsed());
    assert!(eventually(LIFE / 2 + AT_LAST, || upstream.aborted() == 1).await);
    assert_on_record(&gateway, &json!(200), "left alone").await;
}

#[tokio::test]
async fn x11_a_token_that_ends_while_its_request_arrives_reaches_no_upstream() {
    let upstream = Upstream::plain().await;
    let gateway = fronting(&upstream.url(), "").await;
    let token = gateway.setup.issuer.token_for(LIFE);
    let body = crate::support::call("search_customers", &json!({})).to_string();
    let (first, second) = body.split_at(10);
    let head = format!(
        "POST /crm/mcp HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
         mcp-protocol-version: 2025-11-25\r\ncontent-length: {}\r\n\r\n{first}",
        PUBLIC.trim_start_matches("http://"),
        body.len()
    );
    let mut socket = TcpStream::connect(gateway.address()).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();

    tokio::time::sleep(LIFE + Duration::from_millis(100)).await;
    socket.write_all(second.as_bytes()).await.unwrap();

    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    let challenge = "Bearer error=\"invalid_token\"";
    assert!(answer.contains(challenge), "{answer}");
    assert!(answer.contains("token_expired"), "{answer}");
    assert_on_record(&gateway, &json!(401), "late").await;
    assert_eq!(upstream.count(), 0);
}
