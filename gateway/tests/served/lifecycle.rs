//! From start to stop: what a start refuses, what a stop waits for, what it cuts, and what probes see of it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gatewright::app;
use gatewright::config::load;
use reqwest::{Certificate, Client, Method, Version};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{
    Agent, Gateway, Reply, Setup, Upstream, call, eventually, headers_of, modern, send,
};

const SOON: Duration = Duration::from_secs(2);

/// Every record in the order of the ledger; the gateway that wrote them has stopped.
fn written(folder: &Path) -> Vec<Value> {
    crate::support::records_in(&folder.join("audit"))
}

/// An answer that takes this long.
fn slow(pause: Duration) -> impl Fn(&crate::support::Arrived) -> Reply {
    move |arrived| {
        let answer =
            json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": { "content": [] } });
        let mut reply = Reply::json(&answer);
        reply.pieces[0].0 = pause;
        reply
    }
}

async fn fronting(upstream: &Upstream, extra: &str) -> (Gateway, Agent) {
    let setup = Setup {
        extra: extra.into(),
        ..Setup::default()
    };
    setup.start_with_agent(upstream).await
}

#[tokio::test]
async fn a_stop_waits_for_the_request_under_way_and_takes_no_other() {
    let pause = Duration::from_millis(500);
    let upstream = Upstream::start(slow(pause)).await;
    let (gateway, agent) = fronting(&upstream, "").await;
    let (address, ops) = (gateway.address(), gateway.running.ops().unwrap());
    let asking = tokio::spawn(async move { agent.modern(&modern("search_x", &json!({}))).await });
    assert!(eventually(SOON, || upstream.count() == 1).await);

    let began = Instant::now();
    let stopping = tokio::spawn(gateway.running.stop());
    assert!(
        refused(address).await,
        "a stopping gateway takes connections"
    );
    let ready = reqwest::get(format!("http://{ops}/readyz")).await.unwrap();
    assert_eq!(ready.status(), 503, "a stopping gateway is not ready");
    let alive = reqwest::get(format!("http://{ops}/livez")).await.unwrap();
    assert_eq!(alive.status(), 200);
    stopping.await.unwrap();

    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let answer = asking.await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!((upstream.completed(), upstream.aborted()), (1, 0));
    let records = written(gateway.setup.folder.path());
    let kinds: Vec<_> = records.iter().map(|record| &record["kind"]).collect();
    assert_eq!(kinds, ["lifecycle", "decision", "outcome", "lifecycle"]);
    assert_eq!(records[0]["action"], "start");
    assert_eq!(records[2]["outcome"]["http_status"], 200);
    assert_eq!(records[3]["action"], "stop");
    assert!(refused(ops).await, "probes are gone too");
    assert!(!gateway.setup.folder.path().join("gatewright.sock").exists());
}

/// Whether nobody listens there, soon.
async fn refused(address: SocketAddr) -> bool {
    let trying = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, trying).await.is_ok()
}

#[tokio::test]
async fn a_stop_cuts_what_outlives_the_drain_and_records_it() {
    for (version, era) in [("h1", "modern"), ("h2", "modern"), ("h1", "legacy")] {
        let upstream =
            Upstream::start(|_| Reply::events(vec![Bytes::from_static(b": begun\n\n")]).endless())
                .await;
        let (gateway, mut agent) = fronting(&upstream, "shutdown: { drain: 200ms }\n").await;
        if version == "h2" {
            let builder = Client::builder().no_proxy().http2_prior_knowledge();
            agent.client = builder.build().unwrap();
        }
        let message = modern("search_x", &json!({}));
        let request = match era {
            "modern" => headers_of(agent.request(Method::POST), &message).body(message.to_string()),
            _ => agent
                .request(Method::POST)
                .header("mcp-protocol-version", "2025-11-25")
                .body(call("search_x", &json!({})).to_string()),
        };
        let mut open = request.send().await.unwrap();
        assert!(open.chunk().await.unwrap().unwrap().starts_with(b":"));

        let began = Instant::now();
        gateway.running.stop().await;

        let took = began.elapsed();
        let what = format!("{version} {era} after {took:?}");
        assert!(took >= Duration::from_millis(200), "{what}: no drain");
        assert!(took < SOON, "{what}: not cut");
        let cut = tokio::time::timeout(SOON, open.chunk()).await;
        assert!(!matches!(cut, Ok(Ok(Some(_))) | Err(_)), "{what}: {cut:?}");
        assert!(eventually(SOON, || upstream.aborted() == 1).await, "{what}");
        let records = written(gateway.setup.folder.path());
        let kinds: Vec<_> = records.iter().map(|record| &record["kind"]).collect();
        assert_eq!(
            kinds,
            ["lifecycle", "decision", "outcome", "lifecycle"],
            "{what}"
        );
        assert_eq!(records[2]["decision_id"], records[1]["event_id"], "{what}");
    }
}

