//! What a client may say and what it may not.

mod headers;
mod message;
mod params;
mod properties;

use serde_json::{Value, json};

use crate::mcp::bounds::Bounds;
use crate::mcp::call::{Call, Message, Mirrored, Read, Refused};
use crate::model::Reason;

const LEGACY: Mirrored<'_> = Mirrored {
    protocol_version: Some(b"2025-11-25"),
    method: None,
    name: None,
};

/// Within the usual bounds.
fn read(body: &[u8], head: Mirrored<'_>) -> Result<Read, Refused> {
    super::read(body, head, Bounds::default())
}

const NONE: Mirrored<'_> = Mirrored {
    protocol_version: None,
    method: None,
    name: None,
};

fn modern<'a>(method: &'a str, name: Option<&'a str>) -> Mirrored<'a> {
    Mirrored {
        protocol_version: Some(b"2026-07-28"),
        method: Some(method.as_bytes()),
        name: name.map(str::as_bytes),
    }
}

fn meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

fn request(method: &str, params: &Value) -> Vec<u8> {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
        .to_string()
        .into_bytes()
}

fn modern_call(name: &str) -> Vec<u8> {
    request(
        "tools/call",
        &json!({ "name": name, "arguments": { "a": 1 }, "_meta": meta() }),
    )
}

fn legacy(body: &str) -> Result<Read, Refused> {
    read(body.as_bytes(), LEGACY)
}

fn reason(outcome: Result<Read, Refused>) -> Reason {
    outcome.expect_err("should have been refused").reason
}

fn call(outcome: Result<Read, Refused>) -> Call {
    match outcome.unwrap().message {
        Message::Request(call) => call,
        other @ (Message::Notification { .. } | Message::Response { .. }) => {
            panic!("{other:?} is no request")
        }
    }
}
