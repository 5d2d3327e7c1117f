//! Tools that tell the client how they are doing: log messages and progress. Never logs to a
//! 2026-07-28 caller that set no level, because there silence is the default.
#![expect(
    deprecated,
    reason = "logging is deprecated since 2026-07-28 and still spoken by older clients"
)]

use std::time::Duration;

use rmcp::model::{
    CallToolResponse, LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam,
    ProtocolVersion,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServiceError};
use serde_json::json;

use super::content::text;
use super::session::Session;

/// Sends three log messages, a little apart.
pub(super) async fn log(
    session: &Session,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let wanted = wanted_level(session, context).is_some_and(|level| level as u8 <= LEVEL as u8);
    for (step, line) in LINES.into_iter().enumerate() {
        if step > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if wanted {
            let message = LoggingMessageNotificationParam::new(LEVEL, json!(line));
            let sent = context.peer.notify_logging_message(message).await;
            sent.map_err(|error| unheard(&error))?;
        }
    }
    Ok(text("Tool with logging executed").into())
}

/// Reports 0, 50 and 100 of 100, a little apart, to callers that gave a progress token.
pub(super) async fn progress(
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    for done in [0_u8, 50, 100] {
        if done > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        if let Some(token) = context.meta.get_progress_token() {
            let report = ProgressNotificationParam::new(token, done.into()).with_total(100.0);
            let sent = context.peer.notify_progress(report).await;
            sent.map_err(|error| unheard(&error))?;
        }
    }
    Ok(text("Tool with progress executed").into())
}

// Older revisions send everything until the client sets a level; 2026-07-28 sends nothing until then.
fn wanted_level(session: &Session, context: &RequestContext<RoleServer>) -> Option<LoggingLevel> {
    let is_modern = context
        .protocol_version()
        .is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str());
    if is_modern {
        return context.meta.log_level();
    }
    Some(session.level().unwrap_or(LoggingLevel::Debug))
}

fn unheard(error: &ServiceError) -> ErrorData {
    ErrorData::internal_error(format!("the client could not be told: {error}"), None)
}

const LEVEL: LoggingLevel = LoggingLevel::Info;
const LINES: [&str; 3] = [
    "Tool execution started",
    "Tool processing data",
    "Tool execution completed",
];
const PAUSE: Duration = Duration::from_millis(50);
