//! Builds answers of the gateway and sums up answers of servers. Never keeps what an answer says.

use std::mem;

use super::ascii;
use super::call::RequestId;
use super::jsonrpc::{Limits, scan};
use super::sse::{SseItem, SseReader};

/// A JSON-RPC error (JSON-RPC 2.0 section 5.1) as ASCII on one line. Without an `id` there is no member
/// `id`: MCP knows no null. `data` that is null is left out.
pub fn error_body(
    id: Option<&RequestId>,
    code: i64,
    message: &str,
    data: &serde_json::Value,
) -> Vec<u8> {
    let mut text = String::from("{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        text.push_str("\"id\":");
        text.push_str(id.as_json());
        text.push(',');
    }
    let mut error = serde_json::json!({ "code": code, "message": message });
    if !data.is_null()
        && let Some(members) = error.as_object_mut()
    {
        members.insert("data".to_owned(), data.clone());
    }
    text.push_str("\"error\":");
    text.push_str(&error.to_string());
    text.push('}');
    ascii::encode(&text)
}

/// The result that ends a `subscriptions/listen` in order (MCP 2026-07-28, basic/patterns/subscriptions), as ASCII on
/// one line.
pub fn subscription_end(id: &RequestId) -> Vec<u8> {
    let id = id.as_json();
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"complete\",\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{id}}}}}}}"
    )
    .into_bytes()
}

/// What a response says about how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The code of its JSON-RPC error.
    pub error_code: Option<i64>,
    /// Does the result call itself an error (`isError`)?
    pub is_error: bool,
}

/// Sums up one message; `None` when it is no response or not strict JSON.
pub fn summary(message: &[u8]) -> Option<Summary> {
    let document = scan(message, Limits::ANSWER).ok()?;
    let root = document.root();
    if let Some(error) = document.member(&root, "error") {
        let code = document.member(&error.value, "code");
        let error_code = code.and_then(|code| document.text(&code.value).parse().ok());
        return Some(Summary {
            error_code,
            is_error: false,
        });
    }
    let result = document.member(&root, "result")?;
    let flag = document.member(&result.value, "isError");
    let is_error = flag.is_some_and(|flag| document.text(&flag.value) == "true");
    Some(Summary {
        error_code: None,
        is_error,
    })
}

/// Watches an answer go by and sums up its response. Holds at most 64 KiB, of a JSON answer or of one
/// event; a larger one is not summed up.
#[derive(Debug)]
pub struct SummaryTap {
    watched: Watched,
    found: Option<Summary>,
}

#[derive(Debug)]
enum Watched {
    Json(Vec<u8>),
    Events(SseReader),
    TooLarge,
}

impl SummaryTap {
    /// For an answer of `application/json`.
    pub fn json() -> Self {
        Self {
            watched: Watched::Json(Vec::new()),
            found: None,
        }
    }

    /// For an answer of `text/event-stream`.
    pub fn events() -> Self {
        Self {
            watched: Watched::Events(SseReader::new(MOST_HELD)),
            found: None,
        }
    }

    /// Takes the next bytes of the answer.
    pub fn push(&mut self, chunk: &[u8]) {
        let fits = match &mut self.watched {
            Watched::Json(held) if held.len() + chunk.len() <= MOST_HELD => {
                held.extend_from_slice(chunk);
                true
            }
            Watched::Events(reader) => {
                let mut items = Vec::new();
                let is_readable = reader.push(chunk, &mut items).is_ok();
                self.look_at(&items);
                is_readable
            }
            Watched::Json(_) | Watched::TooLarge => false,
        };
        if !fits {
            self.watched = Watched::TooLarge;
        }
    }

    /// Has a response passed that could be read?
    pub const fn is_answered(&self) -> bool {
        self.found.is_some()
    }

    /// Takes the end of the answer: how it went, if that could be read.
    pub fn finish(mut self) -> Option<Summary> {
        match mem::replace(&mut self.watched, Watched::TooLarge) {
            Watched::Json(held) => return summary(&held),
            Watched::Events(mut reader) => {
                let mut items = Vec::new();
                if reader.finish(&mut items).is_ok() {
                    self.look_at(&items);
                }
            }
            Watched::TooLarge => {}
        }
        self.found
    }

