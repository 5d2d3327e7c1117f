//! Messages that are large in some way: refused in time, at the configured bound and not before it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{legacy_call, modern_call, modern_lines};
use crate::support::{Setup, Upstream, send, stateless};
use crate::wire::{Lines, Wire};

async fn assert_malformed(wire: &Wire, what: &str, body: String) {
    let start = Instant::now();
    let answer = wire.post(&Lines::legacy(), body).await;
    let taken = start.elapsed();
    let reason = answer.json()["error"]["data"]["reason"].clone();
    assert_eq!(
        (answer.status, reason),
        (400, json!("json_malformed")),
        "{what}"
    );
    assert!(taken < Duration::from_secs(5), "{what} took {taken:?}");
    assert_eq!(wire.upstream.count(), 0, "{what}");
}

#[tokio::test]
async fn q17_depth_keys_and_size_are_refused_in_time_and_large_values_arrive() {
    let wire = Wire::configured("limits: { body: 16MiB }").await;
    let keys: Vec<String> = (0..1_000_000).map(|at| format!("\"{at}\":0")).collect();
    for (what, body) in [
        ("brackets alone", "[".repeat(100_000)),
        ("objects alone", "{\"a\":".repeat(100_000)),
        (
            "brackets in a call",
            legacy_call(&format!("{{\"a\":{}", "[".repeat(100_000))),
        ),
        (
            "a million keys",
            legacy_call(&format!("{{{}}}", keys.join(","))),
        ),
        (
            "a string that never ends",
            legacy_call(&format!("{{\"a\":\"{}", "s".repeat(10_000_000))),
        ),
        ("blanks alone", " ".repeat(1 << 20)),
    ] {
        assert_malformed(&wire, what, body).await;
    }
    let string = legacy_call(&format!("{{\"a\":\"{}\"}}", "s".repeat(10_000_000)));
    let blanks = format!("{}{}", " ".repeat(1 << 20), legacy_call("{}"));
    for body in [string, blanks] {
        let answer = wire.post(&Lines::legacy(), body.clone()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(wire.upstream.arrived().pop().unwrap().body == body);
    }
    let decisions = wire.decisions().await;
    assert_eq!(
        decisions,
        [["json_malformed"; 6].as_slice(), &["allow"; 2]].concat()
    );
}

/// Whether each of the three messages arrives: below, at and past the bound.
async fn arrivals(limit: &str, messages: [(Lines, String); 3]) -> [bool; 3] {
    let wire = Wire::configured(&format!("limits: {{ {limit} }}")).await;
    let mut arrived = [false; 3];
    for ((lines, body), arrives) in messages.into_iter().zip(&mut arrived) {
        let before = wire.upstream.count();
        let answer = wire.post(&lines, body).await;
        *arrives = wire.upstream.count() == before + 1;
        assert_eq!(
            answer.status,
            if *arrives { 200 } else { 400 },
            "{}",
            answer.body
        );
    }
    arrived
}

#[tokio::test]
async fn limit_json_depth_is_the_configured_one() {
    // Two levels stand around the arguments, which are one more.
    let legacy = |depth: usize| {
        let brackets = depth - 3;
        let value = format!("{{\"a\":{}{}}}", "[".repeat(brackets), "]".repeat(brackets));
        (Lines::legacy(), legacy_call(&value))
    };
    let (below_and_at, past) = ([true, true, false], [false, false, false]);
    let around = |bound: usize| [bound - 1, bound, bound + 1].map(legacy);
    assert_eq!(arrivals("json_depth: 10", around(10)).await, below_and_at);
    assert_eq!(arrivals("json_depth: 100", around(100)).await, below_and_at);
    assert_eq!(arrivals("json_depth: 10", around(100)).await, past);
}

#[tokio::test]
async fn limit_json_keys_is_the_configured_one() {
    // A legacy call has six keys around those of its arguments, a modern one three more.
    let call = |keys: usize| {
        let keys: Vec<String> = (0..keys).map(|at| format!("\"{at}\":0")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let legacy = |keys: usize| (Lines::legacy(), legacy_call(&call(keys - 6)));
    let modern = |keys: usize| (modern_lines(), modern_call(&call(keys - 9)));
    let below_and_at = [true, true, false];
    assert_eq!(
        arrivals("json_keys: 20", [19, 20, 21].map(legacy)).await,
        below_and_at
    );
    assert_eq!(
        arrivals("json_keys: 20", [19, 20, 21].map(modern)).await,
        below_and_at
    );
    let more = [20_000, 29_999, 30_001].map(legacy);
    assert_eq!(arrivals("json_keys: 30000", more).await, below_and_at);
}

async fn listens(limit: &str, count: usize) -> bool {
    let setup = Setup {
        roles: "    analyst:\n      crm: [{ resource: \"crm://*\" }]\n".into(),
        extra: format!("limits: {{ {limit} }}\n"),
        ..Setup::default()
    };
    let wire = Wire::with(setup, Upstream::plain().await).await;
    let uris: Vec<Value> = (0..count).map(|at| json!(format!("crm://{at}"))).collect();
    let message = stateless(
        "subscriptions/listen",
        &json!({ "notifications": { "resourceSubscriptions": uris } }),
    );
    let request = wire.agent.request(reqwest::Method::POST);
    let request = request
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "subscriptions/listen");
    let answer = send(request.json(&message)).await;
    let arrives = wire.upstream.count() == 1;
    if !arrives {
        assert_eq!((answer.status, answer.code()), (400, Some(-32602)));
        assert_eq!(wire.decisions().await, ["params_invalid"]);
    }
    arrives
}

#[tokio::test]
async fn limit_subscriptions_is_the_configured_one() {
    for (count, arrives) in [(4, true), (5, true), (6, false)] {
        assert_eq!(listens("subscriptions: 5", count).await, arrives, "{count}");
    }
    assert!(listens("subscriptions: 300", 300).await, "past the default");
}
