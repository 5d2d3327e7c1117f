//! The metrics as Prometheus reads them.

use std::sync::Arc;
use std::time::Duration;

use super::labels::{authn_results, methods};
use super::{Challenge, Ending, METRICS, MetricKind, Metrics, Scheme, ServerMetrics, SinkCounts};
use crate::audit::Standing;
use crate::audit::anomaly::AnomalyKind;
use crate::decision::Mode;
use crate::model::{Reason, ServerName, UnixTime};

mod tools;

fn fresh() -> (Metrics, Arc<ServerMetrics>) {
    let crm = ServerName::new("crm");
    let metrics = Metrics::new(std::slice::from_ref(&crm), &["corp".to_owned()]).unwrap();
    let server = metrics.server(&crm).unwrap();
    metrics.api_keys_end(&[(&crm, UnixTime::from_seconds(1_801_440_000))]);
    metrics.sink(&sink(0)).unwrap();
    (metrics, server)
}

/// A sink of which everything is `sum`.
fn sink(sum: u64) -> SinkCounts<'static> {
    SinkCounts {
        sink: "siem",
        shipped: sum,
        rejected: sum,
        waiting: sum,
        last_success: (sum > 0).then(|| UnixTime::from_seconds(sum)),
        failures: vec![("busy", sum)],
    }
}

#[test]
fn the_sums_of_a_sink_are_taken_over_as_they_are() {
    let (metrics, _) = fresh();
    for sum in [0, 3, 5] {
        metrics.sink(&sink(sum)).unwrap();
        metrics.sink(&sink(sum)).unwrap();
        for name in [
            r#"gatewright_audit_events_total{result="shipped",sink="siem"}"#,
            r#"gatewright_audit_events_total{result="rejected",sink="siem"}"#,
            r#"gatewright_audit_queue_length{sink="siem"}"#,
            r#"gatewright_audit_ship_failures_total{kind="busy",sink="siem"}"#,
            r#"gatewright_audit_ship_last_success_timestamp_seconds{sink="siem"}"#,
        ] {
            let value = sample(&metrics, name).unwrap();
            assert!(
                (value - f64::from(u32::try_from(sum).unwrap())).abs() < 0.5,
                "{name}"
            );
        }
    }
}

/// The value of the sample that is written exactly so.
fn sample(metrics: &Metrics, name: &str) -> Option<f64> {
    let text = metrics.render();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.map(|value| value.parse().unwrap())
}

#[test]
fn the_names_and_labels_of_the_contract_are_there() {
    for (name, labels) in [
        (
            "mcp_server_operation_duration_seconds",
            "server mcp_method_name gen_ai_tool_name error_type",
        ),
        ("gatewright_authn_attempts_total", "server scheme result"),
        ("gatewright_challenges_total", "server status error"),
        ("gatewright_decisions_total", "server decision reason mode"),
        ("gatewright_decision_duration_seconds", ""),
        ("gatewright_refused_total", "reason"),
        ("gatewright_anomalies_total", "server kind"),
        ("gatewright_unwatched_requests_total", ""),
        ("gatewright_audit_events_total", "sink result"),
        ("gatewright_audit_queue_length", "sink"),
        ("gatewright_audit_last_checkpoint_timestamp_seconds", ""),
        ("gatewright_jwks_last_success_timestamp_seconds", "issuer"),
        ("gatewright_audit_ship_failures_total", "sink kind"),
        (
            "gatewright_audit_ship_last_success_timestamp_seconds",
            "sink",
        ),
        ("gatewright_api_key_sunset_timestamp_seconds", "server"),
        ("gatewright_config_last_reload_successful", ""),
        ("gatewright_streams_active", "server"),
        ("gatewright_upstream_up", "server"),
        ("gatewright_upstream_messages_dropped_total", "server kind"),
        ("gatewright_build_info", "version"),
    ] {
        let row = METRICS
            .iter()
            .find(|row| row.name == name)
            .unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(row.labels.join(" "), labels, "{name}");
    }
}

#[test]
fn every_row_is_rendered_with_its_kind_and_its_help() {
    let text = fresh().0.render();
    for row in METRICS {
        let kind = match row.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
            MetricKind::Histogram(_) => "histogram",
        };
        assert!(
            text.contains(&format!("# HELP {} {}\n", row.name, row.help)),
            "{}",
            row.name
        );
        assert!(
            text.contains(&format!("# TYPE {} {kind}\n", row.name)),
            "{}",
            row.name
        );
        assert_eq!(
            row.name.ends_with("_total"),
            row.kind == MetricKind::Counter,
            "{}",
            row.name
        );
    }
    assert_eq!(text.matches("# TYPE ").count(), METRICS.len());
}

