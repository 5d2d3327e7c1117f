//! What one legacy session remembers (log level, watched resources) and the tools that ask the client
//! inside the session. A 2026-07-28 request has no session: it finds the defaults here.
#![expect(
    deprecated,
    reason = "sampling and logging are deprecated since 2026-07-28 and still spoken by older clients"
)]

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use rmcp::model::{CallToolResponse, CallToolResult, CreateMessageRequestParams, LoggingLevel};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServiceError};
use serde_json::{Value, json};

use super::content::{modelled, text};
use super::input::{Caller, Kind, sampling_params};

/// The memory of one session.
#[derive(Default)]
pub(super) struct Session {
    level: Mutex<Option<LoggingLevel>>,
    watched: Mutex<HashSet<String>>,
}

impl Session {
    /// Sends only messages of this level and above from now on.
    pub(super) fn set_level(&self, level: LoggingLevel) {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner) = Some(level);
    }

    /// The lowest level the client wants to see, if it said so.
    pub(super) fn level(&self) -> Option<LoggingLevel> {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts telling the client about changes of `uri`.
    pub(super) fn watch(&self, uri: String) {
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(uri);
    }

    /// Stops telling the client about changes of `uri`.
    pub(super) fn unwatch(&self, uri: &str) {
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(uri);
    }

    /// Whether the client wants to hear about changes of `uri`.
    pub(super) fn watches(&self, uri: &str) -> bool {
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(uri)
    }
}

/// Asks the client's model and repeats its answer.
pub(super) async fn sample(
    prompt: &str,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    Caller::of(context).must_answer(Kind::Sampling)?;
    let params: CreateMessageRequestParams = modelled(sampling_params(prompt, 100))?;
    let result = context.peer.create_message(params).await.map_err(unasked)?;
    let answer = serde_json::to_value(&result).map_err(|_| unreadable())?;
    let said = answer
        .pointer("/content/text")
        .and_then(Value::as_str)
        .ok_or_else(unreadable)?;
    Ok(text(format!("LLM response: {said}")).into())
}

/// Asks the user `message` for a name and an address, and repeats the answer.
pub(super) async fn elicit(
    message: &str,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    });
    let answer = asked(message, schema, context).await?;
    Ok(text(format!("User response: {answer}")).into())
}

/// Asks the user for one value of every primitive type, each with a default (SEP-1034).
pub(super) async fn elicit_defaults(
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "John Doe"},
            "age": {"type": "integer", "default": 30},
            "score": {"type": "number", "default": 95.5},
            "status": {
                "type": "string",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": {"type": "boolean", "default": true},
        },
        "required": [],
    });
    completed("Please check these values", schema, context).await
}

/// Asks the user for one choice of every kind (SEP-1330).
pub(super) async fn elicit_choices(
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let options = ["option1", "option2", "option3"];
    let schema = json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": options},
            "titledSingle": {
                "type": "string",
                "oneOf": titled(["First Option", "Second Option", "Third Option"]),
            },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
            "titledMulti": {
                "type": "array",
                "items": {"anyOf": titled(["First Choice", "Second Choice", "Third Choice"])},
            },
        },
        "required": [],
    });
    completed("Please choose", schema, context).await
}

fn titled(titles: [&str; 3]) -> Vec<Value> {
    titles
        .iter()
        .zip(["value1", "value2", "value3"])
        .map(|(title, value)| json!({"const": value, "title": title}))
        .collect()
}

async fn completed(
    message: &str,
    schema: Value,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let answer = asked(message, schema, context).await?;
    let result: CallToolResult = text(format!("Elicitation completed: {answer}"));
    Ok(result.into())
}

async fn asked(
    message: &str,
    schema: Value,
    context: &RequestContext<RoleServer>,
) -> Result<String, ErrorData> {
    Caller::of(context).must_answer(Kind::Elicitation)?;
    let params = modelled(json!({"mode": "form", "message": message, "requestedSchema": schema}))?;
    let result = context
        .peer
        .create_elicitation(params)
        .await
        .map_err(unasked)?;
    let answer = serde_json::to_value(&result).map_err(|_| unreadable())?;
    let action = answer.get("action").and_then(Value::as_str);
    let filled = answer.get("content").unwrap_or(&Value::Null);
    Ok(format!(
        "action={}, content={filled}",
        action.ok_or_else(unreadable)?
    ))
}

fn unasked(error: ServiceError) -> ErrorData {
    if let ServiceError::McpError(error) = error {
        return error;
    }
    ErrorData::internal_error(format!("the client did not answer: {error}"), None)
}

fn unreadable() -> ErrorData {
    ErrorData::internal_error("the client's answer could not be read", None)
}
