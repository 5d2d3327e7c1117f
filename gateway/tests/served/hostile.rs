//! A server that does what it can to reach its client past the gateway. Whatever it says, and however it says it, no byte
//! of what is marked gets there, and who asks next is served as ever.

mod asks;
mod bodies;
mod events;
mod heads;
mod limits;
mod sockets;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::support::{Answer, Arrived, Reply, Setup, Upstream, legacy, stateless};
use crate::wire::Wire;

/// Stands in all that must not arrive, and nowhere else.
const MARK: &str = "SECRET";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Era {
    Legacy,
    Modern,
}

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// What is asked of the server.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Asked {
    /// A tool, whose answer is not filtered.
    Tool,
    /// A list, which is.
    List,
    /// How to go on, whose answer may not ask anything back.
    Completion,
}

impl Asked {
    fn message(self, era: Era, meta: &Value) -> Value {
        let (method, params) = match self {
            Self::Tool => ("tools/call", json!({ "name": "search_x", "arguments": {} })),
            Self::List => ("tools/list", json!({})),
            Self::Completion => (
                "completion/complete",
                json!({ "ref": { "type": "ref/prompt", "name": "summarise" }, "argument": {} }),
            ),
        };
        let mut message = match era {
            Era::Legacy => legacy(method, &params),
            Era::Modern => stateless(method, &params),
        };
        for (key, value) in meta.as_object().into_iter().flatten() {
            message["params"]["_meta"][key] = value.clone();
        }
        message
    }
}

/// A gateway in front of a server that says what it is told to.
struct Stage {
    wire: Wire,
    line: Arc<Mutex<Reply>>,
}

impl Stage {
    async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// With these further lines of the server's configuration.
    async fn configured(server: &str) -> Self {
        let setup = Setup {
            server: server.to_owned(),
            ..Setup::default()
        };
        Self::with(setup).await
    }

    async fn with(setup: Setup) -> Self {
        let line = Arc::new(Mutex::new(good()));
        let said = Arc::clone(&line);
        let upstream = Upstream::start(move |_: &Arrived| said.lock().unwrap().clone()).await;
        let wire = Wire::with(setup, upstream).await;
        Self { wire, line }
    }

    /// What the client gets of `reply`.
    async fn hears(&self, reply: &Reply, era: Era, asked: Asked) -> Answer {
        self.hears_with(reply, era, &asked.message(era, &Value::Null))
            .await
    }

    async fn hears_with(&self, reply: &Reply, era: Era, message: &Value) -> Answer {
        *self.line.lock().unwrap() = reply.clone();
        match era {
            Era::Legacy => self.wire.agent.legacy(message).await,
            Era::Modern => self.wire.agent.modern(message).await,
        }
    }

    /// An honest answer passes, on the same connections.
    async fn assert_well(&self, what: &str) {
        for era in ERAS {
            let answer = self.hears(&good(), era, Asked::Tool).await;
            assert_eq!((answer.status, answer.json()), (200, result()), "{what}");
        }
    }

    /// The reasons of all outcomes so far.
    async fn outcomes(&self) -> Vec<String> {
        self.wire.outcomes(self.wire.upstream.count()).await
    }

    /// How many messages of this kind were dropped.
    async fn dropped(&self, kind: &str) -> u64 {
        let metrics = self.wire.gateway.metrics().await;
        let name = format!(
            "gatewright_upstream_messages_dropped_total{{kind=\"{kind}\",server=\"crm\"}} "
        );
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.unwrap_or_else(|| panic!("no {name}: {metrics}"))
            .parse()
            .unwrap()
    }
}

/// The answer of an honest server to the request with id 7.
fn result() -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [{ "type": "text", "text": "d\u{f6}ne" }] } })
}

fn good() -> Reply {
    Reply::json(&result())
}

fn stream(text: impl Into<String>) -> Reply {
    Reply::events(vec![Bytes::from(text.into())])
}

/// One event with this message.
fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

/// The messages of an event stream.
fn messages(body: &str) -> Vec<Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let data = data.map(str::trim).filter(|data| !data.is_empty());
    data.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

#[track_caller]
fn assert_silent(answer: &Answer, what: &str) {
    let everything = format!("{answer:?}");
    assert!(!everything.contains(MARK), "{what}: {everything}");
    assert!(!everything.contains("evil.test"), "{what}: {everything}");
}

#[track_caller]
fn assert_error(message: &Value, what: &str) {
    assert_eq!(message["error"]["code"], 50202, "{what}: {message}");
    assert_eq!(message["id"], 7, "{what}: {message}");
    assert_eq!(message.get("result"), None, "{what}");
}