#[test]
fn every_label_set_starts_at_0() {
    let (metrics, _) = fresh();
    let mut wanted = vec![
        r#"gatewright_decisions_total{decision="allow",mode="enforce",reason="",server="crm"}"#
            .to_owned(),
        r#"gatewright_challenges_total{error="",server="crm",status="401"}"#.to_owned(),
        r#"gatewright_challenges_total{error="invalid_token",server="crm",status="401"}"#
            .to_owned(),
        r#"gatewright_challenges_total{error="insufficient_scope",server="crm",status="403"}"#
            .to_owned(),
        r#"gatewright_challenges_total{error="invalid_request",server="crm",status="400"}"#
            .to_owned(),
        r#"gatewright_anomalies_total{kind="tool_drift",server="crm"}"#.to_owned(),
        r#"gatewright_audit_events_total{result="written",sink="ledger"}"#.to_owned(),
        r#"gatewright_audit_events_total{result="failed",sink="ledger"}"#.to_owned(),
        r#"gatewright_audit_events_total{result="lost",sink="ledger"}"#.to_owned(),
        r#"gatewright_audit_events_total{result="unrecorded",sink="ledger"}"#.to_owned(),
        r#"gatewright_audit_queue_length{sink="ledger"}"#.to_owned(),
        r#"gatewright_audit_standing{standing="failing"}"#.to_owned(),
        r#"gatewright_jwks_last_success_timestamp_seconds{issuer="corp"}"#.to_owned(),
        r#"gatewright_streams_active{server="crm"}"#.to_owned(),
        r#"gatewright_upstream_up{server="crm"}"#.to_owned(),
        "gatewright_config_last_reload_successful".to_owned(),
        "gatewright_decision_duration_seconds_count".to_owned(),
    ];
    for reason in Reason::ALL.map(Reason::name) {
        wanted.push(format!(r#"gatewright_refused_total{{reason="{reason}"}}"#));
        wanted.push(format!(
            r#"gatewright_decisions_total{{decision="deny",mode="enforce",reason="{reason}",server="crm"}}"#
        ));
    }
    for (scheme, result) in ["none", "bearer"]
        .into_iter()
        .flat_map(|scheme| authn_results().map(move |result| (scheme, result)))
    {
        wanted.push(format!(
            r#"gatewright_authn_attempts_total{{result="{result}",scheme="{scheme}",server="crm"}}"#
        ));
    }
    for method in methods() {
        wanted.push(operation("_count", [method, "", ""]));
    }
    wanted.push(operation("_count", ["tools/call", "_other", ""]));
    for name in wanted {
        assert_eq!(sample(&metrics, &name), Some(0.0), "{name}");
    }
    let build = format!(
        r#"gatewright_build_info{{version="{}"}}"#,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(sample(&metrics, &build), Some(1.0));
}

/// The name of a sample of the histogram of operations; labels: method, tool, error.
fn operation(part: &str, labels: [&str; 3]) -> String {
    let [method, tool, error] = labels;
    format!(
        "mcp_server_operation_duration_seconds{part}{{error_type=\"{error}\",gen_ai_tool_name=\"{tool}\",\
         mcp_method_name=\"{method}\",server=\"crm\"}}"
    )
}

#[test]
fn what_happens_at_a_server_is_counted_under_its_labels() {
    let (metrics, server) = fresh();
    server.decided(Mode::Enforce, None);
    server.decided(Mode::Enforce, Some(Reason::ToolNotAllowed));
    server.decided(Mode::Enforce, Some(Reason::Internal));
    server.authenticated(Scheme::Bearer, "expired");
    server.challenged(Challenge::InvalidToken);
    server.anomaly(AnomalyKind::ToolDrift);
    server.stream_opened();
    server.stream_opened();
    server.stream_closed();
    server.upstream_answered();
    for name in [
        r#"gatewright_decisions_total{decision="allow",mode="enforce",reason="",server="crm"}"#,
        r#"gatewright_decisions_total{decision="deny",mode="enforce",reason="tool_not_allowed",server="crm"}"#,
        r#"gatewright_decisions_total{decision="deny",mode="enforce",reason="internal",server="crm"}"#,
        r#"gatewright_authn_attempts_total{result="expired",scheme="bearer",server="crm"}"#,
        r#"gatewright_challenges_total{error="invalid_token",server="crm",status="401"}"#,
        r#"gatewright_anomalies_total{kind="tool_drift",server="crm"}"#,
        r#"gatewright_streams_active{server="crm"}"#,
        r#"gatewright_upstream_up{server="crm"}"#,
    ] {
        assert_eq!(sample(&metrics, name), Some(1.0), "{name}");
    }
    server.message_dropped(crate::mcp::Kind::Request);
    let dropped = r#"gatewright_upstream_messages_dropped_total{kind="request",server="crm"}"#;
    assert_eq!(sample(&metrics, dropped), Some(1.0));
    server.upstream_failed();
    assert_eq!(
        sample(&metrics, r#"gatewright_upstream_up{server="crm"}"#),
        Some(0.0)
    );
}

#[test]
fn the_last_checkpoint_is_told_and_none_is_told_as_zero() {
    let (metrics, _) = fresh();
    let name = "gatewright_audit_last_checkpoint_timestamp_seconds";
    assert_eq!(sample(&metrics, name), Some(0.0));
    metrics.audit_sealed(UnixTime::from_seconds(1_700_000_060));
    assert_eq!(sample(&metrics, name), Some(1_700_000_060.0));
}

#[test]
fn what_happens_to_the_gateway_is_counted_under_its_labels() {
    let (metrics, _) = fresh();
    metrics.refused(Reason::PathUnknown);
    metrics.reload_succeeded();
    metrics.keys_fetched("corp", UnixTime::from_seconds(1_700_000_000));
    metrics.audit_failed();
    metrics.audit_state(512, 1, 3);
    metrics.audit_state(256, 1, 5);
    metrics.audit_standing(Standing::Failing, 0);
    metrics.audit_standing(Standing::Continuing, 7);
    metrics.decided(Duration::from_micros(3));
    for (name, value) in [
        (r#"gatewright_refused_total{reason="path_unknown"}"#, 1.0),
        ("gatewright_config_last_reload_successful", 1.0),
        (
            r#"gatewright_jwks_last_success_timestamp_seconds{issuer="corp"}"#,
            1_700_000_000.0,
        ),
        (
            r#"gatewright_audit_events_total{result="written",sink="ledger"}"#,
            1.0,
        ),
        (
            r#"gatewright_audit_events_total{result="failed",sink="ledger"}"#,
            1.0,
        ),
        (
            r#"gatewright_audit_events_total{result="lost",sink="ledger"}"#,
            5.0,
        ),
        (
            r#"gatewright_audit_events_total{result="unrecorded",sink="ledger"}"#,
            7.0,
        ),
        (r#"gatewright_audit_standing{standing="continuing"}"#, 1.0),
        (r#"gatewright_audit_standing{standing="failing"}"#, 0.0),
        (r#"gatewright_audit_queue_length{sink="ledger"}"#, 256.0),
        (
            r#"gatewright_decision_duration_seconds_bucket{le="0.000005"}"#,
            1.0,
        ),
    ] {
        assert_eq!(sample(&metrics, name), Some(value), "{name}");
    }
    metrics.reload_failed();
    assert_eq!(
        sample(&metrics, "gatewright_config_last_reload_successful"),
        Some(0.0)
    );
}

#[test]
fn methods_results_and_codes_outside_the_lists_are_other() {
    let (metrics, server) = fresh();
    server.ended("evil/canary", None, Ending::Success, Duration::ZERO);
    server.ended("evil/canary", None, Ending::Aborted, Duration::ZERO);
    server.ended("ping", None, Ending::RpcError(777_666), Duration::ZERO);
    server.ended("ping", None, Ending::RpcError(-32601), Duration::ZERO);
    server.authenticated(Scheme::Bearer, "novel");
    assert_eq!(
        sample(&metrics, &operation("_count", ["_OTHER", "", ""])),
        Some(1.0)
    );
    assert_eq!(
        sample(&metrics, &operation("_count", ["_OTHER", "", "aborted"])),
        Some(1.0)
    );
    assert_eq!(
        sample(&metrics, &operation("_count", ["ping", "", "_OTHER"])),
        Some(1.0)
    );
    assert_eq!(
        sample(&metrics, &operation("_count", ["ping", "", "-32601"])),
        Some(1.0)
    );
    let other = r#"gatewright_authn_attempts_total{result="_OTHER",scheme="bearer",server="crm"}"#;
    assert_eq!(sample(&metrics, other), Some(1.0));
    assert!(!metrics.render().contains("canary"));
}

#[test]
fn a_server_that_a_reload_adds_starts_at_0_and_an_old_one_goes_on() {
    let (metrics, server) = fresh();
    server.decided(Mode::Enforce, None);
    let again = metrics.server(&ServerName::new("crm")).unwrap();
    assert!(Arc::ptr_eq(&server, &again));
    metrics.server(&ServerName::new("wiki")).unwrap();
    metrics.issuer("partner").unwrap();
    assert_eq!(
        sample(&metrics, r#"gatewright_streams_active{server="wiki"}"#),
        Some(0.0)
    );
    let issuer = r#"gatewright_jwks_last_success_timestamp_seconds{issuer="partner"}"#;
    assert_eq!(sample(&metrics, issuer), Some(0.0));
    let allowed =
        r#"gatewright_decisions_total{decision="allow",mode="enforce",reason="",server="crm"}"#;
    assert_eq!(sample(&metrics, allowed), Some(1.0));
}
