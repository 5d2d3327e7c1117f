//! The mapping against the field lists of the Elastic Common Schema: none that is unknown, and closed lists kept.

use serde_json::{Map, Value, json};

use super::map;
use crate::cli::audit::export::Rest;

const FIELDS: &str = "@timestamp ecs.version event.kind event.category event.type event.action event.outcome event.reason \
    event.id event.sequence event.dataset event.module event.duration message user.id user.domain user.roles source.ip \
    source.port service.name service.type service.version service.node.name rule.id rule.ruleset trace.id \
    http.request.id http.response.status_code gen_ai.agent.id gen_ai.request.model gen_ai.tool.name";
const CATEGORIES: &str = "api authentication configuration iam intrusion_detection";
const TYPES: &str = "allowed denied end change info";

fn decision() -> Value {
    json!({
        "timestamp": "2026-11-22T14:32:00.123Z", "sub": "alice", "act": "agent-1", "action": "tools/call",
        "resource": "crm/refund", "decision": "deny", "schema": "gatewright.audit/1", "event_id": "0196", "seq": 7,
        "kind": "decision", "subject": { "iss": "https://auth.test", "id": "alice", "type": "user", "roles": ["analyst"] },
        "model": { "name": "claude-x", "source": "claim" },
        "mcp": { "method": "tools/call", "name": "refund", "server": "crm" },
        "policy": { "ids": ["a"], "digest": "00", "mode": "enforce" }, "reason": { "code": "tool_not_allowed", "message": "no" },
        "source": { "ip": "127.0.0.1", "port": 4711 }, "request_id": "r-1", "trace_id": "4bf9",
        "gateway": { "instance": "gw", "version": "0.1.0", "config": "00" },
    })
}

fn mapped(record: &Value) -> Value {
    map(Rest(record.as_object().unwrap().clone()))
}

/// The names of all fields with dots.
fn fields(prefix: &str, members: &Map<String, Value>, found: &mut Vec<String>) {
    for (name, value) in members {
        match value {
            Value::Object(inner) => fields(&format!("{prefix}{name}."), inner, found),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => found.push(format!("{prefix}{name}")),
        }
    }
}

#[test]
fn a_document_has_no_field_that_the_schema_does_not_know() {
    let mut outcome = decision();
    outcome["kind"] = json!("outcome");
    outcome["outcome"] = json!({ "http_status": 200, "duration_ms": 1.5 });
    outcome.as_object_mut().unwrap().remove("decision");
    let start = json!({ "timestamp": "t", "action": "start", "kind": "lifecycle", "gateway": { "instance": "gw" } });
    for record in [decision(), outcome, start] {
        let mut document = mapped(&record);
        document.as_object_mut().unwrap().remove("gatewright");
        let mut found = Vec::new();
        fields("", document.as_object().unwrap(), &mut found);
        for field in found {
            assert!(
                FIELDS.split_whitespace().any(|known| known == field),
                "{field}"
            );
        }
        let event = &document["event"];
        for (field, known) in [("category", CATEGORIES), ("type", TYPES)] {
            let value = event[field][0].as_str().unwrap();
            assert!(
                known.split_whitespace().any(|known| known == value),
                "{field}: {value}"
            );
        }
    }
}

#[test]
fn a_refused_call_says_who_did_what_and_why_it_was_refused() {
    let document = mapped(&decision());
    assert_eq!(document["user"]["id"], "alice");
    assert_eq!(document["gen_ai"]["agent"]["id"], "agent-1");
    assert_eq!(document["gen_ai"]["tool"]["name"], "refund");
    assert_eq!(document["event"]["outcome"], "failure");
    assert_eq!(document["event"]["reason"], "tool_not_allowed");
    assert_eq!(document["gatewright"]["model"]["source"], "claim");
    assert_eq!(document["gatewright"]["resource"], "crm/refund");
}

#[test]
fn the_time_of_an_outcome_is_in_nanoseconds() {
    let record = json!({ "timestamp": "t", "kind": "outcome", "outcome": { "http_status": 500, "duration_ms": 1.5 } });
    let event = &mapped(&record)["event"];
    assert_eq!(
        (&event["duration"], &event["outcome"]),
        (&json!(1_500_000), &json!("failure"))
    );
}
