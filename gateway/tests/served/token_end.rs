//! What was permitted to a token ends with it: streams, silent or busy, and calls under way.

mod calls;
mod streams;
mod upstreams;

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{
    Agent, Gateway, Reply, Setup, Upstream, call, eventually, headers_of, modern, stateless,
};

/// How long a token of these tests lives, leeway included.
const LIFE: Duration = Duration::from_millis(1200);
/// How long after its token a request may last while its client can be told.
pub(crate) const SOON: Duration = Duration::from_millis(700);
/// How long after its token a request may last at all, with a second to tell the client.
const AT_LAST: Duration = Duration::from_millis(1900);

pub(crate) const NEWS: &[u8] = b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"news\"}}\n\n";

/// A request that is under way when its token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `GET`, before 2026-07-28.
    Stream,
    /// `subscriptions/listen`.
    Listen,
    /// `tools/call` of 2026-07-28.
    Call,
    /// `tools/call` of 2025-11-25.
    LegacyCall,
}

impl Asked {
    pub(crate) fn request(self, agent: &Agent) -> RequestBuilder {
        let post = |message: &Value| {
            headers_of(agent.request(Method::POST), message).body(message.to_string())
        };
        match self {
            Self::Stream => agent
                .request(Method::GET)
                .header("mcp-protocol-version", "2025-11-25"),
            Self::Listen => post(&stateless(
                "subscriptions/listen",
                &json!({ "notifications": { "toolsListChanged": true } }),
            )),
            Self::Call => post(&modern("search_customers", &json!({}))),
            Self::LegacyCall => agent
                .request(Method::POST)
                .header("mcp-protocol-version", "2025-11-25")
                .body(call("search_customers", &json!({})).to_string()),
        }
    }
}

/// Runs a test for several ways to ask at the same time.
pub(crate) async fn each<T: Future<Output = ()>>(
    ways: &[(Asked, &'static str)],
    test: impl Fn(Asked, &'static str) -> T,
) {
    let all = ways.iter().map(|(asked, version)| test(*asked, version));
    futures_util::future::join_all(all).await;
}

/// A gateway in front of `upstream`, with further lines of the server's configuration.
async fn fronting(upstream: &str, server: &str) -> Gateway {
    let setup = Setup {
        server: server.to_owned(),
        ..Setup::default()
    };
    let yaml = setup.yaml(upstream);
    Gateway::start(setup, yaml).await
}

/// An agent that speaks HTTP/2 without TLS, or HTTP/1.1, with a token that lives this long from now.
pub(crate) fn agent(gateway: &Gateway, version: &str, life: Duration) -> Agent {
    let builder = Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20));
    let client = match version {
        "h2" => builder.http2_prior_knowledge().build().unwrap(),
        _ => builder.http1_only().build().unwrap(),
    };
    let mut agent = Agent::new(gateway.url(), None);
    agent.client = client;
    // Last, since its life is measured from here, and to build a client takes a while.
    agent.token = Some(gateway.setup.issuer.token_for(life));
    agent
}

/// What came of an answer, from when its token was made.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    pub(crate) text: String,
    /// Did the body end as a body ends?
    pub(crate) is_whole: bool,
    pub(crate) after: Duration,
}

impl Heard {
    /// The message of the last event.
    pub(crate) fn last_event(&self) -> Value {
        let last = self.text.trim_end().rsplit("\n\n").next().unwrap();
        let data = last.trim_start().strip_prefix("data: ");
        serde_json::from_str(data.unwrap_or_else(|| panic!("{self:?}"))).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Its end came with its token, give or take `later`.
    fn assert_in_time(&self, later: Duration, what: &str) {
        // The token is a little older than its request, by as much as the machine is busy.
        let early = LIFE.saturating_sub(Duration::from_millis(200));
        assert!(
            (early..LIFE + later).contains(&self.after),
            "{what}: ended after {:?}: {self:?}",
            self.after
        );
    }
}

pub(crate) async fn hear(request: RequestBuilder) -> Heard {
    let since = Instant::now();
    rest(request.send().await.unwrap(), since).await
}

pub(crate) async fn rest(mut response: Response, since: Instant) -> Heard {
    let status = response.status().as_u16();
    let mut bytes = Vec::new();
    let is_whole = loop {
        match response.chunk().await {
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    Heard {
        status,
        text: String::from_utf8(bytes).unwrap(),
        is_whole,
        after: since.elapsed(),
    }
}

/// One event at once, then silence.
pub(crate) fn silence() -> Reply {
    Reply::events(vec![Bytes::from_static(NEWS)]).endless()
}

/// An event every so often, for longer than any token of these tests lives.
pub(crate) fn busy(reply: &Reply, piece: &'static [u8]) -> Reply {
    let mut reply = reply.clone();
    let beat = Duration::from_millis(100);
    reply.pieces = vec![(beat, Bytes::from_static(piece)); 60];
    reply
}

/// The last message is the error with the id of the request.
fn assert_told(message: &Value, what: &str) {
    assert_eq!(message["id"], 7, "{what}: {message}");
    assert_eq!(message["error"]["code"], 40108, "{what}: {message}");
    assert_eq!(
        message["error"]["data"]["reason"], "token_expired",
        "{what}: {message}"
    );
}

/// The upstream was let go, the outcome says why, and no stream is counted any more.
async fn assert_ended(gateway: &Gateway, upstream: &Upstream, status: &Value, what: &str) {
    assert!(
        eventually(SOON, || upstream.aborted() == 1).await,
        "{what}: the upstream still answers"
    );
    assert_eq!(upstream.completed(), 0, "{what}");
    assert_on_record(gateway, status, what).await;
    let metrics = gateway.metrics().await;
    assert!(
        metrics.contains("gatewright_streams_active{server=\"crm\"} 0"),
        "{what}"
    );
}

async fn assert_on_record(gateway: &Gateway, status: &Value, what: &str) {
    let outcome = gateway.outcomes(1).await.remove(0);
    assert_eq!(
        outcome["reason"]["code"], "token_expired",
        "{what}: {outcome:#}"
    );
    assert_eq!(
        &outcome["outcome"]["http_status"], status,
        "{what}: {outcome:#}"
    );
    let records = gateway.settled().await;
    assert_eq!(records.len(), 2, "{what}: {records:#?}");
    assert_eq!(records[0]["decision"], "allow", "{what}");
    assert_eq!(
        records[1]["decision_id"], records[0]["event_id"],
        "{what}: {records:#?}"
    );
}
