//! A batch as one `ExportLogsServiceRequest`. The body of a log record stays empty: what is known stands in attributes,
//! and the line itself in `log.record.original`.

use serde_json::{Map, Value, json};

use super::attribute::{attribute, attributes};
use crate::audit::ship::line::Line;

/// The request for `batch`. All of it comes from one gateway, which may have been started several times.
pub(super) fn request(batch: &[Line]) -> Vec<u8> {
    let records: Vec<_> = batch.iter().map(log_record).collect();
    let resource = [
        attribute("service.name", &json!("gatewright")),
        attribute("service.version", &json!(env!("CARGO_PKG_VERSION"))),
    ];
    let request = json!({ "resourceLogs": [{
        "resource": { "attributes": resource },
        "scopeLogs": [{ "scope": { "name": "gatewright.audit" }, "logRecords": records }],
    }]});
    request.to_string().into_bytes()
}

fn log_record(line: &Line) -> Value {
    let original = attribute(
        "log.record.original",
        &json!(String::from_utf8_lossy(&line.bytes)),
    );
    let Ok(Value::Object(members)) = serde_json::from_slice(&line.bytes) else {
        return json!({
            "eventName": "gatewright.unreadable",
            "severityNumber": Severity::Error.number(),
            "severityText": Severity::Error.name(),
            "attributes": [original],
        });
    };
    let severity = Severity::of(&members);
    let kind = text(&members, "kind").unwrap_or("unknown");
    let mut attributes = attributes(&members);
    attributes.push(original);
    let mut record = Map::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    put("eventName", json!(format!("gatewright.{kind}")));
    put("severityNumber", json!(severity.number()));
    put("severityText", json!(severity.name()));
    put("attributes", json!(attributes));
    if let Some(nanoseconds) = text(&members, "timestamp").and_then(nanoseconds) {
        put("timeUnixNano", json!(nanoseconds));
    }
    if let Some(trace) = text(&members, "trace_id").filter(|trace| is_trace(trace)) {
        put("traceId", json!(trace));
    }
    record.into()
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str)
}

/// Nanoseconds since 1970, as a 64-bit integer is written.
fn nanoseconds(timestamp: &str) -> Option<String> {
    let at: jiff::Timestamp = timestamp.parse().ok()?;
    Some(at.as_nanosecond().to_string())
}

/// 16 bytes in hexadecimal, and not all zeros.
fn is_trace(text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.len() == 32 && is_hex && text.bytes().any(|byte| byte != b'0')
}

/// How much a record calls for attention.
#[derive(Debug, Clone, Copy)]
enum Severity {
    Info,
    Warn,
    Error,
}

impl Severity {
    /// What was refused and what is strange is worth a look.
    fn of(members: &Map<String, Value>) -> Self {
        let is_denied = text(members, "decision") == Some("deny");
        match text(members, "kind") {
            _ if is_denied => Self::Warn,
            Some("anomaly" | "kill" | "authn") => Self::Warn,
            Some(_) | None => Self::Info,
        }
    }

    /// SeverityNumber of the logs data model.
    const fn number(self) -> u8 {
        match self {
            Self::Info => 9,
            Self::Warn => 13,
            Self::Error => 17,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}
