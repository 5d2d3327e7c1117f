//! Records leave the gateway as they stand in the ledger, to every sink, over failures and restarts; no call waits
//! for a sink.

mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Agent, Arrived, Gateway, NatsServer, Reply, Setup, Upstream, eventually, lines_in, modern,
    write_segment,
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
        audit: format!(", ship: [{sinks}]"),
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

/// Two collectors and a gateway that ships to both; the first answers 503.
struct Two {
    bad: Upstream,
    status: Arc<AtomicU16>,
    good: Upstream,
    gateway: Gateway,
}

impl Two {
    async fn start(upstream: &Upstream) -> Self {
        let ((bad, status), (good, _)) = (collector().await, collector().await);
        status.store(503, Ordering::Relaxed);
        let sink = |name: &str, to: &Upstream| {
            format!("{{ http: {{ name: {name}, url: \"{}\" }} }}", to.url())
        };
        let sinks = [sink("bad", &bad), sink("good", &good)].join(", ");
        let gateway = started(&sinks, upstream).await;
        Self {
            bad,
            status,
            good,
            gateway,
        }
    }

    /// Whether the second has everything while the first took nothing.
    async fn is_split(&self) -> bool {
        let ledger = self.gateway.ledger();
        let split = || lines_of(&self.good) == lines_in(&ledger) && self.bad.count() >= 2;
        eventually(SOON, split).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a05_a_sink_that_is_down_loses_nothing_and_slows_no_call() {
    let upstream = Upstream::plain().await;
    let two = Two::start(&upstream).await;
    calls(&agent_of(&two.gateway), 20).await;
    assert!(two.is_split().await, "the other sink has everything");
    let ready = two.gateway.readiness().await;
    assert_eq!(
        ready, 200,
        "a sink that is down does not make the gateway unready"
    );

    let failed = two.bad.count();
    two.status.store(200, Ordering::Relaxed);
    let ledger = two.gateway.ledger();
    let caught_up = || {
        let arrived = two.bad.arrived();
        let taken: Vec<_> = arrived.iter().skip(failed).map(text).collect();
        // One request may have been on its way when the sink changed its mind.
        taken
            .concat()
            .ends_with(&(lines_in(&ledger).join("\n") + "\n"))
    };
    assert!(
        eventually(SOON, caught_up).await,
        "everything arrived, from the first record on"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_say_what_each_sink_has_not_got_and_why() {
    let upstream = Upstream::plain().await;
    let two = Two::start(&upstream).await;
    assert!(two.is_split().await);
    let metrics = two.gateway.metrics().await;
    let of = |name: &str, labels: &str| sample(&metrics, &format!("{name}{{{labels}}}"));
    assert!(of("gatewright_audit_queue_length", r#"sink="bad""#) >= 300.0);
    let failures = "gatewright_audit_ship_failures_total";
    assert!(of(failures, r#"kind="busy",sink="bad""#) >= 1.0);
    assert!(of(failures, r#"kind="busy",sink="good""#) < 1.0);
    let events = "gatewright_audit_events_total";
    assert!(of(events, r#"result="shipped",sink="good""#) >= 300.0);
    assert!(of(events, r#"result="shipped",sink="bad""#) < 1.0);
    let success = "gatewright_audit_ship_last_success_timestamp_seconds";
    assert!(of(success, r#"sink="good""#) > 1e9);
    assert!(of(success, r#"sink="bad""#) < 1.0);
}

fn sample(metrics: &str, name: &str) -> f64 {
    let line = metrics
        .lines()
        .find(|line| line.starts_with(&format!("{name} ")));
    let line = line.unwrap_or_else(|| panic!("{name} is not there:\n{metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
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
