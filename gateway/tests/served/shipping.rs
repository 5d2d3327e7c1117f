//! Records leave the gateway as they stand in the ledger, to every sink, over failures and restarts; no call waits
//! for a sink.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use gatewright::config::TlsFiles;
use gatewright::proxy::tls::Greeting;

use crate::support::{
    Agent, Arrived, Authority, Gateway, NatsServer, Reply, Setup, Upstream, eventually, lines_in,
    modern, write_segment,
};

/// How long records may take to be where they belong, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

/// A collector that answers this status to everything.
async fn collector() -> (Upstream, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let told = Arc::clone(&status);
    let upstream = Upstream::start(move |_| {
        Reply::body("application/json", "{}").status(told.load(Ordering::Relaxed))
    })
    .await;
    (upstream, status)
}

/// The usual setup whose records go to `sinks`, with 300 records of an earlier gateway.
fn shipping(sinks: &str) -> Setup {
    let setup = Setup {
        audit: format!("audit: {{ ledger: audit, ship: [{sinks}] }}"),
        ..Setup::default()
    };
    write_segment(&setup.folder.path().join("audit"), 300);
    setup
}

async fn started(sinks: &str, upstream: &Upstream) -> Gateway {
    shipping(sinks).start(upstream).await
}

fn text(arrived: &Arrived) -> String {
    String::from_utf8(arrived.body.to_vec()).unwrap()
}

/// The lines of every request, in order.
fn lines_of(collector: &Upstream) -> Vec<String> {
    let bodies: Vec<_> = collector.arrived().iter().map(text).collect();
    bodies
        .iter()
        .flat_map(|body| body.lines())
        .map(str::to_owned)
        .collect()
}

/// The lines of every OTLP request, in order.
fn originals_of(collector: &Upstream) -> Vec<String> {
    let mut lines = Vec::new();
    for arrived in collector.arrived() {
        assert_eq!(arrived.path, "/v1/logs");
        let request = arrived.json();
        let records = request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].clone();
        for record in records.as_array().unwrap() {
            let attributes = record["attributes"].as_array().unwrap();
            let mut found = attributes
                .iter()
                .filter(|one| one["key"] == "log.record.original");
            let original = found.next().unwrap()["value"]["stringValue"]
                .as_str()
                .unwrap();
            lines.push(original.to_owned());
        }
    }
    lines
}

async fn calls(agent: &Agent, count: usize) {
    for _ in 0..count {
        let answer = agent.modern(&modern("search_x", &json!({}))).await;
        assert_eq!(answer.status, 200);
    }
}

