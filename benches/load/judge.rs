//! Says whether an answer is the right one: its status, its id and what it says. Never trusts a status alone.

use gatewright_benches::content::{TOOLS, call_text, tool_name};
use gatewright_benches::http1::Message;
use memchr::memmem;
use serde_json::Value;
use thiserror::Error;

/// What a right answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// The text of a call's result.
    Text(String),
    /// The names of the listed tools, in order.
    Tools(Vec<String>),
}

impl Expected {
    /// The result of a call whose body had this many bytes.
    pub(crate) fn call(body: usize) -> Self {
        Self::Text(call_text(body))
    }

    /// All tools.
    pub(crate) fn all_tools() -> Self {
        Self::Tools((0..TOOLS).map(tool_name).collect())
    }

    /// The tools that the role may see: every second one.
    pub(crate) fn permitted_tools() -> Self {
        Self::Tools((0..TOOLS).step_by(2).map(tool_name).collect())
    }
}

/// Why an answer is wrong.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Wrong {
    #[error("`{start}` with `{body}`")]
    Status { start: String, body: String },
    #[error("no JSON-RPC response in `{body}`")]
    Form { body: String },
    #[error("an answer to another request than {id}: `{body}`")]
    Id { id: u64, body: String },
    #[error("another content than expected: `{body}`")]
    Content { body: String },
}

/// Judges the answers of one connection. After one answer was read and found right, those that differ from it only in
/// the id are right too: so checking every byte costs the generator next to nothing.
#[derive(Debug)]
pub(crate) struct Judge {
    expected: Expected,
    known: Option<Known>,
}

#[derive(Debug)]
struct Known {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Judge {
    pub(crate) fn new(expected: Expected) -> Self {
        Self {
            expected,
            known: None,
        }
    }

    pub(crate) fn judge(&mut self, message: &Message<'_>, id: u64) -> Result<(), Wrong> {
        let body = &*message.body;
        if !message.start.starts_with(b"HTTP/1.1 200 ") {
            let start = String::from_utf8_lossy(message.start).into_owned();
            return Err(Wrong::Status {
                start,
                body: excerpt(body),
            });
        }
        let digits = id.to_string();
        if self
            .known
            .as_ref()
            .is_some_and(|known| known.is(body, digits.as_bytes()))
        {
            return Ok(());
        }
        self.read(body, id)?;
        self.known = Known::learn(body, digits.as_bytes());
        Ok(())
    }

    fn read(&self, body: &[u8], id: u64) -> Result<(), Wrong> {
        let response = response(body).ok_or_else(|| Wrong::Form {
            body: excerpt(body),
        })?;
        if response.get("id").and_then(Value::as_u64) != Some(id) {
            return Err(Wrong::Id {
                id,
                body: excerpt(body),
            });
        }
        let is_right = match &self.expected {
            Expected::Text(text) => {
                response
                    .pointer("/result/content/0/text")
                    .and_then(Value::as_str)
                    == Some(text)
            }
            Expected::Tools(names) => tools(&response).is_some_and(|found| found == *names),
        };
        if is_right {
            Ok(())
        } else {
            Err(Wrong::Content {
                body: excerpt(body),
            })
        }
    }
}

impl Known {
    fn learn(body: &[u8], digits: &[u8]) -> Option<Self> {
        let at = memmem::find(body, digits)?;
        let (before, rest) = body.split_at_checked(at)?;
        let after = rest.get(digits.len()..)?;
        Some(Self {
            before: before.to_vec(),
            after: after.to_vec(),
        })
    }

    fn is(&self, body: &[u8], digits: &[u8]) -> bool {
        let rest = body.strip_prefix(self.before.as_slice());
        rest.and_then(|rest| rest.strip_prefix(digits)) == Some(self.after.as_slice())
    }
}

fn tools(response: &Value) -> Option<Vec<&str>> {
    let tools = response.pointer("/result/tools")?.as_array()?;
    tools
        .iter()
        .map(|tool| tool.get("name")?.as_str())
        .collect()
}

/// The response in a JSON body or in the last event of a stream.
fn response(body: &[u8]) -> Option<Value> {
    if body.starts_with(b"{") {
        return serde_json::from_slice(body).ok();
    }
    let lines = body.split(|byte| *byte == b'\n');
    let data = lines
        .filter_map(|line| line.strip_prefix(b"data:"))
        .next_back()?;
    serde_json::from_slice(data.trim_ascii()).ok()
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..300).unwrap_or(body)).into_owned()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use gatewright_benches::content::{Answers, SSE_PATH};
    use gatewright_benches::http1::{Message, first_message};

    use super::{Expected, Judge, Wrong};

    fn message<'a>(start: &'a str, body: &'a str) -> Message<'a> {
        Message {
            start: start.as_bytes(),
            body: Cow::Borrowed(body.as_bytes()),
            length: 0,
            is_last: false,
        }
    }

    fn said(id: u64, text: &str) -> String {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#
        )
    }

    const OK: &str = "HTTP/1.1 200 OK";

    #[test]
    fn right_answers_pass_the_first_time_and_later() {
        let mut judge = Judge::new(Expected::Text("hello".into()));
        for id in [1_000_000_000, 1_000_000_001, 1_000_000_002] {
            judge.judge(&message(OK, &said(id, "hello")), id).unwrap();
        }
        // Another order of members is no reason to call an answer wrong.
        let other = r#"{"id":1000000003,"result":{"content":[{"text":"hello"}]}}"#;
        judge.judge(&message(OK, other), 1_000_000_003).unwrap();
    }

    #[test]
    fn wrong_answers_are_told_apart_the_first_time_and_later() {
        let mut judge = Judge::new(Expected::Text("hello".into()));
        for _ in 0..2 {
            let refused = judge.judge(&message("HTTP/1.1 403 Forbidden", &said(1, "hello")), 1);
            assert!(matches!(refused, Err(Wrong::Status { .. })));
            assert!(matches!(
                judge.judge(&message(OK, "oops"), 1),
                Err(Wrong::Form { .. })
            ));
            assert!(matches!(
                judge.judge(&message(OK, &said(2, "hello")), 1),
                Err(Wrong::Id { .. })
            ));
            assert!(matches!(
                judge.judge(&message(OK, &said(1, "bye")), 1),
                Err(Wrong::Content { .. })
            ));
            judge.judge(&message(OK, &said(1, "hello")), 1).unwrap();
        }
    }

    #[test]
    fn a_list_must_hold_exactly_the_permitted_tools() {
        let mut answer = Vec::new();
        let request = br#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
        Answers::default().write(
            format!("POST {SSE_PATH} HTTP/1.1").as_bytes(),
            request,
            &mut answer,
        );
        let message = first_message(&answer).unwrap().unwrap();
        Judge::new(Expected::all_tools())
            .judge(&message, 7)
            .unwrap();
        let unfiltered = Judge::new(Expected::permitted_tools()).judge(&message, 7);
        assert!(matches!(unfiltered, Err(Wrong::Content { .. })));
    }
}
