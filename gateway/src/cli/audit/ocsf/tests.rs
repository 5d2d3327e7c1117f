//! The mapping against the lists of attributes of OCSF 1.8: none that is unknown, none that is required and missing.

use serde_json::{Map, Value, json};

use super::map;
use crate::cli::audit::export::Rest;

/// Of API Activity with the profiles `security_control`, `trace` and `ai_operation`, and of each object in it: what it may
/// have; a `!` marks what it must have.
const ATTRIBUTES: [(&str, &str); 15] = [
    (
        "",
        "activity_id! activity_name actor! action action_id ai_model api! authorizations category_name category_uid! \
         class_name class_uid! count disposition disposition_id dst_endpoint duration end_time http_request \
         http_response message metadata! policy raw_data resources severity severity_id! src_endpoint! start_time \
         status status_code status_detail status_id time! timezone_offset trace type_name type_uid! unmapped",
    ),
    (
        "metadata",
        "correlation_uid event_code labels log_level log_name log_provider log_version logged_time modified_time \
         original_time processed_time product! profiles sequence uid version!",
    ),
    ("metadata.product", "name uid vendor_name version"),
    (
        "actor",
        "app_name app_uid authorizations idp process session user",
    ),
    (
        "actor.user",
        "account credential_uid domain email_addr full_name groups name org type type_id uid uid_alt",
    ),
    ("actor.user.groups", "name! uid type desc domain privileges"),
    ("actor.authorizations", "decision policy"),
    (
        "actor.authorizations.policy",
        "name uid desc group is_applied version",
    ),
    (
        "api",
        "group operation! request response service token version",
    ),
    ("api.service", "name uid labels version"),
    ("api.token", "uid type type_id is_renewable is_mfa"),
    (
        "api.response",
        "code data error error_message flags message containers",
    ),
    (
        "resources",
        "uid name type labels owner group data namespace version",
    ),
    ("src_endpoint", "ip port hostname name uid"),
    (
        "trace",
        "uid! duration end_time flags service span start_time",
    ),
];

const AI_MODEL: &str = "ai_provider! name! uid version";

fn decision() -> Value {
    json!({
        "timestamp": "2026-11-22T14:32:00.123Z", "sub": "alice", "act": "agent-1", "action": "tools/call",
        "resource": "crm/refund", "decision": "deny", "token_id": "t-1", "scopes_used": ["crm:read"],
        "schema": "gatewright.audit/1", "event_id": "0196", "seq": 7, "kind": "decision",
        "subject": { "iss": "https://auth.test", "id": "alice", "type": "user", "roles": ["analyst"] },
        "actor": { "client_id": "agent-1", "chain": [{ "sub": "a" }], "client_name": "desk", "client_asserted": true },
        "model": { "name": "claude-x", "source": "claim" },
        "mcp": { "method": "tools/call", "name": "refund", "protocol_version": "2026-07-28", "server": "crm", "jsonrpc_id": 1 },
        "authn": { "scheme": "bearer", "result": "ok", "token_exp": 1, "scopes": ["crm:read"] },
        "policy": { "ids": ["roles.analyst.crm[1]"], "digest": "00", "mode": "enforce" },
        "reason": { "code": "tool_not_allowed", "message": "no", "missing_scopes": ["x"] },
        "source": { "ip": "127.0.0.1", "port": 4711 }, "request_id": "r-1", "trace_id": "4bf9",
        "gateway": { "instance": "gw", "version": "0.1.0", "config": "00" },
        "integrity": { "prev": "00", "hash": "11" },
    })
}

fn mapped(record: &Value) -> Option<Value> {
    map(Rest(record.as_object().unwrap().clone()))
}

