//! The end of API keys: what is said before it, and what happens after it.

use serde_json::json;

use crate::edge::{assert_on_record, assert_refused, challenge};
use crate::keys::{agent, new_key, row, search, taking};
use crate::support::{Agent, Gateway, Reply, Upstream, modern};

#[tokio::test]
async fn after_the_sunset_keys_are_refused_and_tokens_go_on() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let setup = taking(&row(&key, ""), "2026-01-31");
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let answer = agent(&gateway, &key).modern(&search()).await;
    assert_refused(&answer, 401, 40107);
    assert_eq!(challenge(&answer).parameter("error"), Some("invalid_token"));
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "authn", "api_key_sunset");
    assert_eq!(record["authn"]["result"], "sunset");
    // Whoever has no key does not learn that there were any.
    assert_refused(
        &agent(&gateway, &new_key()).modern(&search()).await,
        401,
        40102,
    );
    let tokens = Agent::new(gateway.url(), Some(token));
    let answer = tokens.modern(&search()).await;
    assert_eq!((answer.status, answer.header("sunset")), (200, None));
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_key_may_end_before_the_others() {
    let (upstream, early, late) = (Upstream::plain().await, new_key(), new_key());
    let rows = row(&early, ", sunset: 2026-02-01") + &row(&late, ", sunset: 2999-12-31");
    let gateway = taking(&rows, "2999-01-31").start(&upstream).await;
    assert_refused(&agent(&gateway, &early).modern(&search()).await, 401, 40107);
    assert_eq!(upstream.count(), 0);
    let answer = agent(&gateway, &late).modern(&search()).await;
    assert_eq!(answer.status, 200);
    // The server's own sunset still ends it.
    assert_eq!(
        answer.header("sunset"),
        Some("Fri, 01 Feb 2999 00:00:00 GMT")
    );
}

#[tokio::test]
async fn every_answer_to_a_key_says_when_keys_end() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let setup = taking(&row(&key, ""), "2999-01-31");
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = agent(&gateway, &key);
    let denied = agent.modern(&modern("delete_x", &json!({}))).await;
    assert_eq!(denied.status, 403);
    let unread = agent.bytes("{").await;
    assert_eq!(unread.status, 400);
    for answer in [agent.modern(&search()).await, denied, unread] {
        assert_eq!(answer.header("deprecation"), Some("@1768435200"));
        assert_eq!(
            answer.header("sunset"),
            Some("Fri, 01 Feb 2999 00:00:00 GMT")
        );
    }
    let answer = Agent::new(gateway.url(), Some(token))
        .modern(&search())
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("deprecation"), None);
    assert_eq!(answer.header("sunset"), None);

    let setup = taking(&row(&key, ""), "2999-01-31");
    let yaml = setup.yaml("http://127.0.0.1:1/mcp");
    let gateway = Gateway::start(setup, yaml).await;
    let failed = crate::keys::agent(&gateway, &key).modern(&search()).await;
    assert_eq!(failed.status, 502, "{}", failed.body);
    assert_eq!(
        failed.header("sunset"),
        Some("Fri, 01 Feb 2999 00:00:00 GMT")
    );
}

#[tokio::test]
async fn an_upstream_does_not_say_when_keys_end() {
    let reply = json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [] } });
    let upstream = Upstream::start(move |_| {
        Reply::json(&reply)
            .with("sunset", "Sun, 06 Nov 1994 08:49:37 GMT")
            .with("deprecation", "@1")
    })
    .await;
    let key = new_key();
    let gateway = taking(&row(&key, ""), "2999-01-31").start(&upstream).await;
    let answer = agent(&gateway, &key).modern(&search()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers.get_all("sunset").iter().count(), 1);
    assert_eq!(answer.header("deprecation"), Some("@1768435200"));
}

#[tokio::test]
async fn the_end_of_keys_is_a_metric_of_servers_that_take_them() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let gateway = taking(&row(&key, ""), "2027-01-31").start(&upstream).await;
    let sample = r#"gatewright_api_key_sunset_timestamp_seconds{server="crm"} 1801440000"#;
    let metrics = gateway.metrics().await;
    assert!(metrics.contains(sample), "{metrics}");
    assert_eq!(agent(&gateway, &key).modern(&search()).await.status, 200);
    let counted = r#"gatewright_authn_attempts_total{result="ok",scheme="api_key",server="crm"} 1"#;
    let metrics = gateway.metrics().await;
    assert!(metrics.contains(counted), "{metrics}");
    let yaml = gateway.yaml.lock().unwrap().clone();
    let without: Vec<_> = yaml
        .lines()
        .filter(|line| !line.contains("api_keys"))
        .collect();
    *gateway.yaml.lock().unwrap() = without.join("\n");
    gateway.running.reload().await.unwrap();
    let metrics = gateway.metrics().await;
    assert!(
        !metrics.contains("gatewright_api_key_sunset_timestamp_seconds{"),
        "{metrics}"
    );
}
