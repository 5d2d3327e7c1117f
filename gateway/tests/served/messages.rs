//! What is no message that every server reads alike never arrives, whoever sends it: a stranger is asked to
//! authenticate and told nothing else, an agent is told why, once on record.

mod bodies;
mod bounds;
mod corpus;
mod fields;
mod headers;
mod methods;
mod targets;

use serde_json::{Value, json};

use crate::support::Answer;
use crate::wire::{Lines, Wire};

pub(super) const TOOL: &str = "search_customers";
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A message and what has to become of it.
pub(super) struct Case {
    what: &'static str,
    lines: Lines,
    body: Vec<u8>,
    status: u16,
    code: i64,
    reason: &'static str,
    id: Value,
}

impl Case {
    /// Refused with 400.
    pub(super) fn new(what: &'static str, lines: Lines, body: impl Into<Vec<u8>>) -> Self {
        Self {
            what,
            lines,
            body: body.into(),
            status: 400,
            code: 0,
            reason: "",
            id: Value::Null,
        }
    }

    pub(super) fn is(mut self, code: i64, reason: &'static str) -> Self {
        (self.code, self.reason) = (code, reason);
        self
    }

    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The answer carries this id; without, it has none.
    pub(super) fn id(mut self, id: impl Into<Value>) -> Self {
        self.id = id.into();
        self
    }

    fn assert_answered(&self, answer: &Answer) {
        let what = format!("{}: {}", self.what, answer.body);
        assert_eq!(answer.status, self.status, "{what}");
        assert_eq!(answer.code(), Some(self.code), "{what}");
        let body = answer.json();
        assert_eq!(body["error"]["data"]["reason"], self.reason, "{what}");
        assert_eq!(body.get("id").unwrap_or(&Value::Null), &self.id, "{what}");
        let has_id = body.get("id").is_some();
        assert_eq!(has_id, !self.id.is_null(), "null is no id: {what}");
        assert_eq!(answer.header("www-authenticate"), None, "{what}");
    }
}

/// Sends every case as a stranger and as an agent; then one message that is allowed.
pub(super) async fn assert_refused(cases: Vec<Case>) {
    let wire = Wire::start().await;
    let silence = wire.post_as_stranger(&Lines::legacy(), allowed()).await;
    for case in &cases {
        let stranger = wire.post_as_stranger(&case.lines, case.body.clone()).await;
        assert_eq!(seen(&stranger), seen(&silence), "{}", case.what);

        let answer = wire.post(&case.lines, case.body.clone()).await;
        case.assert_answered(&answer);
        assert_eq!(wire.upstream.count(), 0, "{}", case.what);
    }
    assert_still_serves(&wire).await;
    assert_on_record(&wire, &cases).await;
}

async fn assert_still_serves(wire: &Wire) {
    let answer = wire.post(&Lines::legacy(), allowed()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(wire.upstream.count(), 1);
}

/// One decision for each case and the call behind them, one record for each stranger.
async fn assert_on_record(wire: &Wire, cases: &[Case]) {
    let mut reasons: Vec<_> = cases.iter().map(|case| case.reason).collect();
    reasons.push("allow");
    assert_eq!(wire.decisions().await, reasons, "one record each");
    let strangers = wire.gateway.records_of("authn").await;
    assert_eq!(strangers.len(), cases.len() + 1);
}

/// Everything that a stranger can tell from an answer, but for what differs from request to request.
fn seen(answer: &Answer) -> (u16, Vec<(String, String)>, Value) {
    assert_eq!(answer.status, 401, "{}", answer.body);
    let headers = answer.headers.iter();
    let mut headers: Vec<_> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .filter(|(name, _)| !["connection", "date", "x-request-id"].contains(&name.as_str()))
        .collect();
    headers.sort();
    let mut body = answer.json();
    for name in ["request_id", "decision_id"] {
        body["error"]["data"][name] = json!("");
    }
    (answer.status, headers, body)
}

/// Sends every message; it must arrive as it was sent.
pub(super) async fn assert_forwarded(messages: Vec<(&'static str, Lines, Vec<u8>)>) {
    let wire = Wire::start().await;
    for (what, lines, body) in &messages {
        let answer = wire.post(lines, body.clone()).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.body);
        assert_eq!(wire.upstream.arrived().pop().unwrap().body, body, "{what}");
    }
    assert_eq!(wire.upstream.count(), messages.len());
    assert_eq!(wire.decisions().await, vec!["allow"; messages.len()]);
}

/// A call of 2025-11-25 that is allowed.
pub(super) fn allowed() -> Vec<u8> {
    legacy_call("{}").into()
}

/// A call of 2025-11-25 with these arguments.
pub(super) fn legacy_call(arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{TOOL}","arguments":{arguments}}}}}"#
    )
}

/// A call of 2026-07-28 with these arguments.
pub(super) fn modern_call(arguments: &str) -> String {
    legacy_call(arguments).replace(r#""params":{"#, &format!(r#""params":{{{META},"#))
}

/// The headers of such a call.
pub(super) fn modern_lines() -> Lines {
    Lines::modern("tools/call", TOOL)
}