fn check(place: &str, object: &Map<String, Value>, attributes: &str) {
    for name in object.keys() {
        let is_known = attributes
            .split_whitespace()
            .any(|known| known.trim_end_matches('!') == name);
        assert!(is_known, "{place} has no `{name}`");
    }
    for required in attributes
        .split_whitespace()
        .filter_map(|name| name.strip_suffix('!'))
    {
        assert!(object.contains_key(required), "{place} needs `{required}`");
    }
}

/// Every object at this place: those in a list too.
fn at<'v>(event: &'v Value, place: &str) -> Vec<&'v Map<String, Value>> {
    let mut found = vec![event];
    for name in place.split('.').filter(|name| !name.is_empty()) {
        found = found
            .iter()
            .filter_map(|value| value.get(name))
            .flat_map(|value| {
                value
                    .as_array()
                    .map_or_else(|| vec![value], |all| all.iter().collect())
            })
            .collect();
    }
    found
        .iter()
        .map(|value| value.as_object().unwrap())
        .collect()
}

#[test]
fn an_event_has_every_attribute_that_its_class_demands_and_no_other() {
    let mut outcome = decision();
    outcome["kind"] = json!("outcome");
    outcome["outcome"] = json!({ "http_status": 200, "jsonrpc_error": -32602, "duration_ms": 1.5 });
    for member in ["decision", "reason", "policy"] {
        outcome.as_object_mut().unwrap().remove(member);
    }
    let mut stranger = decision();
    stranger["kind"] = json!("authn");
    for member in [
        "sub", "act", "subject", "actor", "model", "mcp", "policy", "action", "resource",
        "token_id",
    ] {
        stranger.as_object_mut().unwrap().remove(member);
    }
    for record in [decision(), outcome, stranger] {
        let event = mapped(&record).unwrap();
        for (place, attributes) in ATTRIBUTES {
            for object in at(&event, place) {
                check(place, object, attributes);
            }
        }
        for object in at(&event, "ai_model") {
            check("ai_model", object, AI_MODEL);
        }
    }
}

#[test]
fn a_refused_call_says_who_did_what_and_why_it_was_refused() {
    let event = mapped(&decision()).unwrap();
    assert_eq!(event["type_uid"], 600_399);
    assert_eq!(event["time"], 1_795_357_920_123_u64);
    assert_eq!(event["actor"]["user"]["uid"], "alice");
    assert_eq!(event["actor"]["app_uid"], "agent-1");
    assert_eq!(
        event["actor"]["authorizations"][0]["policy"]["uid"],
        "roles.analyst.crm[1]"
    );
    assert_eq!(event["ai_model"]["name"], "claude-x");
    assert_eq!(event["api"]["operation"], "tools/call");
    assert_eq!(event["api"]["service"]["name"], "crm");
    assert_eq!(
        (&event["action_id"], &event["disposition_id"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(
        (&event["status_id"], &event["status_code"]),
        (&json!(2), &json!("tool_not_allowed"))
    );
    assert_eq!(event["src_endpoint"]["ip"], "127.0.0.1");
}

#[test]
fn what_has_no_attribute_is_in_unmapped_and_nothing_is_lost() {
    let event = mapped(&decision()).unwrap();
    let rest = &event["unmapped"];
    assert_eq!(
        rest["model"]["source"], "claim",
        "a claimed name must not look like a known one"
    );
    assert_eq!(rest["actor"]["client_asserted"], true);
    assert_eq!(rest["authn"]["scopes"], json!(["crm:read"]));
    assert_eq!(rest["integrity"]["hash"], "11");
    assert_eq!(rest["scopes_used"], json!(["crm:read"]));
    assert_eq!(rest["reason"]["missing_scopes"], json!(["x"]));
    assert!(rest.get("timestamp").is_none());
}

#[test]
fn what_is_not_about_a_request_is_no_api_activity() {
    for kind in ["lifecycle", "config", "checkpoint", "anomaly"] {
        let mut record = decision();
        record["kind"] = json!(kind);
        assert_eq!(mapped(&record), None, "{kind}");
    }
}