#[tokio::test]
async fn a_connection_that_waits_for_a_next_request_is_let_go() {
    let upstream = Upstream::plain().await;
    let (gateway, _) = fronting(&upstream, "").await;
    let mut socket = TcpStream::connect(gateway.address()).await.unwrap();
    let request = "GET /nothing HTTP/1.1\r\nhost: gw\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = vec![0; 4096];
    let read = socket.read(&mut bytes).await.unwrap();
    assert!(bytes[..read].starts_with(b"HTTP/1.1 404"));

    gateway.running.stop().await;

    let ended = tokio::time::timeout(SOON, async {
        while socket.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    });
    assert!(ended.await.is_ok(), "the idle connection is still open");
}

/// Why a gateway with this configuration does not start.
async fn start_error(setup: &Setup, yaml: &str) -> String {
    let file = setup.folder.path().join("gatewright.yaml");
    let settings = load::parse(yaml, &file, &|_| None).unwrap();
    match app::start(settings, None).await {
        Ok(_) => panic!("it started"),
        Err(error) => gatewright::telemetry::logs::chain(&error),
    }
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (section, what) in [
        ("listen", "the gateway's address"),
        ("ops", "the ops address"),
    ] {
        let setup = Setup::default();
        let free = format!("{section}: {{ address: 127.0.0.1:0 }}");
        let used = format!("{section}: {{ address: {address} }}");
        let yaml = setup.yaml("http://127.0.0.1:9/mcp").replace(&free, &used);

        let told = start_error(&setup, &yaml).await;

        let expected = format!("cannot listen on {what} `{address}`: ");
        assert!(told.starts_with(&expected), "{told}");
        assert!(!setup.folder.path().join("gatewright.sock").exists());
    }
}

#[tokio::test]
async fn a_ledger_belongs_to_one_gateway() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = fronting(&upstream, "").await;
    let yaml = gateway
        .yaml
        .lock()
        .unwrap()
        .replace("gatewright.sock", "second.sock");

    let told = start_error(&gateway.setup, &yaml).await;

    let folder = gateway.ledger().display().to_string();
    assert!(
        told.contains(&folder) && told.contains("another gateway"),
        "{told}"
    );
    let answer = agent.modern(&modern("search_x", &json!({}))).await;
    assert_eq!(answer.status, 200, "the first goes on: {}", answer.body);
}

#[tokio::test]
async fn an_admin_socket_belongs_to_one_gateway() {
    let upstream = Upstream::plain().await;
    let (gateway, _) = fronting(&upstream, "").await;
    let yaml = gateway
        .yaml
        .lock()
        .unwrap()
        .replace("ledger: audit", "ledger: second");

    let told = start_error(&gateway.setup, &yaml).await;

    assert!(
        told.contains("gatewright.sock") && told.contains("another gateway"),
        "{told}"
    );
    assert!(gateway.setup.folder.path().join("gatewright.sock").exists());
}

