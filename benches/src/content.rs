//! What the agents of the benchmark ask and what its MCP server answers. Both programs read it here, so the
//! generator can check every byte of an answer. Never speaks HTTP beyond the heads it spells out.

use bytes::Bytes;
use memchr::memmem;

/// How many tools the server has.
pub const TOOLS: usize = 60;
/// The path that answers with JSON.
pub const JSON_PATH: &str = "/mcp";
/// The path that answers with an event stream.
pub const SSE_PATH: &str = "/sse/mcp";
/// The argument text of a large call: one mebibyte.
pub const LARGE_ARGUMENT: usize = 1024 * 1024;
/// The first JSON-RPC id. All ids have ten digits, so all requests of a kind have one length.
pub const FIRST_ID: u64 = 1_000_000_000;

const REVISION: &str = "2026-07-28";
const CALLED: usize = 4;

/// The name of a tool.
pub fn tool_name(index: usize) -> String {
    format!("bench_tool_{index:02}")
}

/// What an agent asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `tools/call` with about 300 bytes.
    Call,
    /// `tools/call` with an argument of [`LARGE_ARGUMENT`] bytes.
    LargeCall,
    /// `tools/list`.
    List,
}

/// What is asked, for every connection the same.
#[derive(Debug)]
pub struct Question {
    ask: Ask,
    method: &'static str,
    parameters: String,
    tail: Bytes,
}

impl Question {
    /// Spells the parameters out.
    pub fn new(ask: Ask) -> Self {
        let meta = format!(
            r#""_meta":{{"io.modelcontextprotocol/protocolVersion":"{REVISION}","io.modelcontextprotocol/clientCapabilities":{{}}}}"#
        );
        let name = tool_name(CALLED);
        let (method, parameters, tail) = match ask {
            Ask::Call => {
                let arguments =
                    r#"{"query":"open invoices of customer 4711 older than 30 days","limit":20}"#;
                (
                    "tools/call",
                    format!(r#""name":"{name}",{meta},"arguments":{arguments}}}}}"#),
                    Bytes::new(),
                )
            }
            Ask::LargeCall => {
                let text = "x".repeat(LARGE_ARGUMENT) + r#""}}}"#;
                (
                    "tools/call",
                    format!(r#""name":"{name}",{meta},"arguments":{{"text":""#),
                    Bytes::from(text),
                )
            }
            Ask::List => ("tools/list", format!("{meta}}}}}"), Bytes::new()),
        };
        Self {
            ask,
            method,
            parameters,
            tail,
        }
    }

    /// Bytes of the body, whatever the id.
    pub fn body_length(&self) -> usize {
        OPENING.len() + FIRST_ID.to_string().len() + self.after_id().len() + self.tail.len()
    }

    fn after_id(&self) -> String {
        format!(
            r#","method":"{}","params":{{{}"#,
            self.method, self.parameters
        )
    }

    /// What a client of revision 2026-07-28 sends to `path` on `host`.
    pub fn request(&self, host: &str, path: &str, token: &str) -> Request {
        let (method, length) = (self.method, self.body_length());
        let name = match self.ask {
            Ask::Call | Ask::LargeCall => format!("Mcp-Name: {}\r\n", tool_name(CALLED)),
            Ask::List => String::new(),
        };
        let before = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: gatewright-load\r\n\
             Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             MCP-Protocol-Version: {REVISION}\r\nMcp-Method: {method}\r\n{name}\
             Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{OPENING}"
        );
        Request {
            before: before.into_bytes(),
            after: self.after_id().into_bytes(),
            tail: self.tail.clone(),
        }
    }
}

const OPENING: &str = r#"{"jsonrpc":"2.0","id":"#;

/// A request in three parts: what comes before the id, what follows it, and the tail that all connections share.
#[derive(Debug)]
pub struct Request {
    before: Vec<u8>,
    after: Vec<u8>,
    /// The rest of a large body; else empty.
    pub tail: Bytes,
}

impl Request {
    /// Appends the request with this id, all but its tail.
    pub fn write(&self, id: u64, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.before);
        output.extend_from_slice(id.to_string().as_bytes());
        output.extend_from_slice(&self.after);
    }
}

/// The text of a call's result. It counts the body, so a body that was cut on its way shows.
pub fn call_text(body: usize) -> String {
    format!("{CALL_TEXT} Body: {body} bytes.")
}

const CALL_TEXT: &str = "Seven open invoices of customer 4711 are older than 30 days; the oldest is number 2026-0815 over \
                         1,204.50 EUR, due since the first of September. None of them is disputed.";

/// The server's answers, spelled out once.
#[derive(Debug)]
pub struct Answers {
    list: String,
}

impl Default for Answers {
    fn default() -> Self {
        let tools: Vec<String> = (0..TOOLS).map(tool).collect();
        let tools = tools.join(",");
        let list = format!(
            r#"{{"tools":[{tools}],"resultType":"complete","ttlMs":60000,"cacheScope":"public"}}"#
        );
        Self { list }
    }
}

