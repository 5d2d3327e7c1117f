//! One connection, written by hand: short and slow bodies, `Expect`, reuse after a refusal, and answers that
//! must not be lost in a reset.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::call_of;
use crate::support::call;
use crate::wire::Wire;

fn allowed() -> String {
    call("search_customers", &json!({ "query": "x" })).to_string()
}

fn denied() -> String {
    call("delete_customer", &json!({})).to_string()
}

#[track_caller]
fn assert_reason((status, body): &(u16, String), expected: u16, reason: &str) {
    assert_eq!(*status, expected, "{body}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["error"]["data"]["reason"], reason);
}

#[tokio::test]
async fn h20_a_client_that_stalls_is_told_so_in_time_and_nothing_arrives() {
    let wire = Wire::configured("limits: { body_timeout: 300ms }").await;
    let body = allowed();
    for length in [body.len(), 500_000] {
        let mut client = wire.connect().await;
        let head = wire.head(&format!("content-length: {length}\r\n"));
        client.send(&head).await;
        client.send(&body.as_bytes()[..20]).await;
        let since = Instant::now();
        assert_reason(&client.answer().await, 408, "body_incomplete");
        assert!(since.elapsed() < Duration::from_secs(3), "{length}");
        assert_eq!(wire.upstream.count(), 0);
    }
    assert_eq!(wire.decisions().await, ["body_incomplete"; 2]);

    let mut client = wire.connect().await;
    client.send(wire.framed(&body)).await;
    assert_eq!(client.answer().await.0, 200);
}

#[tokio::test]
async fn h20_a_body_that_comes_slowly_but_in_time_arrives() {
    let wire = Wire::configured("limits: { body_timeout: 5s }").await;
    let request = wire.framed(&allowed());
    let mut client = wire.connect().await;
    for piece in request.as_bytes().chunks(request.len() / 7) {
        client.send(piece).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(client.answer().await.0, 200);
    assert_eq!(wire.upstream.arrived()[0].body, allowed());
}

#[tokio::test]
async fn h12_a_body_shorter_than_announced_never_arrives() {
    let wire = Wire::start().await;
    let body = allowed();
    let cut = body.len() - 1;
    let mut client = wire.connect().await;
    client
        .send(wire.head(&format!("content-length: {}\r\n", body.len())))
        .await;
    client.send(&body.as_bytes()[..cut]).await;
    client.end().await;
    assert_reason(&client.answer().await, 408, "body_incomplete");
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(wire.decisions().await, ["body_incomplete"]);
}

#[tokio::test]
async fn h12_a_chunked_body_without_its_last_chunk_never_arrives() {
    let wire = Wire::start().await;
    let body = allowed();
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    let mut client = wire.connect().await;
    client
        .send(wire.head("transfer-encoding: chunked\r\n"))
        .await;
    client.send(&chunk).await;
    client.end().await;
    assert_reason(&client.answer().await, 408, "body_incomplete");
    assert_eq!(wire.upstream.count(), 0);

    let mut client = wire.connect().await;
    client
        .send(wire.head("transfer-encoding: chunked\r\n"))
        .await;
    client.send(format!("{chunk}0\r\n\r\n")).await;
    assert_eq!(client.answer().await.0, 200);
    assert_eq!(wire.upstream.arrived()[0].body, body);
    assert_eq!(wire.decisions().await, ["body_incomplete", "allow"]);
}

#[tokio::test]
async fn h15_who_expects_100_continue_is_told_to_go_on_and_then_answered() {
    let wire = Wire::start().await;
    let body = allowed();
    let lines = format!("content-length: {}\r\nexpect: 100-continue\r\n", body.len());
    for _ in 0..2 {
        let mut client = wire.connect().await;
        client.send(wire.head(&lines)).await;
        assert_eq!(client.answer().await, (100, String::new()));
        client.send(&body).await;
        assert_eq!(client.answer().await.0, 200);
    }
    let arrived = wire.upstream.arrived();
    assert_eq!(arrived.len(), 2);
    assert!(arrived.iter().all(|arrived| arrived.body == body));
    assert!(arrived.iter().all(|one| one.header("expect").is_none()));
}

#[tokio::test]
async fn h15_who_expects_100_continue_is_refused_before_the_body_when_the_head_says_enough() {
    let wire = Wire::configured("limits: { body: 64KiB }").await;
    let large = "content-length: 65537\r\nexpect: 100-continue\r\n";
    let small = "content-length: 10\r\nexpect: 100-continue\r\n";
    let unknown = "content-length: 10\r\nexpect: the-unexpected\r\n";
    let cases = [
        (wire.head(large), 413, "body_too_large"),
        (
            wire.head(small).replace("/json", "/xml"),
            415,
            "media_type_unsupported",
        ),
        (wire.head(unknown), 417, "expectation_unsupported"),
    ];
    for (head, status, reason) in cases {
        let mut client = wire.connect().await;
        client.send(&head).await;
        assert_reason(&client.answer().await, status, reason);
    }
    let decisions = wire.decisions().await;
    let reasons = [
        "body_too_large",
        "media_type_unsupported",
        "expectation_unsupported",
    ];
    assert_eq!(decisions, reasons);

    let mut stranger = wire.connect().await;
    let head = wire.head(small).replace(&wire.token, "none");
    stranger.send(&head).await;
    assert_eq!(
        stranger.answer().await.0,
        401,
        "a stranger is not told to go on"
    );
    assert_eq!(wire.upstream.count(), 0);
}

#[tokio::test]
async fn h16_a_refusal_between_two_calls_of_a_connection_changes_neither() {
    let wire = Wire::start().await;
    let mut client = wire.connect().await;
    let second = [
        (wire.framed(&denied()), 200, "tool_not_allowed"),
        (wire.framed("{\"id\":"), 400, "json_malformed"),
        (wire.framed("[]"), 400, "batch_refused"),
    ];
    for (refused, status, reason) in &second {
        client.send(wire.framed(&allowed())).await;
        assert_eq!(client.answer().await.0, 200);
        client.send(refused).await;
        assert_reason(&client.answer().await, *status, reason);
        client.send(wire.framed(&allowed())).await;
        assert_eq!(client.answer().await.0, 200);
    }
    let arrived = wire.upstream.arrived();
    assert_eq!(arrived.len(), 2 * second.len());
    assert!(arrived.iter().all(|arrived| arrived.body == allowed()));
    let expected = second.map(|(_, _, reason)| ["allow", reason, "allow"]);
    assert_eq!(wire.decisions().await, expected.concat());
}

#[tokio::test]
async fn h16_what_is_sent_behind_a_request_before_its_answer_is_not_served() {
    let wire = Wire::start().await;
    for (first, status) in [(allowed(), 200), ("[]".to_owned(), 400)] {
        let mut client = wire.connect().await;
        let both = [first, allowed()].map(|body| wire.framed(&body));
        client.send(both.concat()).await;
        assert_eq!(client.answer().await.0, status);
        assert!(
            client.is_closed().await,
            "the client sends the second again"
        );
    }
    assert_eq!(wire.upstream.count(), 1);
    assert_eq!(wire.decisions().await, ["allow", "batch_refused"]);
}

#[tokio::test]
async fn h39_a_body_that_is_refused_unread_does_not_lose_its_answer() {
    let wire = Wire::configured("limits: { body: 64KiB }").await;
    let body = call_of(3 * 1024 * 1024);
    let lines = format!("content-length: {}\r\n", body.len());
    let cases = [
        (wire.head(&lines), 413, "body_too_large"),
        (
            wire.head(&lines).replace("/json", "/xml"),
            415,
            "media_type_unsupported",
        ),
        (
            wire.head(&lines).replace(&wire.token, "none"),
            401,
            "token_invalid",
        ),
    ];
    for (head, status, reason) in cases {
        let mut client = wire.connect().await;
        client.send(&head).await;
        client.send(&body).await;
        assert_reason(&client.answer().await, status, reason);
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(
        wire.decisions().await,
        ["body_too_large", "media_type_unsupported"]
    );
}

#[tokio::test]
async fn h16_a_refused_body_is_never_read_as_the_next_request() {
    let wire = Wire::start().await;
    let inner = wire.framed(&allowed());
    let head = wire.head(&format!("content-length: {}\r\n", inner.len()));
    let mut client = wire.connect().await;
    client.send(head.replace("/json", "/xml")).await;
    client.send(&inner).await;
    assert_reason(&client.answer().await, 415, "media_type_unsupported");
    client.end().await;
    assert!(client.is_closed().await);
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(wire.decisions().await, ["media_type_unsupported"]);
}