#[tokio::test]
async fn tls_speaks_http_1_and_2_by_alpn() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = pair.cert.pem();
    let file = |name: &str, text: &str| std::fs::write(setup.folder.path().join(name), text);
    file("tls.crt", &pem).unwrap();
    file("tls.key", &pair.signing_key.serialize_pem()).unwrap();
    let listen = "listen: { address: 127.0.0.1:0, tls: { cert_file: tls.crt, key_file: tls.key } }";
    let plain = "listen: { address: 127.0.0.1:0 }";
    let yaml = setup.yaml(&upstream.url()).replace(plain, listen);
    let gateway = Gateway::start(setup, yaml).await;
    let url = format!("https://localhost:{}/crm/mcp", gateway.address().port());
    let root = Certificate::from_pem(pem.as_bytes()).unwrap();
    for (version, only_http1) in [(Version::HTTP_2, false), (Version::HTTP_11, true)] {
        let mut builder = Client::builder()
            .no_proxy()
            .resolve("localhost", gateway.address())
            .tls_certs_only([root.clone()]);
        if only_http1 {
            builder = builder.http1_only();
        }
        let mut agent = Agent::new(&*url, Some(token.clone()));
        agent.client = builder.build().unwrap();
        let message = modern("search_x", &json!({}));
        let request = headers_of(agent.request(Method::POST), &message).body(message.to_string());

        let response = request.send().await.unwrap();

        assert_eq!(
            (response.status().as_u16(), response.version()),
            (200, version)
        );
        let answer = agent.modern(&modern("delete_customer", &json!({}))).await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, Some(40301)),
            "{}",
            answer.body
        );
    }
    assert_eq!(upstream.count(), 2);
    let plain = reqwest::get(format!("http://{}/crm/mcp", gateway.address())).await;
    assert!(plain.is_err(), "plain HTTP on a TLS listener: {plain:?}");
}

#[tokio::test]
async fn a_certificate_that_is_none_is_named() {
    let setup = Setup::default();
    for name in ["tls.crt", "tls.key"] {
        std::fs::write(setup.folder.path().join(name), "nothing").unwrap();
    }
    let listen = "listen: { address: 127.0.0.1:0, tls: { cert_file: tls.crt, key_file: tls.key } }";
    let yaml = setup
        .yaml("http://127.0.0.1:9/mcp")
        .replace("listen: { address: 127.0.0.1:0 }", listen);

    let told = start_error(&setup, &yaml).await;

    assert!(
        told.contains("tls.crt") || told.contains("tls.key"),
        "{told}"
    );
}

async fn probe(ops: SocketAddr, path: &str) -> (u16, String) {
    let client = Client::new();
    let answer = send(client.get(format!("http://{ops}{path}"))).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn probes_tell_alive_from_ready() {
    let upstream = Upstream::plain().await;
    let (gateway, _) = fronting(&upstream, "").await;
    let ops = gateway.running.ops().unwrap();

    assert_eq!(probe(ops, "/livez").await, (200, "ok\n".to_owned()));
    assert_eq!(probe(ops, "/readyz").await, (200, "ok\n".to_owned()));
    let (status, verbose) = probe(ops, "/readyz?verbose").await;
    assert_eq!(status, 200);
    assert_eq!(
        verbose,
        "ok    serving\nok    audit ledger\nok    keys of issuer corp\n"
    );
    assert_eq!(probe(ops, "/crm/mcp").await.0, 404, "agents are elsewhere");
    let posted = send(Client::new().post(format!("http://{ops}/readyz"))).await;
    assert_eq!(posted.status, 405, "probes change nothing");
}

#[tokio::test]
async fn a_gateway_without_keys_is_alive_and_not_ready() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let place = format!("jwks_uri: http://{closed}/jwks");
    let yaml = setup
        .yaml(&upstream.url())
        .replace("jwks_file: jwks.json", &place);
    let gateway = Gateway::start(setup, yaml).await;
    let ops = gateway.running.ops().unwrap();

    assert_eq!(probe(ops, "/livez").await.0, 200);
    let (status, told) = probe(ops, "/readyz").await;
    assert_eq!(status, 503);
    assert!(
        told.contains("fault keys of issuer corp: ") && told.contains("onnection refused"),
        "{told}"
    );
    let agent = Agent::new(gateway.url(), Some(token));
    let answer = agent.modern(&modern("search_x", &json!({}))).await;
    assert_eq!(
        (answer.status, answer.code()),
        (503, Some(50301)),
        "{}",
        answer.body
    );
    assert!(answer.header("retry-after").is_some());
    assert_eq!(upstream.count(), 0);
}
