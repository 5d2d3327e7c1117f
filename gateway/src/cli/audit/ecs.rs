//! Records in the Elastic Common Schema. What has no field there stands under `gatewright`.

use serde_json::{Value, json};

use super::export::{Rest, object};

/// The document that a record is.
pub(super) fn map(mut rest: Rest) -> Value {
    let document = object([
        ("@timestamp", rest.take("timestamp")),
        ("ecs", Some(json!({ "version": "8.17.0" }))),
        ("event", event(&mut rest)),
        ("message", rest.part("reason", "message")),
        ("user", user(&mut rest)),
        ("source", source(&mut rest)),
        ("service", service(&mut rest)),
        ("rule", rule(&mut rest)),
        ("trace", object([("id", rest.take("trace_id"))])),
        ("http", http(&mut rest)),
        ("gen_ai", model(&mut rest)),
        ("gatewright", Some(Value::Object(rest.0))),
    ]);
    document.unwrap_or_default()
}

fn event(rest: &mut Rest) -> Option<Value> {
    let kind = rest.text("kind").to_owned();
    let decision = rest.text("decision").to_owned();
    let code = rest.part("reason", "code");
    object([
        (
            "kind",
            Some(json!(if kind == "anomaly" { "alert" } else { "event" })),
        ),
        ("category", Some(json!([category(&kind)]))),
        ("type", Some(json!([what(&kind, &decision)]))),
        ("action", rest.take("action")),
        ("outcome", Some(json!(outcome(&kind, &decision, rest)))),
        ("reason", code),
        ("id", rest.take("event_id")),
        ("sequence", rest.take("seq")),
        ("dataset", Some(json!("gatewright.audit"))),
        ("module", Some(json!("gatewright"))),
        ("duration", duration(rest)),
    ])
}

fn category(kind: &str) -> &'static str {
    match kind {
        "authn" => "authentication",
        "config" | "lifecycle" | "checkpoint" => "configuration",
        "approval" | "kill" => "iam",
        "anomaly" => "intrusion_detection",
        _ => "api",
    }
}

fn what(kind: &str, decision: &str) -> &'static str {
    match (kind, decision) {
        (_, "allow") => "allowed",
        (_, "deny" | "step_up" | "pending") => "denied",
        ("outcome", _) => "end",
        ("config" | "kill" | "approval", _) => "change",
        _ => "info",
    }
}

fn outcome(kind: &str, decision: &str, rest: &Rest) -> &'static str {
    let failed = rest.0.get("outcome").is_some_and(|outcome| {
        let code = outcome.get("http_status").and_then(Value::as_u64);
        outcome.get("jsonrpc_error").is_some()
            || outcome.get("is_error") == Some(&Value::Bool(true))
            || code.is_none_or(|code| code >= 400)
    });
    match (kind, decision) {
        (_, "allow") => "success",
        (_, "deny" | "step_up" | "pending") => "failure",
        ("outcome", _) if failed => "failure",
        ("outcome", _) => "success",
        _ => "unknown",
    }
}

/// In nanoseconds.
fn duration(rest: &mut Rest) -> Option<Value> {
    let millis = rest.part("outcome", "duration_ms")?.as_f64()?;
    let nanos = std::time::Duration::try_from_secs_f64(millis / 1000.0).ok()?;
    u64::try_from(nanos.as_nanos())
        .ok()
        .map(|nanos| json!(nanos))
}

fn user(rest: &mut Rest) -> Option<Value> {
    let id = rest.part("subject", "id").or_else(|| rest.take("sub"));
    rest.take("sub");
    object([
        ("id", id),
        ("domain", rest.part("subject", "iss")),
        ("roles", rest.part("subject", "roles")),
    ])
}

fn source(rest: &mut Rest) -> Option<Value> {
    object([
        ("ip", rest.part("source", "ip")),
        ("port", rest.part("source", "port")),
    ])
}

fn service(rest: &mut Rest) -> Option<Value> {
    let instance = object([("name", rest.part("gateway", "instance"))]);
    object([
        ("name", rest.part("mcp", "server")),
        ("type", Some(json!("gatewright"))),
        ("version", rest.part("gateway", "version")),
        ("node", instance),
    ])
}

fn rule(rest: &mut Rest) -> Option<Value> {
    object([
        ("id", rest.part("policy", "ids")),
        ("ruleset", rest.part("policy", "digest")),
    ])
}

fn http(rest: &mut Rest) -> Option<Value> {
    let response = object([("status_code", rest.part("outcome", "http_status"))]);
    let request = object([("id", rest.take("request_id"))]);
    object([("request", request), ("response", response)])
}

fn model(rest: &mut Rest) -> Option<Value> {
    let is_tool = rest.0.get("mcp").and_then(|mcp| mcp.get("method")) == Some(&json!("tools/call"));
    let tool = if is_tool {
        rest.part("mcp", "name")
    } else {
        None
    };
    object([
        ("agent", object([("id", rest.take("act"))])),
        ("request", object([("model", rest.part("model", "name"))])),
        ("tool", object([("name", tool)])),
    ])
}

#[cfg(test)]
mod tests;
