//! What is unusual about a principal is on record and counted; what is usual is not.

use serde_json::{Value, json};

use crate::support::{Agent, Gateway, Setup, Upstream, modern, now};

async fn watched(keys: &str) -> (Gateway, Upstream) {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        audit: format!(", {keys}"),
        ..Setup::default()
    };
    (setup.start(&upstream).await, upstream)
}

/// A token of somebody, with changed claims.
fn token(gateway: &Gateway, subject: &str, change: &Value) -> String {
    let mut claims = gateway.setup.issuer.claims(subject, &["analyst"]);
    claims["scope"] = json!("crm:read");
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    gateway.setup.issuer.sign_claims(&claims)
}

async fn call(gateway: &Gateway, token: &str, tool: &str) -> u16 {
    let agent = Agent::new(gateway.url(), Some(token.to_owned()));
    agent.modern(&modern(tool, &json!({}))).await.status
}

/// The anomalies on record, once there is one about `subject`. They are found in the order of requests.
async fn anomalies(gateway: &Gateway, subject: &str) -> Vec<Value> {
    let of = |record: &Value| record["kind"] == "anomaly";
    let records = gateway
        .records_until(|all| {
            all.iter()
                .any(|record| of(record) && record["sub"] == subject)
        })
        .await;
    records.into_iter().filter(of).collect()
}

async fn counted(gateway: &Gateway, kind: &str) -> bool {
    let sample = format!("gatewright_anomalies_total{{kind=\"{kind}\",server=\"crm\"}} 1");
    gateway.metrics().await.contains(&sample)
}

#[tokio::test]
async fn a_tool_and_a_scope_that_are_new_to_a_principal_are_on_record() {
    let (gateway, upstream) = watched("anomalies: { learning: 1ms }").await;
    let (bob, alice) = (
        token(&gateway, "bob", &json!({})),
        token(&gateway, "alice", &json!({})),
    );
    for user in [&bob, &bob, &alice] {
        assert_eq!(call(&gateway, user, "search_x").await, 200);
    }
    let wider = token(
        &gateway,
        "alice",
        &json!({ "scope": "crm:read crm:refund" }),
    );
    assert_eq!(call(&gateway, &wider, "refund").await, 200);
    let found = anomalies(&gateway, "alice").await;
    assert_eq!(upstream.count(), 4, "nothing is held back");
    let kinds: Vec<_> = found.iter().map(|record| &record["anomaly"]).collect();
    let scope = json!({ "kind": "new_scope", "first": "crm:refund" });
    let tool = json!({ "kind": "new_tool", "first": "refund" });
    assert!(kinds.contains(&&scope), "{found:#?}");
    let found = gateway
        .records_until(|all| all.iter().any(|record| record["anomaly"] == tool))
        .await;
    assert!(
        found
            .iter()
            .all(|record| record["kind"] != "anomaly" || record["sub"] == "alice")
    );
    let record = found
        .iter()
        .find(|record| record["anomaly"] == tool)
        .unwrap();
    assert_eq!(record["subject"]["iss"], "https://auth.test");
    assert_eq!(record["resource"], "crm");
    let about = found
        .iter()
        .filter(|other| other["request_id"] == record["request_id"]);
    assert!(about.count() >= 2, "it names the request");
    assert!(counted(&gateway, "new_tool").await && counted(&gateway, "new_scope").await);
}

#[tokio::test]
async fn calls_outside_the_hours_of_work_are_on_record() {
    // Hours of no length: whenever the test runs, it is after them.
    let closed = "hours: { days: [mon], from: \"00:00\", to: \"00:00\", zone: UTC }";
    let (gateway, _upstream) = watched(closed).await;
    let bot = token(&gateway, "agent-1", &json!({}));
    assert_eq!(call(&gateway, &bot, "search_x").await, 200);
    let alice = token(&gateway, "alice", &json!({}));
    assert_eq!(call(&gateway, &alice, "search_x").await, 200);
    let found = anomalies(&gateway, "alice").await;
    assert_eq!(found.len(), 1, "an agent works at night: {found:#?}");
    assert_eq!(found[0]["anomaly"], json!({ "kind": "after_hours" }));
    assert!(counted(&gateway, "after_hours").await);
}

