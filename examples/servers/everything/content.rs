//! Tool results that are the same for every caller, and the small builders for the others.
//! Never talks to the client.

use rmcp::ErrorData;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, JsonObject};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The result of a tool that takes no arguments and always says the same.
pub(super) fn fixed(tool: &str) -> Result<CallToolResponse, ErrorData> {
    let content = match tool {
        "test_image_content" => json!([image()]),
        "test_audio_content" => {
            json!([{"type": "audio", "data": SILENCE_WAV, "mimeType": "audio/wav"}])
        }
        "test_embedded_resource" => json!([embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content."
        )]),
        "test_multiple_content_types" => json!([
            {"type": "text", "text": "Multiple content types test:"},
            image(),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#
            ),
        ]),
        _ => json!([{"type": "text", "text": "This is a simple text response for testing."}]),
    };
    modelled::<Vec<ContentBlock>>(content).map(|content| CallToolResult::success(content).into())
}

/// A successful result of one line of text.
pub(super) fn text(line: impl Into<String>) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(line.into())])
}

/// A result that says the tool ran and failed.
pub(super) fn failure(line: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(line.into())])
}

/// The red pixel as an MCP content block.
pub(super) fn image() -> Value {
    json!({"type": "image", "data": RED_PIXEL_PNG, "mimeType": "image/png"})
}

/// A text resource as an MCP content block.
pub(super) fn embedded(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}})
}

/// A string argument, or the error a client gets for leaving it out.
pub(super) fn argument<'a>(
    arguments: Option<&'a JsonObject>,
    name: &str,
) -> Result<&'a str, ErrorData> {
    arguments
        .and_then(|arguments| arguments.get(name))
        .and_then(Value::as_str)
        .ok_or_else(|| ErrorData::invalid_params(format!("`{name}` must be a string"), None))
}

/// Turns JSON written in this crate into the library's type for it.
pub(super) fn modelled<T: DeserializeOwned>(value: Value) -> Result<T, ErrorData> {
    serde_json::from_value(value)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}

/// One red pixel.
pub(super) const RED_PIXEL_PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
const SILENCE_WAV: &str =
    "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";