impl Answers {
    /// Appends the whole answer to a request with this request line and body.
    pub fn write(&self, start: &[u8], body: &[u8], output: &mut Vec<u8>) {
        let id = id_of(body);
        let called;
        let result = if is_list(body) {
            self.list.as_str()
        } else {
            called = call_result(body.len());
            &called
        };
        let length = r#"{"jsonrpc":"2.0","id":,"result":}"#.len() + id.len() + result.len();
        if memmem::find(start, SSE_PATH.as_bytes()).is_some() {
            let chunk = length + "event: message\ndata: \n\n".len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\
                 Transfer-Encoding: chunked\r\n\r\n{chunk:x}\r\nevent: message\ndata: "
            );
            append(
                output,
                &[
                    &head,
                    r#"{"jsonrpc":"2.0","id":"#,
                    id,
                    r#","result":"#,
                    result,
                    "}\n\n\r\n0\r\n\r\n",
                ],
            );
        } else {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            append(
                output,
                &[
                    &head,
                    r#"{"jsonrpc":"2.0","id":"#,
                    id,
                    r#","result":"#,
                    result,
                    "}",
                ],
            );
        }
    }
}

fn append(output: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        output.extend_from_slice(part.as_bytes());
    }
}

fn call_result(body: usize) -> String {
    let text = call_text(body);
    format!(
        r#"{{"content":[{{"type":"text","text":"{text}"}}],"isError":false,"resultType":"complete"}}"#
    )
}

fn tool(index: usize) -> String {
    let name = tool_name(index);
    format!(
        r#"{{"name":"{name}","title":"Bench tool {index}","description":"Reads the records of area {index} in the system of record. Use it when the user asks for invoices, reports or updates that belong to this area. Returns structured content with a short text summary, and fails with a clear message when the record is missing.","inputSchema":{{"type":"object","properties":{{"query":{{"type":"string","description":"Free text, at most 200 characters"}},"limit":{{"type":"integer","minimum":1,"maximum":100,"default":20}},"cursor":{{"type":"string"}},"fields":{{"type":"array","items":{{"type":"string"}}}}}},"required":["query"]}},"annotations":{{"readOnlyHint":true,"openWorldHint":false}}}}"#
    )
}

/// The digits after the first `"id":`, or `null`.
fn id_of(body: &[u8]) -> &str {
    let key = br#""id":"#;
    let digits = memmem::find(body, key)
        .and_then(|at| body.get(at + key.len()..))
        .unwrap_or_default();
    let end = digits
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(digits.len());
    match digits.get(..end).map(std::str::from_utf8) {
        Some(Ok(digits)) if !digits.is_empty() => digits,
        _ => "null",
    }
}

/// Looks only at the start, so that a large argument costs the server nothing.
fn is_list(body: &[u8]) -> bool {
    let start = body.get(..128).unwrap_or(body);
    memmem::find(start, br#""method":"tools/list""#).is_some()
}

#[cfg(test)]
mod tests {
    use super::{Answers, Ask, FIRST_ID, JSON_PATH, LARGE_ARGUMENT, Question, SSE_PATH, call_text};
    use crate::http1::first_message;

    fn written(ask: Ask, path: &str) -> (usize, Vec<u8>) {
        let question = Question::new(ask);
        let request = question.request("127.0.0.1:1", path, "token");
        let mut bytes = Vec::new();
        request.write(FIRST_ID + 7, &mut bytes);
        bytes.extend_from_slice(&request.tail);
        (question.body_length(), bytes)
    }

    fn answered(ask: Ask, path: &str) -> (usize, Vec<u8>) {
        let (length, bytes) = written(ask, path);
        let message = first_message(&bytes).unwrap().unwrap();
        let mut answer = Vec::new();
        Answers::default().write(message.start, &message.body, &mut answer);
        (length, answer)
    }

    #[test]
    fn a_request_is_one_message_of_valid_json() {
        for (ask, size) in [
            (Ask::Call, 250..350),
            (Ask::List, 150..300),
            (Ask::LargeCall, LARGE_ARGUMENT..LARGE_ARGUMENT + 400),
        ] {
            let (length, bytes) = written(ask, JSON_PATH);
            let message = first_message(&bytes).unwrap().unwrap();
            assert_eq!(message.length, bytes.len());
            assert_eq!(message.body.len(), length);
            assert!(size.contains(&length), "{ask:?} has {length} bytes");
            let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
            assert_eq!(body["id"], FIRST_ID + 7);
        }
    }

    #[test]
    fn a_call_is_answered_with_its_id_and_its_size() {
        let (size, answer) = answered(Ask::Call, JSON_PATH);
        let message = first_message(&answer).unwrap().unwrap();
        assert!(
            (250..350).contains(&message.body.len()),
            "{} bytes",
            message.body.len()
        );
        let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(body["id"], FIRST_ID + 7);
        assert_eq!(body["result"]["content"][0]["text"], call_text(size));
    }

    #[test]
    fn a_list_has_sixty_tools_in_forty_kilobytes() {
        let (_, answer) = answered(Ask::List, JSON_PATH);
        let message = first_message(&answer).unwrap().unwrap();
        assert!(
            (38_000..43_000).contains(&message.body.len()),
            "{} bytes",
            message.body.len()
        );
        let body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
        assert_eq!(body["result"]["tools"].as_array().unwrap().len(), 60);
    }

    #[test]
    fn the_event_stream_holds_the_same_answer() {
        let (_, plain) = answered(Ask::List, JSON_PATH);
        let (_, stream) = answered(Ask::List, SSE_PATH);
        let plain = first_message(&plain).unwrap().unwrap();
        let stream = first_message(&stream).unwrap().unwrap();
        let event = [b"event: message\ndata: ", &*plain.body, b"\n\n"].concat();
        assert_eq!(&*stream.body, event);
    }
}
