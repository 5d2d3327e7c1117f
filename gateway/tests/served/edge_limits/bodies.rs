//! Bodies: how fast they have to come, and how many bytes of them are held at once.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;

use super::{connect, trickle};
use crate::framing::assert_served;
use crate::support::call;
use crate::wire::{Raw, Wire};
use serde_json::json;

const KIB: usize = 1024;

#[tokio::test]
async fn limit_body_rate_ends_a_body_that_only_trickles() {
    let wire = Wire::configured("limits: { body_rate: 1KiB }").await;
    let (mut slow, mut fast) = (connect(&wire).await, wire.connect().await);
    let head = wire.head("content-length: 4000\r\n");
    slow.write_all(head.as_bytes()).await.unwrap();
    let began = Instant::now();
    // Ten bytes a second where a thousand are wanted.
    let trickling = trickle(&mut slow, &[b' '; 100], Duration::from_millis(100));
    let steady = async {
        let body = padded(6000);
        fast.send(wire.head(&format!("content-length: {}\r\n", body.len())))
            .await;
        for piece in body.as_bytes().chunks(1000) {
            fast.send(piece).await;
            tokio::time::sleep(Duration::from_millis(900)).await;
        }
        fast.answer().await.0
    };
    let (cut, status) = tokio::join!(trickling, steady);
    assert!(cut);
    let took = began.elapsed();
    assert!(
        took > Duration::from_secs(5) && took < Duration::from_secs(9),
        "{took:?}"
    );
    assert_eq!(
        status, 200,
        "what comes fast enough may take longer than that"
    );
    assert_eq!(wire.decisions().await.len(), 2);
    assert!(
        wire.decisions()
            .await
            .contains(&"body_incomplete".to_owned())
    );
    assert_eq!(wire.upstream.count(), 1);
}

/// An allowed call of this length.
fn padded(length: usize) -> String {
    let empty = call("search_customers", &json!({ "query": "" })).to_string();
    let query = "q".repeat(length - empty.len());
    call("search_customers", &json!({ "query": query })).to_string()
}

/// Sends all of a body but its last byte.
async fn hold(wire: &Wire, length: usize) -> (Raw, String) {
    let body = padded(length);
    let mut client = wire.connect().await;
    client
        .send(wire.head(&format!(
            "content-length: {length}\r\nexpect: 100-continue\r\n"
        )))
        .await;
    (client, body)
}

#[tokio::test]
async fn limit_bytes_in_flight_at_and_past_the_bound() {
    let wire = Wire::configured("limits: { bytes_in_flight: 300KiB, body: 200KiB }").await;
    let (mut first, body) = hold(&wire, 100 * KIB).await;
    assert_eq!(first.answer().await.0, 100);
    let (mut second, _) = hold(&wire, 200 * KIB).await;
    assert_eq!(second.answer().await.0, 100, "the bound itself");

    let (mut past, _) = hold(&wire, 200).await;
    let (status, text) = past.answer().await;
    assert_eq!(status, 503, "{text}");
    assert!(text.contains("\"reason\":\"overloaded\""), "{text}");
    assert_eq!(wire.upstream.count(), 0);

    first.send(&body).await;
    assert_eq!(first.answer().await.0, 200);
    // The first is over: what it held is free.
    let (mut next, body) = hold(&wire, 100 * KIB - 1).await;
    assert_eq!(next.answer().await.0, 100, "one below");
    next.send(&body).await;
    assert_eq!(next.answer().await.0, 200);
    assert_eq!(wire.upstream.count(), 2);
    drop(second);
    assert_eq!(
        wire.decisions()
            .await
            .iter()
            .filter(|it| *it == "overloaded")
            .count(),
        1
    );
}

#[tokio::test]
async fn q34_a_refusal_for_want_of_room_says_when_to_come_back() {
    let wire = Wire::configured("limits: { bytes_in_flight: 64KiB, body: 64KiB }").await;
    let (mut held, _) = hold(&wire, 64 * KIB).await;
    assert_eq!(held.answer().await.0, 100);
    let answer = wire
        .agent
        .legacy(&call("search_customers", &json!({})))
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (503, Some(50306)),
        "{}",
        answer.body
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(held);
    let served = async {
        while wire
            .agent
            .legacy(&call("search_customers", &json!({})))
            .await
            .status
            != 200
        {}
    };
    tokio::time::timeout(Duration::from_secs(5), served)
        .await
        .unwrap();
    assert_eq!(wire.upstream.count(), 1);
}

#[tokio::test]
async fn q34_a_crowd_of_the_largest_bodies_is_served_or_told_to_wait() {
    let wire =
        Wire::configured("limits: { bytes_in_flight: 4MiB, body: 1MiB, idle_timeout: 150ms }")
            .await;
    let body = padded(1024 * KIB);
    let calls = (0..40).map(|_| wire.agent.bytes(body.clone()));
    let answers = futures_util::future::join_all(calls).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    let waiting = answers
        .iter()
        .filter(|answer| answer.code() == Some(50306))
        .count();
    assert_eq!(served + waiting, 40);
    assert!(served >= 4, "{served} served");
    assert_eq!(wire.upstream.count(), served);
    assert!(
        wire.upstream
            .arrived()
            .iter()
            .all(|it| it.body == body.as_bytes())
    );
    assert_served(&wire).await;
}
