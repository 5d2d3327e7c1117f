//! Records as events of OCSF 1.8, class API Activity (6003), with the profiles security_control, trace and ai_operation. Only
//! records about requests: the class asks for an actor and where it came from.

use serde_json::{Value, json};

use super::export::{Rest, object};

/// The event that a record is; nothing for records of another kind.
pub(super) fn map(mut rest: Rest) -> Option<Value> {
    let kind = rest.text("kind").to_owned();
    if !matches!(&*kind, "decision" | "outcome" | "authn") || !rest.0.contains_key("source") {
        return None;
    }
    let decision = rest.take("decision");
    let (action, disposition) = verdict(decision.as_ref().and_then(Value::as_str));
    let status = status(&kind, &rest, action);
    let time = rest.text("timestamp").parse::<jiff::Timestamp>().ok();
    let roles = rest.part("subject", "roles");
    object([
        ("category_uid", Some(json!(6))),
        ("class_uid", Some(json!(6003))),
        ("activity_id", Some(json!(99))),
        ("activity_name", Some(json!(kind))),
        ("type_uid", Some(json!(600_399))),
        ("severity_id", Some(json!(1))),
        ("time", time.map(|time| json!(time.as_millisecond()))),
        ("metadata", metadata(&mut rest)),
        ("status_id", Some(json!(status))),
        ("status_code", rest.part("reason", "code")),
        ("message", rest.part("reason", "message")),
        ("action_id", Some(json!(action))),
        ("disposition_id", Some(json!(disposition))),
        (
            "actor",
            Some(actor(&mut rest, decision.as_ref(), roles.as_ref())),
        ),
        ("api", Some(api(&mut rest))),
        ("resources", resources(&mut rest)),
        ("src_endpoint", source(&mut rest)),
        ("trace", object([("uid", rest.take("trace_id"))])),
        ("ai_model", model(&mut rest)),
        ("unmapped", Some(Value::Object(rest.0))),
    ])
}

/// `action_id` and `disposition_id`.
fn verdict(decision: Option<&str>) -> (u8, u8) {
    match decision {
        Some("allow") => (ALLOWED, 1),
        Some("deny") => (DENIED, 2),
        Some("step_up") => (DENIED, 23),
        Some("pending") => (DENIED, 14),
        _ => (0, 0),
    }
}

/// `status_id`: what became of the request.
fn status(kind: &str, rest: &Rest, action: u8) -> u8 {
    let outcome = rest.0.get("outcome");
    let has_failed = outcome.is_some_and(|outcome| {
        let code = outcome.get("http_status").and_then(Value::as_u64);
        outcome.get("jsonrpc_error").is_some()
            || outcome.get("is_error") == Some(&Value::Bool(true))
            || code.is_none_or(|code| code >= 400)
    });
    match (kind, action) {
        ("outcome", _) if has_failed => 2,
        (_, DENIED) => 2,
        _ => 1,
    }
}

fn metadata(rest: &mut Rest) -> Option<Value> {
    let product = object([
        ("name", Some(json!("Gatewright"))),
        ("vendor_name", Some(json!("Gatewright"))),
        ("version", rest.part("gateway", "version")),
    ]);
    object([
        ("version", Some(json!("1.8.0"))),
        ("product", product),
        (
            "profiles",
            Some(json!(["security_control", "trace", "ai_operation"])),
        ),
        ("uid", rest.take("event_id")),
        ("correlation_uid", rest.take("request_id")),
        ("sequence", rest.take("seq")),
        ("log_name", rest.take("schema")),
        ("log_provider", rest.part("gateway", "instance")),
        ("event_code", rest.take("kind")),
        ("original_time", rest.take("timestamp")),
    ])
}

fn actor(rest: &mut Rest, decision: Option<&Value>, roles: Option<&Value>) -> Value {
    let kind = match rest
        .part("subject", "type")
        .as_ref()
        .and_then(Value::as_str)
    {
        Some("user") => 1,
        Some("service") => 4,
        Some("agent") => 99,
        _ => 0,
    };
    let groups = roles.and_then(Value::as_array).map(|roles| {
        let groups = roles.iter().map(|role| json!({ "name": role }));
        groups.collect::<Value>()
    });
    let subject = rest.part("subject", "id").or_else(|| rest.take("sub"));
    rest.take("sub");
    let user = object([
        ("uid", Some(subject.unwrap_or_else(|| json!("unknown")))),
        ("domain", rest.part("subject", "iss")),
        ("type_id", Some(json!(kind))),
        ("groups", groups),
    ]);
    let policies = rest.part("policy", "ids").unwrap_or_default();
    let policies = policies.as_array().map_or(&[][..], Vec::as_slice);
    let authorizations: Vec<_> = policies
        .iter()
        .filter_map(|id| {
            let policy = Some(json!({ "uid": id }));
            object([("decision", decision.cloned()), ("policy", policy)])
        })
        .collect();
    let authorizations = (!authorizations.is_empty()).then(|| json!(authorizations));
    let client = rest.part("actor", "client_id");
    let app = client.or_else(|| rest.0.get("act").cloned());
    let shown = object([
        ("user", user),
        ("app_uid", app),
        ("app_name", rest.part("actor", "client_name")),
        ("authorizations", authorizations),
    ]);
    shown.unwrap_or_default()
}

fn api(rest: &mut Rest) -> Value {
    let operation = rest.take("action").unwrap_or_else(|| json!("unknown"));
    let server = rest.part("mcp", "server");
    let error = rest.part("outcome", "jsonrpc_error");
    let shown = object([
        ("operation", Some(operation)),
        ("service", object([("name", server)])),
        ("version", rest.part("mcp", "protocol_version")),
        ("token", object([("uid", rest.take("token_id"))])),
        (
            "response",
            object([
                ("code", rest.part("outcome", "http_status")),
                ("error", error.map(|error| json!(error.to_string()))),
            ]),
        ),
    ]);
    shown.unwrap_or_default()
}

fn resources(rest: &mut Rest) -> Option<Value> {
    let resource = object([
        ("uid", rest.take("resource")),
        ("name", rest.part("mcp", "name")),
    ]);
    resource.map(|resource| json!([resource]))
}

fn source(rest: &mut Rest) -> Option<Value> {
    object([
        ("ip", rest.part("source", "ip")),
        ("port", rest.part("source", "port")),
    ])
}

fn model(rest: &mut Rest) -> Option<Value> {
    let name = rest.part("model", "name")?;
    let provider = rest.part("model", "provider");
    object([
        ("name", Some(name)),
        // The object asks for one; who says so stays in `unmapped`.
        (
            "ai_provider",
            Some(provider.unwrap_or_else(|| json!("unknown"))),
        ),
        ("version", rest.part("model", "version")),
    ])
}

const ALLOWED: u8 = 1;
const DENIED: u8 = 2;

#[cfg(test)]
mod tests;
