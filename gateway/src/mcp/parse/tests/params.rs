//! What `params` may hold and what is taken out of them.

use serde_json::{Value, json};

use super::{LEGACY, call, legacy, read, reason, request};
use crate::mcp::bounds::Bounds;
use crate::mcp::call::{Read, Refused, Target};
use crate::model::Reason;

#[test]
fn q05_keys_of_params_that_look_like_known_ones_are_refused() {
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
fn q08_params_that_are_no_object_are_refused() {
    for params in ["null", "[]", "\"x\"", "1"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        assert_eq!(reason(legacy(&body)), Reason::ParamsInvalid, "{params}");
    }
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":[]}}"#;
    assert_eq!(reason(legacy(body)), Reason::ParamsInvalid);
}

#[test]
fn q07_targets_that_are_no_plain_short_strings_are_refused() {
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
fn s02_every_method_finds_its_target() {
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
fn s02_s10_references_and_subscriptions_of_another_shape_are_refused() {
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
fn q08_arguments_are_an_object_or_absent() {
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
        "gatewright/prompt": "prompts/7",
        "io.modelcontextprotocol/clientInfo": { "name": "é".repeat(600) },
        "traceparent": format!("00-{trace}-00f067aa0ba902b7-01"),
    }));
    assert_eq!(good.prompt.as_deref(), Some("prompts/7"));
    assert!(good.meta.is_some());
    assert_eq!(good.client_name.as_deref(), Some("é".repeat(514).as_str()));
    assert_eq!(good.trace_id.as_deref(), Some(trace));
    for prompt in [json!("a b"), json!(""), json!("x".repeat(129)), json!(1)] {
        assert_eq!(
            with(json!({ "gatewright/prompt": prompt })).prompt,
            None,
            "{prompt}"
        );
    }
}

fn with_meta(meta: &Value) -> Result<Read, Refused> {
    let params = json!({ "name": "a", "_meta": meta });
    read(&request("tools/call", &params), LEGACY)
}

#[test]
fn q26_keys_of_the_gateway_itself_are_refused() {
    for key in [
        "gatewright/principal",
        "gatewright/approval",
        "gatewright/",
        "gatewright/Model",
        "Gatewright/model",
        "GATEWRIGHT/X",
        "gatewrIGHT/model\0",
    ] {
        let outcome = with_meta(&json!({ key: "x" }));
        assert_eq!(reason(outcome), Reason::ParamsInvalid, "{key}");
    }
    for key in [
        "gatewright/model",
        "gatewright/prompt",
        "gatewright",
        "x.gatewright/principal",
        "progressToken",
    ] {
        assert!(with_meta(&json!({ key: "x" })).is_ok(), "{key}");
    }
}

#[test]
fn q27_trace_fields_that_are_malformed_or_too_long_are_refused() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (key, bad) in [
        ("traceparent", json!(parent.to_uppercase())),
        ("traceparent", json!(format!("{parent}\r\nX: y"))),
        ("traceparent", json!(1)),
        ("tracestate", json!("a")),
        ("tracestate", json!(null)),
        ("baggage", json!("a=b\n")),
        ("baggage", json!(format!("a={}", "b".repeat(8191)))),
        ("baggage", json!({})),
        ("Traceparent", json!(parent)),
        ("BAGGAGE", json!("a=b")),
    ] {
        let outcome = with_meta(&json!({ key: bad }));
        assert_eq!(reason(outcome), Reason::ParamsInvalid, "{key} {bad}");
    }
    let good = json!({
        "traceparent": parent,
        "tracestate": "a=b,c=d",
        "baggage": format!("a={}", "b".repeat(8190)),
    });
    assert!(with_meta(&good).is_ok());
}

#[test]
fn limit_subscriptions_at_and_past_the_bound() {
    let bounds = Bounds {
        subscriptions: 3,
        ..Bounds::default()
    };
    let listen = |resources: usize, tasks: usize| {
        let notifications = json!({
            "resourceSubscriptions": vec!["a://b"; resources],
            "taskIds": vec!["t"; tasks],
        });
        let body = request(
            "subscriptions/listen",
            &json!({ "notifications": notifications }),
        );
        crate::mcp::parse::read(&body, LEGACY, bounds)
    };
    for (resources, tasks) in [(2, 0), (3, 0), (0, 2), (0, 3), (1, 1), (2, 1)] {
        assert!(listen(resources, tasks).is_ok(), "{resources} {tasks}");
    }
    for (resources, tasks) in [(4, 0), (0, 4), (2, 2)] {
        let outcome = listen(resources, tasks);
        assert_eq!(
            reason(outcome),
            Reason::ParamsInvalid,
            "{resources} {tasks}"
        );
    }
    assert_eq!(Bounds::default().subscriptions, 256);
}