#[tokio::test]
async fn a_burst_of_refusals_of_a_principal_is_on_record() {
    let (gateway, upstream) = watched("anomalies: { denials: 3 }").await;
    let (bob, alice) = (
        token(&gateway, "bob", &json!({})),
        token(&gateway, "alice", &json!({})),
    );
    for user in [&bob, &bob, &alice, &alice, &alice] {
        assert_eq!(call(&gateway, user, "delete_customer").await, 403);
    }
    assert_eq!(upstream.count(), 0);
    let found = anomalies(&gateway, "alice").await;
    assert_eq!(found.len(), 1, "two are usual: {found:#?}");
    let burst = json!({ "kind": "denial_burst", "count": 3, "within_s": 60 });
    assert_eq!(found[0]["anomaly"], burst);
    assert!(counted(&gateway, "denial_burst").await);
}

#[tokio::test]
async fn a_proven_token_that_goes_on_after_its_end_is_on_record_under_its_principal() {
    let (gateway, upstream) = watched("subjects: plain, anomalies: { expired: 2 }").await;
    // What was never proven names nobody, whatever it claims.
    let past = json!({ "iat": now() - 700, "exp": now() - 100 });
    let forged = token(&gateway, "bob", &past);
    for _ in 0..3 {
        assert_eq!(call(&gateway, &forged, "search_x").await, 401);
    }
    // Ends within two seconds of now, with the leeway of 30.
    let short = token(
        &gateway,
        "alice",
        &json!({ "iat": now() - 100, "exp": now() - 28 }),
    );
    assert_eq!(call(&gateway, &short, "search_x").await, 200);
    let mut refusals = 0;
    while refusals < 2 {
        match call(&gateway, &short, "search_x").await {
            401 => refusals += 1,
            status => assert_eq!(status, 200, "it has not ended yet"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let found = anomalies(&gateway, "alice").await;
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["anomaly"]["kind"], "renewal_failures");
    assert_eq!(found[0]["anomaly"]["count"], 2);
    assert_eq!(found[0]["authn"]["result"], "expired");
    assert!(upstream.count() >= 1);
    assert!(counted(&gateway, "renewal_failures").await);
}

#[tokio::test]
async fn a_token_used_far_above_its_past_is_on_record() {
    let (gateway, _upstream) = watched("anomalies: { calls: 3, factor: 2, window: 500ms }").await;
    let alice = token(&gateway, "alice", &json!({}));
    assert_eq!(call(&gateway, &alice, "search_x").await, 200);
    // Windows have to pass: they are made of the time of requests.
    tokio::time::sleep(std::time::Duration::from_millis(2600)).await;
    let agent = Agent::new(gateway.url(), Some(alice));
    let message = modern("search_x", &json!({}));
    for _ in 0..4 {
        assert_eq!(agent.modern(&message).await.status, 200);
    }
    let found = anomalies(&gateway, "alice").await;
    assert_eq!(found[0]["anomaly"]["kind"], "token_rate", "{found:#?}");
    assert_eq!(found[0]["anomaly"]["count"], 4);
    assert!(counted(&gateway, "token_rate").await);
}

#[tokio::test]
async fn a17_anomalies_of_sealed_subjects_name_nobody() {
    let (gateway, _upstream) = watched("subjects: sealed, anomalies: { denials: 2 }").await;
    let alice = token(&gateway, "alice-canary", &json!({}));
    for _ in 0..2 {
        assert_eq!(call(&gateway, &alice, "delete_customer").await, 403);
    }
    let is_anomaly = |record: &Value| record["kind"] == "anomaly";
    let all = gateway
        .records_until(|all| all.iter().any(is_anomaly))
        .await;
    let record = all.iter().find(|record| is_anomaly(record)).unwrap();
    assert!(record["sub"].as_str().unwrap().starts_with("sealed:"));
    assert!(!json!(all).to_string().contains("canary"));
}
