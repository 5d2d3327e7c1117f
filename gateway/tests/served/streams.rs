//! Event streams pass event by event; who goes away cancels what it asked for where the revision says so; and only
//! the head of a request that the upstream is meant to see arrives there.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use crate::support::{
    Agent, Gateway, Reply, Setup, Upstream, call, eventually, headers_of, modern,
};

/// How long a client's going away may take to reach the upstream.
const SOON: Duration = Duration::from_secs(1);
/// Between the first event and the second.
const PAUSE: Duration = Duration::from_millis(600);

const PROGRESS: &str = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"half\"}}\n\n";

fn result_event() -> String {
    let message =
        json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [], "isError": false } });
    format!("data: {message}\n\n")
}

/// Progress at once, the result after a pause.
fn slow_answer() -> Reply {
    let mut reply = Reply::events(vec![Bytes::from_static(PROGRESS.as_bytes())]);
    reply.pieces.push((PAUSE, Bytes::from(result_event())));
    reply
}

/// Progress at once, then silence.
fn silence() -> Reply {
    Reply::events(vec![Bytes::from_static(PROGRESS.as_bytes())]).endless()
}

async fn fronting(upstream: &Upstream) -> (Gateway, String) {
    let setup = Setup::default();
    let token = setup.analyst();
    (setup.start(upstream).await, token)
}

/// A client that speaks HTTP/2 without TLS, or HTTP/1.1.
fn client(version: &str) -> Client {
    let builder = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20));
    match version {
        "h2" => builder.http2_prior_knowledge().build().unwrap(),
        _ => builder.http1_only().build().unwrap(),
    }
}

fn agent(gateway: &Gateway, token: &str, version: &str) -> Agent {
    let mut agent = Agent::new(gateway.url(), Some(token.to_owned()));
    agent.client = client(version);
    agent
}

fn modern_call(agent: &Agent) -> RequestBuilder {
    let message = modern("search_customers", &json!({}));
    headers_of(agent.request(Method::POST), &message).body(message.to_string())
}

fn legacy_call(agent: &Agent) -> RequestBuilder {
    agent
        .request(Method::POST)
        .header("mcp-protocol-version", "2025-11-25")
        .body(call("search_customers", &json!({})).to_string())
}

fn legacy_stream(agent: &Agent) -> RequestBuilder {
    agent
        .request(Method::GET)
        .header("mcp-protocol-version", "2025-11-25")
}

/// Sends and waits for the first bytes of the stream.
async fn first_event(request: RequestBuilder) -> (Response, String) {
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let first = response.chunk().await.unwrap().unwrap();
    (response, String::from_utf8(first.to_vec()).unwrap())
}

#[tokio::test]
async fn an_event_is_at_the_client_before_the_next_is_sent() {
    for version in ["h1", "h2"] {
        let upstream = Upstream::start(|_| slow_answer()).await;
        let (gateway, token) = fronting(&upstream).await;
        let agent = agent(&gateway, &token, version);
        let started = Instant::now();

        let (response, first) = first_event(modern_call(&agent)).await;

        assert_eq!(first, PROGRESS, "{version}");
        assert!(
            started.elapsed() < PAUSE && upstream.completed() == 0,
            "{version}: the first event waited for the second"
        );
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["x-accel-buffering"], "no");
        let rest: Vec<_> = response.bytes_stream().collect().await;
        let rest: Vec<u8> = rest.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(rest, result_event().as_bytes(), "{version}");
        assert_eq!((upstream.completed(), upstream.aborted()), (1, 0));
    }
}

#[tokio::test]
async fn a_filtered_stream_passes_event_by_event_too() {
    let upstream = Upstream::start(|_| {
        let mut reply = silence();
        reply.headers.push(("mcp-session-id".into(), "s-1".into()));
        reply
    })
    .await;
    let (gateway, token) = fronting(&upstream).await;
    let agent = agent(&gateway, &token, "h1");

    let (_response, first) = first_event(legacy_stream(&agent)).await;

    assert_eq!(first, PROGRESS);
}

#[tokio::test]
async fn a_stateless_client_that_goes_away_cancels_the_call_even_in_silence() {
    for version in ["h1", "h2"] {
        let upstream = Upstream::start(|_| silence()).await;
        let (gateway, token) = fronting(&upstream).await;
        let agent = agent(&gateway, &token, version);
        let (response, _) = first_event(modern_call(&agent)).await;
        assert_eq!(upstream.aborted(), 0);

        drop((response, agent));

        let cancelled = eventually(SOON, || upstream.aborted() == 1).await;
        assert!(cancelled, "{version}: the upstream still answers nobody");
        let outcomes = gateway.records_of("outcome").await;
        assert_eq!(outcomes.len(), 1, "{version}");
        assert_eq!(outcomes[0]["outcome"]["http_status"], 200);
    }
}

