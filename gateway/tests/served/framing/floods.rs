//! Floods of frames on one connection: it ends, or what it costs has a bound, and others go on.

use std::time::{Duration, Instant};

use super::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, Fate, HEADERS, Http2, PING, RST_STREAM, SETTINGS,
    TARGET, block, frame, request,
};
use super::{allowed, assert_served};
use crate::support::eventually;
use crate::wire::Wire;

/// Time enough for a flood, and little patience with who does not read.
const PATIENT: &str =
    "limits: { head_timeout: 5s, body_timeout: 5s, idle_timeout: 1s, write_timeout: 500ms }";
/// Frames that are sent at most.
const FLOOD: usize = 40_000;

/// Sends `piece` again and again until the gateway takes no more; how many were sent.
async fn flood(client: &mut Http2, piece: &[u8], at_once: usize) -> usize {
    let bytes = piece.repeat(at_once);
    let mut sent = 0;
    while sent < FLOOD && client.bytes(&bytes).await {
        sent += at_once;
    }
    sent
}

/// Others are served while this goes on, and promptly.
async fn assert_calm(wire: &Wire) {
    let began = Instant::now();
    assert_served(wire).await;
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
}

async fn assert_no_connection_left(wire: &Wire) {
    for _ in 0..100 {
        let metrics = wire.gateway.metrics().await;
        if metrics.contains("gatewright_connections_active 0") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("a connection is left");
}

#[tokio::test]
async fn h22_requests_that_are_taken_back_at_once_end_the_connection() {
    let wire = Wire::configured(PATIENT).await;
    let mut client = Http2::connect(&wire).await;
    let head = request(&wire, &TARGET, &[]);
    let mut sent = 0;
    'flood: for round in 0..400_u32 {
        let mut bytes = Vec::new();
        for stream in 0..50 {
            let stream = (round * 50 + stream) * 2 + 1;
            bytes.extend(frame(HEADERS, END_HEADERS, stream, &head));
            bytes.extend(frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes()));
        }
        if !client.bytes(&bytes).await {
            break 'flood;
        }
        sent += 50;
    }
    assert!(client.is_ended().await);
    assert!(sent < 20_000, "{sent} were taken");
    assert_eq!(wire.upstream.count(), 0);
    assert_calm(&wire).await;
    let records = wire.gateway.settled().await.len();
    assert!(records <= 200, "{records} records");
    assert_no_connection_left(&wire).await;
}

#[tokio::test]
async fn h22_a_head_without_end_ends_the_connection() {
    let wire = Wire::configured(PATIENT).await;
    let mut client = Http2::connect(&wire).await;
    assert!(
        client
            .send(HEADERS, 0, 1, &request(&wire, &TARGET, &[]))
            .await
    );
    let line = block(&[(b"x-line", &[b'1'; 1000])]);
    let sent = flood(&mut client, &frame(CONTINUATION, 0, 1, &line), 10).await;
    assert!(sent < 10_000, "{sent} were taken");
    assert!(client.is_ended().await);

    let mut client = Http2::connect(&wire).await;
    assert!(client.send(HEADERS, 0, 1, &[]).await);
    flood(&mut client, &frame(CONTINUATION, 0, 1, &[]), 100).await;
    assert!(client.is_ended().await);
    assert_eq!(wire.upstream.count(), 0);
    assert_calm(&wire).await;
    assert_no_connection_left(&wire).await;
}

#[tokio::test]
async fn h22_a_body_of_nothing_without_end_is_cut() {
    let wire = Wire::configured(PATIENT).await;
    let mut client = Http2::connect(&wire).await;
    let head = request(&wire, &TARGET, &[(b"content-length", b"100")]);
    assert!(client.send(HEADERS, END_HEADERS, 1, &head).await);
    flood(&mut client, &frame(DATA, 0, 1, &[]), 100).await;
    let fate = client.fate(1).await;
    assert!(!matches!(fate, Fate::Served(_)), "{fate:?}");
    assert_eq!(wire.upstream.count(), 0);
    assert_calm(&wire).await;
}

#[tokio::test]
async fn h22_who_asks_and_never_reads_is_cut() {
    let wire = Wire::configured(PATIENT).await;
    for piece in [
        frame(PING, 0, 0, &[7; 8]),
        frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]),
    ] {
        let mut client = Http2::connect(&wire).await;
        flood(&mut client, &piece, 500).await;
        assert_calm(&wire).await;
        drop(client);
    }
    assert_no_connection_left(&wire).await;
    let metrics = wire.gateway.metrics().await;
    let counted = "gatewright_connections_refused_total{reason=\"flood\"} 2\n";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn h22_a_small_head_that_unfolds_to_a_large_one_is_refused() {
    let wire = Wire::configured(PATIENT).await;
    let mut client = Http2::connect(&wire).await;
    let mut head = request(&wire, &TARGET, &[]);
    // Into the table, and from there a thousand times (RFC 7541 sections 6.1 and 6.2.1).
    head.push(0x40);
    head.extend(&block(&[(b"x-bomb", &[b'1'; 3000])])[1..]);
    head.extend([0xbe; 1000]);
    client.ask(1, &head, allowed().as_bytes()).await;
    let fate = client.fate(1).await;
    assert!(!matches!(fate, Fate::Served(_)), "{fate:?}");
    assert_eq!(wire.upstream.count(), 0);
    assert_calm(&wire).await;
}

#[tokio::test]
async fn h22_a_client_that_lets_nothing_be_sent_is_cut() {
    let wire = Wire::configured(PATIENT).await;
    // SETTINGS_INITIAL_WINDOW_SIZE of 0.
    let mut client = Http2::with(&wire, &[0, 4, 0, 0, 0, 0]).await;
    client
        .ask(1, &request(&wire, &TARGET, &[]), allowed().as_bytes())
        .await;
    let fate = client.fate(1).await;
    assert!(matches!(fate, Fate::Reset | Fate::Gone), "{fate:?}");
    assert_eq!(wire.upstream.count(), 1);
    assert_eq!(wire.outcomes(1).await, ["client_gone"]);
    assert!(
        eventually(Duration::from_secs(5), || wire.upstream.completed()
            + wire.upstream.aborted()
            == 1)
        .await
    );
    assert_calm(&wire).await;
}

#[tokio::test]
async fn limit_streams_per_connection_at_and_past_the_bound() {
    let wire = Wire::configured("limits: { streams_per_connection: 3, body_timeout: 2s }").await;
    let mut client = Http2::connect(&wire).await;
    let settings = client.next().await.unwrap();
    assert_eq!(settings.kind, SETTINGS);
    let told = settings
        .payload
        .chunks(6)
        .any(|setting| *setting == [0, 3, 0, 0, 0, 3]);
    assert!(told, "{settings:?}");
    // Known by its acknowledgement.
    assert!(client.send(SETTINGS, 1, 0, &[]).await);
    let head = request(&wire, &TARGET, &[]);
    for stream in [1, 3, 5, 7] {
        assert!(client.send(HEADERS, END_HEADERS, stream, &head).await);
    }
    assert_eq!(client.fate(7).await, Fate::Reset, "one past the bound");
    for stream in [5, 3, 1] {
        assert!(
            client
                .send(DATA, END_STREAM, stream, allowed().as_bytes())
                .await
        );
        let fate = client.fate(stream).await;
        assert!(matches!(fate, Fate::Served(_)), "{stream}: {fate:?}");
    }
    client.ask(9, &head, allowed().as_bytes()).await;
    assert!(
        matches!(client.fate(9).await, Fate::Served(_)),
        "below the bound again"
    );
    assert_eq!(wire.upstream.count(), 4);
}
