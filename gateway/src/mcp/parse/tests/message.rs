//! Which bodies are messages at all.

use super::{LEGACY, call, legacy, modern, read, reason};
use crate::mcp::call::{Message, Target};
use crate::mcp::method::Method;
use crate::mcp::version::{Era, Revision};
use crate::model::Reason;

#[test]
fn a_legacy_call_is_read() {
    let body = r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"g\u0065t","arguments":{"x": 1}}}"#;
    let read = legacy(body).unwrap();
    assert_eq!(
        (read.era, read.revision),
        (Era::Legacy, Revision::V2025_11_25)
    );
    let call = call(Ok(read));
    assert_eq!(call.id.as_json(), "\"a\"");
    assert_eq!(call.method, Method::ToolsCall);
    assert_eq!(&*call.method_name, "tools/call");
    assert_eq!(call.target, Target::Tool("get".into()));
    assert_eq!(body.get(call.arguments.unwrap()), Some(r#"{"x": 1}"#));
}

#[test]
fn q01_batches_are_refused_in_any_era() {
    for body in [
        "[]",
        " [1]",
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "[[]]",
    ] {
        assert_eq!(reason(legacy(body)), Reason::BatchRefused, "{body}");
        assert_eq!(
            reason(read(body.as_bytes(), modern("ping", None))),
            Reason::BatchRefused,
            "{body}"
        );
    }
}

#[test]
fn q14_text_that_is_no_strict_json_is_refused() {
    for body in [
        "",
        "{",
        "{\"a\":1}x",
        "{\"a\":NaN}",
        "\u{feff}{}",
        r#"{"a":"\ud800"}"#,
        r#"{"a":1e400}"#,
    ] {
        assert_eq!(reason(legacy(body)), Reason::JsonMalformed, "{body}");
    }
}

#[test]
fn q02_q03_q04_duplicate_keys_are_refused_wherever_they_stand() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":{"y":1,"y":2}}}}"#,
    ] {
        let refused = legacy(body).unwrap_err();
        assert_eq!(
            (refused.reason, refused.id),
            (Reason::JsonDuplicateKey, None),
            "{body}"
        );
    }
}

#[test]
fn q05_unknown_members_at_the_top_are_refused_in_any_spelling() {
    for key in [
        "extra",
        "Method",
        "METHOD",
        "PARAMS",
        "param\u{17f}",
        "Id",
        "jsonrpc\\u0000",
        "method\\u0000",
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","{key}":{{}}}}"#);
        assert_eq!(reason(legacy(&body)), Reason::RequestInvalid, "{key}");
    }
    assert!(legacy(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).is_ok());
}

#[test]
fn q13_another_version_of_json_rpc_is_refused() {
    for version in [
        "",
        r#""jsonrpc":"1.0","#,
        r#""jsonrpc":2.0,"#,
        r#""jsonrpc":["2.0"],"#,
        r#""jsonrpc":null,"#,
    ] {
        let body = format!(r#"{{{version}"id":1,"method":"ping"}}"#);
        let refused = legacy(&body).unwrap_err();
        assert_eq!(refused.reason, Reason::RequestInvalid, "{body}");
        assert_eq!(
            refused.id.unwrap().as_json(),
            "1",
            "the answer should name the request"
        );
    }
    assert!(legacy(r#"{"jsonrpc":"2\u002e0","id":1,"method":"ping"}"#).is_ok());
}

#[test]
fn q11_ids_that_are_no_integer_and_no_short_string_are_refused_without_an_id() {
    let long = format!("\"{}\"", "x".repeat(257));
    for id in [
        "null",
        "1.5",
        "true",
        "{}",
        "[]",
        "1e2",
        "-9223372036854775809",
        &long,
    ] {
        let refused =
            legacy(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).unwrap_err();
        assert_eq!(
            (refused.reason, refused.id),
            (Reason::RequestInvalid, None),
            "{id}"
        );
    }
    for id in ["0", "-5", "\"\"", "\"x\""] {
        assert!(
            legacy(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).is_ok(),
            "{id}"
        );
    }
}

#[test]
fn q10_a_request_without_an_id_is_refused() {
    for method in ["tools/call", "tools/list", "initialize", "resources/read"] {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{"name":"x"}}}}"#);
        assert_eq!(reason(legacy(&body)), Reason::RequestInvalid, "{method}");
    }
}

#[test]
fn a_notification_with_an_id_is_refused() {
    for method in ["notifications/initialized", "notifications/whatever"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
        assert_eq!(reason(legacy(&body)), Reason::RequestInvalid, "{method}");
    }
}