#[tokio::test]
async fn a_stateless_client_that_goes_away_cancels_a_call_without_any_answer_yet() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = Setup::default();
    let token = setup.analyst();
    let yaml = setup.yaml(&format!("http://{}/mcp", mute.local_addr().unwrap()));
    let gateway = Gateway::start(setup, yaml).await;
    let agent = agent(&gateway, &token, "h1");
    let waiting = tokio::spawn(modern_call(&agent).send());
    let (mut socket, _) = mute.accept().await.unwrap();
    let mut bytes = vec![0; 64 * 1024];
    assert!(socket.read(&mut bytes).await.unwrap() > 0);

    waiting.abort();
    drop(agent);

    let ended = tokio::time::timeout(SOON, async {
        while socket.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    });
    assert!(ended.await.is_ok(), "the upstream was left with the call");
    assert!(waiting.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_call_of_an_older_revision_runs_to_its_end_without_its_client() {
    let upstream = Upstream::start(|_| slow_answer()).await;
    let (gateway, token) = fronting(&upstream).await;
    let agent = agent(&gateway, &token, "h1");
    let (response, _) = first_event(legacy_call(&agent)).await;

    drop((response, agent));

    let ended = eventually(PAUSE * 5, || upstream.completed() + upstream.aborted() == 1).await;
    assert!(ended, "the call neither ended nor was cancelled");
    assert_eq!(
        (upstream.completed(), upstream.aborted()),
        (1, 0),
        "a disconnect is no cancellation before 2026-07-28"
    );
    let outcomes = gateway.records_of("outcome").await;
    assert_eq!(outcomes.len(), 1);
    let outcome = &outcomes[0]["outcome"];
    assert_eq!(outcome["is_error"], false, "the result was seen: {outcome}");
    assert!(
        outcome["duration_ms"].as_f64().unwrap() >= 500.0,
        "{outcome}"
    );
}

#[tokio::test]
async fn a_listening_client_of_an_older_revision_that_goes_away_ends_its_stream() {
    let upstream = Upstream::start(|_| silence()).await;
    let (gateway, token) = fronting(&upstream).await;
    let agent = agent(&gateway, &token, "h1");
    let (response, _) = first_event(legacy_stream(&agent)).await;

    drop((response, agent));

    assert!(eventually(SOON, || upstream.aborted() == 1).await);
}

/// The head that arrives for a request with these headers.
async fn arriving(request: impl Fn(&Agent) -> RequestBuilder, lines: &[(&str, &str)]) -> Value {
    let upstream = Upstream::plain().await;
    let (gateway, token) = fronting(&upstream).await;
    let agent = agent(&gateway, &token, "h1");
    let request = lines
        .iter()
        .fold(request(&agent), |request, (name, value)| {
            request.header(*name, *value)
        });
    let status = request.send().await.unwrap().status();
    assert_eq!(status, 200);
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(
        arrived[0].header("host"),
        Some(upstream.address.to_string()).as_deref()
    );
    arrived[0]
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[tokio::test]
async fn h31_only_headers_that_are_meant_for_the_server_arrive() {
    let foreign = [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-host", "evil.test"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("cookie", "session=1"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("dpop", "proof"),
        ("proxy-authorization", "Basic eDp5"),
        ("x-http-method-override", "DELETE"),
        ("x-role", "admin"),
        ("x-api-key", "k"),
    ];
    let meant = [
        ("mcp-param-region", "eu"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
        ("tracestate", "a=1"),
        ("user-agent", "agent/1"),
    ];
    let lines: Vec<_> = foreign.iter().chain(&meant).copied().collect();

    let head = arriving(modern_call, &lines).await;

    for (name, _) in foreign {
        assert_eq!(head[name], Value::Null, "{name} arrived");
    }
    assert_eq!(head["authorization"], Value::Null);
    for (name, value) in meant {
        assert_eq!(head[name], value, "{name} did not arrive");
    }
    assert_eq!(head["accept-encoding"], "identity");
    assert_eq!(head["mcp-method"], "tools/call");
    assert_eq!(head["mcp-name"], "search_customers");
}

#[tokio::test]
async fn a_stateless_request_arrives_without_session_headers() {
    let lines = [("mcp-session-id", "s-1"), ("last-event-id", "e-1")];

    let head = arriving(modern_call, &lines).await;

    assert_eq!(head["mcp-session-id"], Value::Null);
    assert_eq!(head["last-event-id"], Value::Null);
    assert_eq!(head["mcp-protocol-version"], "2026-07-28");
}

#[tokio::test]
async fn a_request_of_an_older_revision_arrives_without_mirrored_headers() {
    let lines = [
        ("mcp-method", "tools/list"),
        ("mcp-name", "delete_customer"),
        ("mcp-param-region", "eu"),
    ];

    let head = arriving(legacy_call, &lines).await;

    for (name, _) in lines {
        assert_eq!(head[name], Value::Null, "{name} arrived");
    }
    assert_eq!(head["mcp-protocol-version"], "2025-11-25");
}
