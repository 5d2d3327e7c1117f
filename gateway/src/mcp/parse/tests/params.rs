//! What `params` may hold and what is taken out of them.

use serde_json::{Value, json};

use super::{LEGACY, call, legacy, reason, request};
use crate::mcp::call::Target;
use crate::mcp::parse::read;
use crate::model::Reason;

#[test]
fn keys_of_params_that_look_like_known_ones_are_refused() {
    for key in [
        "Name",
        "URI",
        "_META",
        "tas\u{212a}Id",
        "argument\u{17f}",
        "name\\u0000",
        "RequestState",
        "Task",
    ] {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","{key}":"b"}}}}"#
        );
        assert_eq!(reason(legacy(&body)), Reason::ParamsInvalid, "{key}");
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","title":"b","task":{}}}"#;
    assert!(legacy(body).is_ok());
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/ProtocolVersion":"2026-07-28"}}}"#;
    assert_eq!(reason(legacy(body)), Reason::ParamsInvalid);
}

#[test]
fn params_that_are_no_object_are_refused() {
    for params in ["null", "[]", "\"x\"", "1"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        assert_eq!(reason(legacy(&body)), Reason::ParamsInvalid, "{params}");
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":[]}}"#;
    assert_eq!(reason(legacy(body)), Reason::ParamsInvalid);
}

#[test]
fn targets_that_are_no_plain_short_strings_are_refused() {
    let long = json!("x".repeat(4097));
    for bad in [
        json!(null),
        json!(["a"]),
        json!({}),
        json!(1),
        json!(""),
        json!("a\0b"),
        json!("a\n"),
        json!("\u{85}"),
        long,
    ] {
        for (method, key) in [
            ("tools/call", "name"),
            ("prompts/get", "name"),
            ("resources/read", "uri"),
            ("tasks/get", "taskId"),
        ] {
            let body = request(method, &json!({ key: bad }));
            assert_eq!(
                reason(read(&body, LEGACY)),
                Reason::ParamsInvalid,
                "{method} {bad}"
            );
        }
    }
    assert_eq!(
        reason(legacy(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#)),
        Reason::ParamsInvalid
    );
    assert!(
        read(
            &request("tools/call", &json!({ "name": "x".repeat(4096) })),
            LEGACY
        )
        .is_ok()
    );
}

#[test]
fn every_method_finds_its_target() {
    let uri: Box<str> = "a://b".into();
    let prompt = json!({ "ref": { "type": "ref/prompt", "name": "p" } });
    let template = json!({ "ref": { "type": "ref/resource", "uri": "a://b" } });
    let listen = json!({ "notifications": { "toolsListChanged": true, "resourceSubscriptions": ["a://b"] } });
    for (method, params, expected) in [
        (
            "prompts/get",
            json!({ "name": "p" }),
            Target::Prompt("p".into()),
        ),
        (
            "resources/read",
            json!({ "uri": "a://b" }),
            Target::Resource(uri.clone()),
        ),
        (
            "resources/subscribe",
            json!({ "uri": "a://b" }),
            Target::Resource(uri.clone()),
        ),
        (
            "resources/unsubscribe",
            json!({ "uri": "a://b" }),
            Target::Resource(uri.clone()),
        ),
        ("completion/complete", prompt, Target::Prompt("p".into())),
        (
            "completion/complete",
            template,
            Target::Resource(uri.clone()),
        ),
        ("subscriptions/listen", listen, Target::Resources(vec![uri])),
        (
            "subscriptions/listen",
            json!({ "notifications": {} }),
            Target::Resources(vec![]),
        ),
        (
            "tasks/cancel",
            json!({ "taskId": "t" }),
            Target::Task("t".into()),
        ),
        ("tools/list", json!({ "cursor": "" }), Target::None),
    ] {
        assert_eq!(
            call(read(&request(method, &params), LEGACY)).target,
            expected,
            "{method}"
        );
    }
}

#[test]
fn references_and_subscriptions_of_another_shape_are_refused() {
    for (method, params) in [
        ("completion/complete", json!({})),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/tool", "name": "p" } }),
        ),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "uri": "p" } }),
        ),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/prompt", "name": "p", "Name": "q" } }),
        ),
        ("subscriptions/listen", json!({})),
        ("subscriptions/listen", json!({ "notifications": [] })),
        (
            "subscriptions/listen",
            json!({ "notifications": { "resourceSubscriptions": "a://b" } }),
        ),
        (
            "subscriptions/listen",
            json!({ "notifications": { "resourceSubscriptions": ["a", 1] } }),
        ),
        (
            "subscriptions/listen",
            json!({ "notifications": { "resourceSubscriptions": [""] } }),
        ),
        (
            "subscriptions/listen",
            json!({ "notifications": { "ResourceSubscriptions": ["a"] } }),
        ),
        (
            "subscriptions/listen",
            json!({ "notifications": { "TaskIds": ["a"] } }),
        ),
        (
            "subscriptions/listen",
            json!({ "notifications": { "taskIds": "a" } }),
        ),
    ] {
        assert_eq!(
            reason(read(&request(method, &params), LEGACY)),
            Reason::ParamsInvalid,
            "{method} {params}"
        );
    }
}

#[test]
fn arguments_are_an_object_or_absent() {
    for bad in [json!([]), json!("x"), json!(1)] {
        let body = request("tools/call", &json!({ "name": "a", "arguments": bad }));
        assert_eq!(reason(read(&body, LEGACY)), Reason::ParamsInvalid, "{bad}");
    }
    let body = request("tools/call", &json!({ "name": "a", "arguments": null }));
    assert_eq!(call(read(&body, LEGACY)).arguments, None);
}

#[test]
fn what_the_client_asserts_is_kept_within_bounds() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let with = |meta: Value| {
        call(read(
            &request("tools/call", &json!({ "name": "a", "_meta": meta })),
            LEGACY,
        ))
    };
    let good = with(json!({
        "gatewright/model": "vendor/model-1",
        "io.modelcontextprotocol/clientInfo": { "name": "é".repeat(40) },
        "traceparent": format!("00-{trace}-00f067aa0ba902b7-01"),
    }));
    assert_eq!(good.model.as_deref(), Some("vendor/model-1"));
    assert_eq!(good.client_name.as_deref(), Some("é".repeat(32).as_str()));
    assert_eq!(good.trace_id.as_deref(), Some(trace));
    for model in [json!("a b"), json!(""), json!("x".repeat(129)), json!(1)] {
        assert_eq!(
            with(json!({ "gatewright/model": model })).model,
            None,
            "{model}"
        );
    }
    for traceparent in [
        format!("ff-{trace}-00f067aa0ba902b7-01"),
        format!("00-{trace}-00f067aa0ba902b7-01-x"),
        format!("00-{trace}-0000000000000000-01"),
        format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
        trace.to_owned(),
    ] {
        assert_eq!(
            with(json!({ "traceparent": traceparent })).trace_id,
            None,
            "{traceparent}"
        );
    }
}
