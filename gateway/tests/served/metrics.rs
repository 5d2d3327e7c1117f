//! What operators scrape: each thing that happened is counted once, under labels from closed sets, in a form that
//! Prometheus itself finds nothing wrong with.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::support::{Agent, Gateway, Setup, Upstream, call, list, modern};

/// The value of the sample with exactly this name and these labels.
fn sample(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' '))
    })?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until the sample has this value.
async fn until(gateway: &Gateway, name: &str, value: f64) {
    for _ in 0..250 {
        if sample(&gateway.metrics().await, name) == Some(value) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{name} is not {value}:\n{}", gateway.metrics().await);
}

#[tokio::test]
async fn what_happened_is_counted_once_under_its_labels() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let stranger = Agent::new(gateway.url(), None);
    let before = gateway.metrics().await;
    let decided = r#"gatewright_decisions_total{decision="deny",mode="enforce",reason="tool_not_allowed",server="crm"}"#;
    assert_eq!(sample(&before, decided), Some(0.0), "born at 0: {before}");

    agent.modern(&modern("get_customer", &json!({}))).await;
    agent.modern(&modern("delete_customer", &json!({}))).await;
    agent.legacy(&call("delete_customer", &json!({}))).await;
    agent.modern(&list()).await;
    stranger.modern(&list()).await;

    let ended = r#"mcp_server_operation_duration_seconds_count{error_type="",gen_ai_tool_name="get_customer",mcp_method_name="tools/call",server="crm"}"#;
    until(&gateway, ended, 1.0).await;
    let metrics = gateway.metrics().await;
    let expected = [
        (decided, 2.0),
        (
            r#"gatewright_decisions_total{decision="allow",mode="enforce",reason="",server="crm"}"#,
            2.0,
        ),
        (
            r#"gatewright_authn_attempts_total{result="ok",scheme="bearer",server="crm"}"#,
            4.0,
        ),
        (
            r#"gatewright_authn_attempts_total{result="missing",scheme="none",server="crm"}"#,
            1.0,
        ),
        (
            r#"gatewright_challenges_total{error="",server="crm",status="401"}"#,
            1.0,
        ),
        (r#"gatewright_upstream_up{server="crm"}"#, 1.0),
        ("gatewright_config_last_reload_successful", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(sample(&metrics, name), Some(value), "{name}\n{metrics}");
    }
    assert!(!metrics.contains("alice"), "no subject is a label");
    assert!(
        !metrics.contains("delete_customer"),
        "a name that only a client said is no label"
    );
}

#[tokio::test]
async fn every_record_is_counted() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    agent.modern(&modern("get_customer", &json!({}))).await;
    agent.modern(&modern("delete_customer", &json!({}))).await;
    gateway
        .records_until(|all| all.iter().any(|record| record["kind"] == "outcome"))
        .await;

    // One more is written to see that those before it are.
    let records = gateway.records().await.len() + 1;

    let written = r#"gatewright_audit_events_total{result="written",sink="ledger"}"#;
    let counted = sample(&gateway.metrics().await, written);
    assert_eq!(counted, Some(f64::from(u32::try_from(records).unwrap())));
}

#[tokio::test]
async fn an_upstream_that_is_gone_and_a_reload_that_failed_show() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let yaml = setup.yaml("http://127.0.0.1:1/mcp");
    let gateway = Gateway::start(setup, yaml).await;
    let agent = Agent::new(gateway.url(), Some(token));
    drop(upstream);

    let answer = agent.modern(&modern("get_customer", &json!({}))).await;
    assert_eq!(answer.status, 502, "{}", answer.body);
    let down = r#"gatewright_upstream_up{server="crm"}"#;
    until(&gateway, down, 0.0).await;

    gateway.yaml.lock().unwrap().push_str("nonsense: 1\n");
    assert!(gateway.running.reload().await.is_err());
    let metrics = gateway.metrics().await;
    assert_eq!(
        sample(&metrics, "gatewright_config_last_reload_successful"),
        Some(0.0)
    );
}

#[tokio::test]
async fn prometheus_finds_nothing_wrong_with_them() {
    let upstream = Upstream::plain().await;
    let gateway = Setup::default().start(&upstream).await;
    let metrics = gateway.metrics().await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, of Debian's package prometheus, is on the PATH");
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(metrics.as_bytes())
        .unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&judged.stderr).into_owned();
    assert!(judged.status.success(), "{said}");
    assert_eq!(said, "", "promtool has something to say");
}
