//! Connections: how many, and how long each may be silent or slow.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ACTIVE, connect, metric, refused, rest, trickle, until};
use crate::framing::{allowed, assert_served, exchange};
use crate::wire::Wire;

#[tokio::test]
async fn limit_head_timeout_is_for_the_whole_head_and_not_for_each_byte() {
    let wire = Wire::configured("limits: { head_timeout: 400ms }").await;
    let began = Instant::now();
    let mut slow = connect(&wire).await;
    let head = wire.head("content-length: 5\r\n");
    assert!(trickle(&mut slow, head.as_bytes(), Duration::from_millis(20)).await);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    until(&wire, &refused("slow"), 1).await;

    let mut silent = connect(&wire).await;
    assert_eq!(rest(&mut silent).await, "", "closed without an answer");
    until(&wire, &refused("slow"), 2).await;

    let mut quick = connect(&wire).await;
    let request = wire.framed(&allowed());
    let (first, second) = request.split_at(40);
    quick.write_all(first.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    quick.write_all(second.as_bytes()).await.unwrap();
    let mut answer = [0; 15];
    quick.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK", "what comes in time is served");
    assert_eq!(wire.upstream.count(), 1);
}

#[tokio::test]
async fn h20_a_further_request_of_a_connection_has_the_time_of_a_head_too() {
    let wire = Wire::configured("limits: { head_timeout: 400ms, idle_timeout: 20s }").await;
    let mut client = wire.connect().await;
    client.send(wire.framed(&allowed())).await;
    assert_eq!(client.answer().await.0, 200);
    tokio::time::sleep(Duration::from_millis(600)).await;
    client.send("POST /crm").await;
    let began = Instant::now();
    assert!(client.is_closed().await);
    assert!(
        began.elapsed() < Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    until(&wire, &refused("slow"), 1).await;
    assert_eq!(wire.upstream.count(), 1);
}

#[tokio::test]
async fn limit_idle_timeout_ends_connections_without_a_request_and_no_others() {
    let wire = Wire::configured("limits: { idle_timeout: 300ms }").await;
    let mut client = wire.connect().await;
    for pause in [0, 100] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        client.send(wire.framed(&allowed())).await;
        assert_eq!(client.answer().await.0, 200);
    }
    let began = Instant::now();
    assert!(client.is_closed().await);
    let took = began.elapsed();
    assert!(
        took > Duration::from_millis(200) && took < Duration::from_secs(3),
        "{took:?}"
    );
    until(&wire, ACTIVE, 0).await;
    assert_eq!(
        metric(&wire, &refused("slow")).await,
        0,
        "to be idle is no offence"
    );
}

#[tokio::test]
async fn h20_a_crowd_of_slow_clients_does_not_keep_others_waiting() {
    let wire = Wire::configured("limits: { head_timeout: 2s, body_timeout: 2s }").await;
    let mut crowd = Vec::new();
    for number in 0..150 {
        let mut slow = connect(&wire).await;
        let part = if number % 2 == 0 {
            "POST /crm/mcp HTTP/1.1\r\nhost: lo".to_owned()
        } else {
            wire.head("content-length: 1000\r\n") + "{"
        };
        slow.write_all(part.as_bytes()).await.unwrap();
        crowd.push(slow);
    }
    let began = Instant::now();
    for _ in 0..5 {
        let mut client = wire.connect().await;
        client.send(wire.framed(&allowed())).await;
        assert_eq!(client.answer().await.0, 200);
    }
    assert!(
        began.elapsed() < Duration::from_millis(1500),
        "{:?}",
        began.elapsed()
    );
    let mut told = 0;
    for slow in &mut crowd {
        let text = rest(slow).await;
        told += usize::from(text.contains("body_incomplete"));
    }
    assert_eq!(told, 75, "who sent a whole head is told");
    until(&wire, &refused("slow"), 75).await;
    until(&wire, ACTIVE, 0).await;
    assert_eq!(wire.upstream.count(), 5);
}

#[tokio::test]
async fn limit_connections_past_the_bound_wait_until_one_ends() {
    let wire = Wire::configured("limits: { connections: 3 }").await;
    let mut held = Vec::new();
    for number in 1..=3 {
        held.push(connect(&wire).await);
        until(&wire, ACTIVE, number).await;
    }
    let mut fourth = connect(&wire).await;
    fourth
        .write_all(wire.framed(&allowed()).as_bytes())
        .await
        .unwrap();
    let mut answer = [0; 15];
    let early =
        tokio::time::timeout(Duration::from_millis(300), fourth.read_exact(&mut answer)).await;
    assert!(
        early.is_err(),
        "it is not served while all places are taken"
    );
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(
        wire.gateway.readiness().await,
        200,
        "the operator's port is its own"
    );

    drop(held.pop());
    fourth.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    assert_eq!(wire.upstream.count(), 1);
}

#[tokio::test]
async fn limit_connections_per_source_past_the_bound_are_closed_and_counted() {
    let wire = Wire::configured("limits: { connections_per_source: 2 }").await;
    let first = connect(&wire).await;
    let _second = connect(&wire).await;
    until(&wire, ACTIVE, 2).await;
    for number in 1..=3 {
        let mut past = connect(&wire).await;
        assert_eq!(rest(&mut past).await, "", "closed at once");
        until(&wire, &refused("source"), number).await;
    }
    drop(first);
    until(&wire, ACTIVE, 1).await;
    let mut again = wire.connect().await;
    again.send(wire.framed(&allowed())).await;
    assert_eq!(again.answer().await.0, 200);
}

#[tokio::test]
async fn h25_a_reload_changes_how_many_connections_there_may_be() {
    let wire = Wire::configured("limits: { connections_per_source: 1, idle_timeout: 150ms }").await;
    let held = connect(&wire).await;
    until(&wire, ACTIVE, 1).await;
    let mut past = connect(&wire).await;
    assert_eq!(rest(&mut past).await, "");
    let changed = wire
        .gateway
        .yaml
        .lock()
        .unwrap()
        .replace("source: 1", "source: 2");
    *wire.gateway.yaml.lock().unwrap() = changed;
    wire.gateway.running.reload().await.unwrap();
    assert_served(&wire).await;
    drop(held);
}

#[tokio::test]
async fn h01_heads_that_cannot_be_read_are_counted_because_they_leave_no_record() {
    let wire = Wire::configured("limits: { head_timeout: 2s, idle_timeout: 200ms }").await;
    for number in 1..=3 {
        let came = exchange(&wire, "POST /crm/mcp HTTP/1.1\r\nbad header: x\r\n\r\n").await;
        assert_eq!(came.statuses, [400], "{}", came.text);
        until(&wire, &refused("malformed"), number).await;
    }
    assert!(wire.gateway.settled().await.is_empty());
    drop(connect(&wire).await);
    assert_served(&wire).await;
    assert_eq!(
        metric(&wire, &refused("malformed")).await,
        3,
        "nothing else is counted as that"
    );
}
