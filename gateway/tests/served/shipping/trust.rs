//! Sinks with TLS: the certificates of `ca_file` are believed, and no others.

use std::time::Duration;

use gatewright::config::TlsFiles;
use gatewright::proxy::tls::Greeting;
use tempfile::TempDir;

use super::{sample, started};
use crate::support::{Authority, Gateway, NatsServer, Reply, Upstream};

/// Certificates of two authorities; the servers have one of the first.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let (ours, other) = (Authority::new("ours"), Authority::new("other"));
        let folder = TempDir::new().unwrap();
        ours.leaf("localhost").install(folder.path());
        for (name, authority) in [("ours.pem", &ours), ("other.pem", &other)] {
            std::fs::write(folder.path().join(name), &authority.pem).unwrap();
        }
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    async fn collector(&self) -> Upstream {
        let files = TlsFiles {
            cert_file: self.file("tls.crt").into(),
            key_file: self.file("tls.key").into(),
            client_ca_file: None,
        };
        let edition = Greeting::new(&files).unwrap().now();
        Upstream::behind(|_| Reply::body("text/plain", ""), Some(edition)).await
    }

    async fn nats(&self) -> NatsServer {
        let (certificate, key) = (self.file("tls.crt"), self.file("tls.key"));
        let tls = format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}");
        NatsServer::start(&tls).await
    }
}

/// Whether `sink` shipped everything, and whether it could not be reached.
async fn judged(gateway: &Gateway, sink: &str) -> (bool, bool) {
    let shipped = format!(r#"gatewright_audit_events_total{{result="shipped",sink="{sink}"}}"#);
    let failed =
        format!(r#"gatewright_audit_ship_failures_total{{kind="unreachable",sink="{sink}"}}"#);
    for _ in 0..500 {
        let metrics = gateway.metrics().await;
        let (all, none) = (
            sample(&metrics, &shipped) >= 300.0,
            sample(&metrics, &failed) >= 1.0,
        );
        if all || none {
            return (all, none);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing happens: {}", gateway.metrics().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_is_believed_by_the_certificates_of_its_ca_file() {
    let upstream = Upstream::plain().await;
    let certificates = Certificates::new();
    let (good, bad) = (
        certificates.collector().await,
        certificates.collector().await,
    );
    let sink = |name: &str, to: &Upstream, ca: &str| {
        let (port, ca) = (to.address.port(), certificates.file(ca));
        format!(
            "{{ http: {{ name: {name}, url: \"https://localhost:{port}/\", ca_file: {ca:?} }} }}"
        )
    };
    let sinks = [
        sink("good", &good, "ours.pem"),
        sink("bad", &bad, "other.pem"),
    ];
    let gateway = started(&sinks.join(", "), &upstream).await;
    assert_eq!(judged(&gateway, "good").await, (true, false));
    assert_eq!(judged(&gateway, "bad").await, (false, true));
    assert_eq!(bad.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nats_server_is_believed_by_the_certificates_of_its_ca_file() {
    let upstream = Upstream::plain().await;
    let certificates = Certificates::new();
    let server = certificates.nats().await;
    let url = server.url().replace("nats://127.0.0.1", "tls://localhost");
    let sink = |name: &str, ca: &str| {
        let ca = certificates.file(ca);
        format!(
            "{{ nats: {{ name: {name}, url: \"{url}\", stream: {name}, subject: {name}, create: true, ca_file: {ca:?} }} }}"
        )
    };
    let sinks = [sink("good", "ours.pem"), sink("bad", "other.pem")];
    let gateway = started(&sinks.join(", "), &upstream).await;
    assert_eq!(judged(&gateway, "good").await, (true, false));
    assert_eq!(judged(&gateway, "bad").await, (false, true));
}