#[test]
fn notifications_are_read_known_or_not() {
    for (name, expected) in [
        ("notifications/initialized", Method::Initialized),
        ("notifications/whatever", Method::Unknown),
        ("whatever", Method::Unknown),
    ] {
        let read = legacy(&format!(r#"{{"jsonrpc":"2.0","method":"{name}"}}"#)).unwrap();
        assert_eq!(
            read.message,
            Message::Notification {
                method: expected,
                method_name: name.into(),
                cancels: None,
            }
        );
    }
}

#[test]
fn q31_a_cancellation_names_the_request_it_is_about_or_none() {
    for (params, expected) in [
        (r#"{"requestId":7}"#, Some("7")),
        (r#"{"requestId":"a","reason":"x"}"#, Some("\"a\"")),
        (r#"{"requestId":null}"#, None),
        (r#"{"requestId":1.5}"#, None),
        (r#"{"taskId":"t"}"#, None),
        ("{}", None),
    ] {
        let body =
            format!(r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{params}}}"#);
        let Message::Notification { cancels, .. } = legacy(&body).unwrap().message else {
            panic!("{params}");
        };
        assert_eq!(
            cancels.as_ref().map(crate::mcp::RequestId::as_json),
            expected,
            "{params}"
        );
    }
    let look_alike =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestid":7}}"#;
    assert_eq!(reason(legacy(look_alike)), Reason::ParamsInvalid);
}

#[test]
fn q09_an_unknown_method_is_read_as_unknown() {
    let call = call(legacy(
        r#"{"jsonrpc":"2.0","id":1,"method":"Tools/Call","params":{"name":"x"}}"#,
    ));
    assert_eq!(
        (call.method, &*call.method_name, call.target),
        (Method::Unknown, "Tools/Call", Target::None)
    );
}

#[test]
fn q09_a_method_that_is_no_short_plain_string_is_refused() {
    for method in [
        "1",
        "null",
        "[\"ping\"]",
        "\"ping\\u0000\"",
        &format!("\"{}\"", "x".repeat(129)),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":{method}}}"#);
        assert_eq!(reason(legacy(&body)), Reason::RequestInvalid, "{method}");
    }
}

#[test]
fn responses_belong_to_the_legacy_era() {
    for body in [
        r#"{"jsonrpc":"2.0","id":3,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":1,"message":"x"}}"#,
    ] {
        let Message::Response { id } = legacy(body).unwrap().message else {
            panic!("{body} is a response")
        };
        assert_eq!(id.as_json(), "3");
        assert_eq!(
            reason(read(body.as_bytes(), modern("x", None))),
            Reason::RequestInvalid
        );
    }
}

#[test]
fn messages_that_are_two_things_or_none_are_refused() {
    for body in [
        r#"{"jsonrpc":"2.0","id":3}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"ping","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"params":{},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":"x"}"#,
        r#"{"jsonrpc":"2.0","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{}}"#,
        "{}",
        "\"x\"",
        "1",
    ] {
        assert_eq!(reason(legacy(body)), Reason::RequestInvalid, "{body}");
    }
}

#[test]
fn q17_reading_costs_time_in_proportion_to_the_body() {
    let cost = |body: &[u8]| {
        let started = std::time::Instant::now();
        assert!(read(body, LEGACY).is_ok());
        started.elapsed()
    };
    let keys = |count: usize| {
        let keys: Vec<_> = (0..count).map(|n| format!("\"key{n:05}\":{n}")).collect();
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","arguments":{{{}}}}}}}"#,
            keys.join(",")
        )
    };
    let (small, large) = (keys(900), keys(9000));
    let best = |body: &str| (0..5).map(|_| cost(body.as_bytes())).min().unwrap();
    let (small, large) = (best(&small), best(&large));
    // Ten times the keys; comparing each with each would take a hundred times as long.
    assert!(
        large < small * 40,
        "{small:?} for 900 keys, {large:?} for 9000"
    );
}

/// Kibibytes that this process held at most since `clear_refs` was written.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.unwrap().trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}

#[test]
fn q17_reading_holds_less_than_two_bodies_beside_the_body() {
    let around = |value: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","arguments":{value}}}}}"#
        )
    };
    let megabytes = 10_usize;
    let numbers = "1,".repeat(megabytes * 500_000);
    for value in [
        format!("{{\"a\":\"{}\"}}", "\\u0041b".repeat(megabytes * 142_857)),
        format!("{{\"a\":[{numbers}1]}}"),
        format!("{{\"{}\":1}}", "k".repeat(megabytes * 1_000_000)),
    ] {
        let body = around(&value);
        drop(value);
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = peak();
        assert!(read(body.as_bytes(), LEGACY).is_ok());
        let held = peak().saturating_sub(before) * 1024;
        assert!(held < 2 * body.len(), "{held} bytes for {}", body.len());
    }
}