    fn look_at(&mut self, items: &[SseItem]) {
        for item in items {
            if let SseItem::Event {
                data: Some(data), ..
            } = item
            {
                self.found = summary(data.as_bytes()).or(self.found);
            }
        }
    }
}

const MOST_HELD: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{MOST_HELD, Summary, SummaryTap, error_body, subscription_end, summary};
    use crate::mcp::call::RequestId;

    #[test]
    fn an_error_carries_the_id_of_the_request_as_it_was() {
        let id = RequestId::from_token("\"a\\u0062\"");
        let body = error_body(id.as_ref(), 40301, "nö", &json!({ "reason": "x" }));
        assert!(body.is_ascii());
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "jsonrpc": "2.0", "id": "ab",
            "error": { "code": 40301, "message": "nö", "data": { "reason": "x" } },
        });
        assert_eq!(parsed, expected);
    }

    #[test]
    fn an_error_without_an_id_has_no_id_and_null_data_is_left_out() {
        let body = error_body(None, -32700, "bad", &Value::Null);
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            parsed,
            json!({ "jsonrpc": "2.0", "error": { "code": -32700, "message": "bad" } })
        );
    }

    #[test]
    fn the_end_of_a_subscription_names_it_by_the_id_of_its_request() {
        for token in ["7", "\"a\\u0062\""] {
            let id = RequestId::from_token(token).unwrap();
            let parsed: Value = serde_json::from_slice(&subscription_end(&id)).unwrap();
            let id: Value = serde_json::from_str(token).unwrap();
            let expected = json!({
                "jsonrpc": "2.0", "id": id,
                "result": {
                    "resultType": "complete",
                    "_meta": { "io.modelcontextprotocol/subscriptionId": id },
                },
            });
            assert_eq!(parsed, expected);
        }
    }

    #[test]
    fn a_summary_tells_errors_from_results() {
        let of = |text: &str| summary(text.as_bytes());
        let good = Summary {
            error_code: None,
            is_error: false,
        };
        assert_eq!(of(r#"{"id":1,"result":{"isError":false}}"#), Some(good));
        assert_eq!(of(r#"{"id":1,"result":{}}"#), Some(good));
        assert_eq!(
            of(r#"{"id":1,"result":{"isError":true}}"#),
            Some(Summary {
                is_error: true,
                ..good
            })
        );
        let failed = Summary {
            error_code: Some(-32602),
            ..good
        };
        assert_eq!(
            of(r#"{"id":1,"error":{"code":-32602,"message":"x"}}"#),
            Some(failed)
        );
        assert_eq!(of(r#"{"method":"notifications/progress"}"#), None);
        assert_eq!(of("not json"), None);
    }

    #[test]
    fn a_tap_sums_up_json_in_pieces() {
        let mut tap = SummaryTap::json();
        tap.push(br#"{"jsonrpc":"2.0","id":1,"#);
        tap.push(br#""result":{"isError":true}}"#);
        assert!(tap.finish().unwrap().is_error);
    }

    #[test]
    fn a_tap_finds_the_response_among_events() {
        let mut tap = SummaryTap::events();
        tap.push(b"data: {\"method\":\"notifications/progress\"}\n\ndata: {\"id\":1,\"err");
        tap.push(b"or\":{\"code\":-32601}}\n\n: bye\n\n");
        assert_eq!(tap.finish().unwrap().error_code, Some(-32601));
    }

    #[test]
    fn a_tap_gives_up_on_what_is_too_large() {
        let mut json = SummaryTap::json();
        let mut events = SummaryTap::events();
        let piece = vec![b' '; MOST_HELD];
        for tap in [&mut json, &mut events] {
            tap.push(&piece);
            tap.push(b" {\"id\":1,\"result\":{}}\n\n");
        }
        assert_eq!(json.finish(), None);
        assert_eq!(events.finish(), None);
    }
}