fn agent_of(gateway: &Gateway) -> Agent {
    Agent::new(gateway.url(), Some(gateway.setup.analyst()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_reach_every_sink_as_they_stand() {
    let upstream = Upstream::plain().await;
    let ((siem, _), (otel, _)) = (collector().await, collector().await);
    let sinks = format!(
        "{{ http: {{ url: \"{}\", batch: 50 }} }}, {{ otlp: {{ endpoint: \"http://{}\" }} }}",
        siem.url(),
        otel.address
    );
    let gateway = started(&sinks, &upstream).await;
    calls(&agent_of(&gateway), 20).await;
    let ledger = gateway.ledger();
    let is_there = || {
        let lines = lines_in(&ledger);
        lines.len() >= 300 && lines_of(&siem) == lines && originals_of(&otel) == lines
    };
    assert!(
        eventually(SOON, is_there).await,
        "{}",
        lines_of(&siem).len()
    );
    let first = siem.arrived().remove(0);
    assert_eq!(first.header("content-type"), Some("application/x-ndjson"));
    assert_eq!(
        text(&first).lines().count(),
        50,
        "a batch is what the configuration says"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_starts_again_goes_on_where_each_sink_was() {
    let upstream = Upstream::plain().await;
    let (siem, _) = collector().await;
    let sinks = format!("{{ http: {{ url: \"{}\" }} }}", siem.url());
    let setup = shipping(&sinks);
    let yaml = setup.yaml(&upstream.url());
    let first = Gateway::start(setup, yaml.clone()).await;
    calls(&agent_of(&first), 5).await;
    let ledger = first.ledger();
    let Gateway { setup, running, .. } = first;
    running.stop().await;
    assert_eq!(
        lines_of(&siem),
        lines_in(&ledger),
        "a stop ships what is there"
    );

    let second = Gateway::start(setup, yaml).await;
    calls(&agent_of(&second), 5).await;
    second.running.stop().await;
    assert_eq!(
        lines_of(&siem),
        lines_in(&ledger),
        "nothing twice, nothing lost"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_sink_that_is_down_loses_nothing_and_slows_no_call() {
    let upstream = Upstream::plain().await;
    let ((bad, status), (good, _)) = (collector().await, collector().await);
    status.store(503, Ordering::Relaxed);
    let sinks = format!(
        "{{ http: {{ name: bad, url: \"{}\" }} }}, {{ http: {{ name: good, url: \"{}\" }} }}",
        bad.url(),
        good.url()
    );
    let gateway = started(&sinks, &upstream).await;
    calls(&agent_of(&gateway), 20).await;
    let ledger = gateway.ledger();
    let reached = || lines_of(&good) == lines_in(&ledger) && bad.count() >= 2;
    assert!(
        eventually(SOON, reached).await,
        "the other sink has everything"
    );

    let metrics = gateway.metrics().await;
    let waiting = sample(&metrics, r#"gatewright_audit_queue_length{sink="bad"}"#);
    assert!(waiting >= 300.0, "{waiting}");
    assert!(
        sample(
            &metrics,
            r#"gatewright_audit_ship_failures_total{kind="busy",sink="bad"}"#
        ) >= 1.0
    );
    assert!(
        sample(
            &metrics,
            r#"gatewright_audit_ship_failures_total{kind="busy",sink="good"}"#
        ) < 1.0
    );
    assert!(
        sample(
            &metrics,
            r#"gatewright_audit_events_total{result="shipped",sink="good"}"#
        ) >= 300.0
    );
    assert!(
        sample(
            &metrics,
            r#"gatewright_audit_events_total{result="shipped",sink="bad"}"#
        ) < 1.0
    );
    assert!(
        sample(
            &metrics,
            r#"gatewright_audit_ship_last_success_timestamp_seconds{sink="good"}"#
        ) > 1e9
    );
    let ready = gateway.readiness().await;
    assert_eq!(
        ready, 200,
        "a sink that is down does not make the gateway unready"
    );

    let failed = bad.count();
    status.store(200, Ordering::Relaxed);
    let caught_up = || {
        let arrived = bad.arrived();
        let taken = arrived
            .iter()
            .skip(failed)
            .map(text)
            .collect::<Vec<_>>()
            .concat();
        // One request may have been on its way when the sink changed its mind.
        taken.ends_with(&(lines_in(&ledger).join("\n") + "\n"))
    };
    assert!(
        eventually(SOON, caught_up).await,
        "everything arrived, from the first record on"
    );
}

fn sample(metrics: &str, name: &str) -> f64 {
    let line = metrics
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("{name} is not there:\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sinks_are_believed_by_the_certificates_of_their_ca_file() {
    let upstream = Upstream::plain().await;
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let folder = tempfile::tempdir().unwrap();
    ours.leaf("localhost").install(folder.path());
    for (name, authority) in [("ours.pem", &ours), ("other.pem", &other)] {
        std::fs::write(folder.path().join(name), &authority.pem).unwrap();
    }
    let file = |name: &str| folder.path().join(name).display().to_string();
    let greeting = Greeting::new(&TlsFiles {
        cert_file: file("tls.crt").into(),
        key_file: file("tls.key").into(),
        client_ca_file: None,
    });
    let taken = || {
        Upstream::behind(
            |_| Reply::body("text/plain", ""),
            Some(greeting.as_ref().unwrap().now()),
        )
    };
    let (good, bad) = (taken().await, taken().await);
    let server = NatsServer::start(&format!(
        "tls {{ cert_file: {:?}, key_file: {:?} }}",
        file("tls.crt"),
        file("tls.key")
    ))
    .await;
    let http = |name: &str, sink: &Upstream, ca: &str| {
        let port = sink.address.port();
        format!(
            "{{ http: {{ name: {name}, url: \"https://localhost:{port}/\", ca_file: \"{}\" }} }}",
            file(ca)
        )
    };
    let nats = |name: &str, ca: &str| {
        let url = server.url().replace("nats://127.0.0.1", "tls://localhost");
        format!(
            "{{ nats: {{ name: {name}, url: \"{url}\", stream: {name}, subject: {name}, create: true, ca_file: \"{}\" }} }}",
            file(ca)
        )
    };
    let sinks = [
        http("good-http", &good, "ours.pem"),
        http("bad-http", &bad, "other.pem"),
        nats("good-nats", "ours.pem"),
        nats("bad-nats", "other.pem"),
    ];
    let gateway = started(&sinks.join(", "), &upstream).await;
    let count = |metrics: &str, sink: &str| {
        let shipped = format!(r#"gatewright_audit_events_total{{result="shipped",sink="{sink}"}}"#);
        let failed =
            format!(r#"gatewright_audit_ship_failures_total{{kind="unreachable",sink="{sink}"}}"#);
        (
            sample(metrics, &shipped) >= 300.0,
            sample(metrics, &failed) >= 1.0,
        )
    };
    let mut metrics = String::new();
    for _ in 0..500 {
        metrics = gateway.metrics().await;
        let is_done = |(sink, expected)| count(&metrics, sink) == expected;
        let sinks = ["good-http", "good-nats", "bad-http", "bad-nats"];
        if sinks
            .map(|sink| (sink, (sink.starts_with("good"), sink.starts_with("bad"))))
            .into_iter()
            .all(is_done)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for sink in ["good-http", "good-nats"] {
        assert_eq!(count(&metrics, sink), (true, false), "{sink}: {metrics}");
    }
    for sink in ["bad-http", "bad-nats"] {
        assert_eq!(count(&metrics, sink), (false, true), "{sink}: {metrics}");
    }
    assert_eq!(bad.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_labels_of_a_sink_start_at_zero() {
    let upstream = Upstream::plain().await;
    let sinks = "{ http: { name: siem, url: \"http://127.0.0.1:1/\" } }, { nats: { url: \"nats://127.0.0.1:1\", stream: A } }";
    let gateway = started(sinks, &upstream).await;
    let metrics = gateway.metrics().await;
    for sink in ["siem", "nats"] {
        for result in ["shipped", "rejected"] {
            let name =
                format!(r#"gatewright_audit_events_total{{result="{result}",sink="{sink}"}}"#);
            assert!(sample(&metrics, &name) < 1.0);
        }
        for kind in [
            "unreachable",
            "timed_out",
            "busy",
            "too_large",
            "refused",
            "unreadable",
        ] {
            sample(
                &metrics,
                &format!(r#"gatewright_audit_ship_failures_total{{kind="{kind}",sink="{sink}"}}"#),
            );
        }
        let never =
            format!(r#"gatewright_audit_ship_last_success_timestamp_seconds{{sink="{sink}"}}"#);
        assert!(sample(&metrics, &never) < 1.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_cannot_change_where_records_go() {
    let upstream = Upstream::plain().await;
    let (siem, _) = collector().await;
    let gateway = started(
        &format!("{{ http: {{ url: \"{}\" }} }}", siem.url()),
        &upstream,
    )
    .await;
    let told = gateway
        .change(&[("{ http: {", "{ http: { timeout: 9s,")])
        .await
        .unwrap_err();
    assert!(told.contains("audit.ship"), "{told}");
    gateway.change(&[("timeout: 9s,", "")]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_nats_server_stopped_and_started_under_load_holds_every_record_in_order() {
    let upstream = Upstream::plain().await;
    let mut server = NatsServer::start("").await;
    let sinks = format!(
        "{{ nats: {{ url: \"{}\", stream: AUDIT, create: true, batch: 20 }} }}",
        server.url()
    );
    let gateway = started(&sinks, &upstream).await;
    let agent = agent_of(&gateway);
    for _ in 0..3 {
        calls(&agent, 20).await;
        server.stop();
        calls(&agent, 20).await;
        server.resume().await;
        calls(&agent, 20).await;
    }
    let ledger = gateway.ledger();
    gateway.running.stop().await;
    let mut held = server.messages("AUDIT").await;
    if held.len() < lines_in(&ledger).len() {
        // The stop is bounded: what it left behind comes with the next start.
        let (setup, yaml) = (gateway.setup, gateway.yaml.lock().unwrap().clone());
        let again = Gateway::start(setup, yaml).await;
        for _ in 0..100 {
            held = server.messages("AUDIT").await;
            if held.len() >= lines_in(&ledger).len() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        again.running.stop().await;
        held = server.messages("AUDIT").await;
    }
    assert_eq!(
        held,
        lines_in(&ledger),
        "each record once, in the order of the ledger"
    );
    let seqs: Vec<_> = held
        .iter()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["seq"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
}
