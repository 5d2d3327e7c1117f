//! What a client says beside the call: words of the gateway's own, traces, arguments in the head.

use super::{Case, META, assert_refused, modern_call, modern_lines};
use crate::wire::{Lines, Wire};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A modern call with this member more in its `_meta`.
fn with_meta(member: &str) -> String {
    let inside = META.strip_suffix('}').unwrap();
    modern_call("{}").replace(META, &format!("{inside},{member}}}"))
}

async fn refused(members: &[(&'static str, String)]) {
    let cases = members.iter().map(|(what, member)| {
        let case = Case::new(what, modern_lines(), with_meta(member));
        case.is(-32602, "params_invalid").id(7)
    });
    assert_refused(cases.collect()).await;
}

#[tokio::test]
async fn q26_words_of_the_gateway_in_meta_never_arrive() {
    let named = |key: &str| format!("\"{key}\":\"x\"");
    refused(&[
        ("a principal", named("gatewright/principal")),
        ("an approval", named("gatewright/approval_id")),
        ("in other case", named("Gatewright/principal")),
        ("escaped", named("\\u0067atewright/role")),
        ("the model in other case", named("gatewright/Model")),
    ])
    .await;
    let wire = Wire::start().await;
    let model = with_meta(&named("gatewright/model"));
    let answer = wire.post(&modern_lines(), model.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(wire.upstream.arrived()[0].body, model);
}

#[tokio::test]
async fn q27_a_bad_trace_in_meta_never_arrives() {
    let long = "a=".to_owned() + &"b".repeat(1 << 20);
    refused(&[
        (
            "a parent of another form",
            r#""traceparent":"00-1-2-3""#.into(),
        ),
        ("a parent that is a number", r#""traceparent":1"#.into()),
        (
            "a state with a line end",
            r#""tracestate":"a=b\r\nX: y""#.into(),
        ),
        ("baggage of a megabyte", format!("\"baggage\":\"{long}\"")),
        ("baggage in other case", r#""Baggage":"a=b""#.into()),
    ])
    .await;
    let wire = Wire::start().await;
    let good = with_meta(&format!(
        "\"traceparent\":\"{PARENT}\",\"tracestate\":\"a=b\",\"baggage\":\"user=alice\""
    ));
    let answer = wire.post(&modern_lines(), good.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(wire.upstream.arrived()[0].body, good);
}

/// In the head a bad trace is nobody's fault that could be told: it goes no further.
#[tokio::test]
async fn q27_a_bad_trace_in_the_head_is_left_behind_and_a_good_one_goes_on() {
    let wire = Wire::start().await;
    let long = "a=".to_owned() + &"b".repeat(8191);
    let longest = "a=".to_owned() + &"b".repeat(8190);
    let shout = PARENT.to_uppercase();
    for (name, value, goes_on) in [
        ("traceparent", PARENT, true),
        ("traceparent", "00-1-2-3", false),
        ("traceparent", &*shout, false),
        ("tracestate", "vendor=1", true),
        ("tracestate", "no pairs", false),
        ("baggage", "user=alice;p", true),
        ("baggage", "user", false),
        ("baggage", &*longest, true),
        ("baggage", &*long, false),
    ] {
        let lines = modern_lines().plus(name, value);
        let answer = wire.post(&lines, modern_call("{}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let arrived = wire.upstream.arrived().pop().unwrap();
        assert_eq!(arrived.header(name), goes_on.then_some(value), "{name}");
    }
    let twice = modern_lines().plus("traceparent", PARENT);
    let twice = twice.plus("traceparent", PARENT);
    let answer = wire.post(&twice, modern_call("{}")).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let arrived = wire.upstream.arrived().pop().unwrap();
    assert_eq!(arrived.header("traceparent"), None);
}

#[tokio::test]
async fn q28_arguments_in_the_head_come_once_and_readable_or_never_arrive() {
    let region = |value: &str| modern_lines().plus("mcp-param-region", value);
    let cases = [
        ("twice", region("eu").plus("mcp-param-region", "eu")),
        ("two values", region("eu").plus("mcp-param-region", "us")),
        ("base64 without its end", region("=?base64?w6k?=")),
        ("no base64", region("=?base64?!?=")),
        ("no utf-8", region("=?base64?/w==?=")),
    ];
    let cases = cases.map(|(what, lines)| {
        let case = Case::new(what, lines, modern_call("{}"));
        case.is(-32020, "header_mismatch")
    });
    assert_refused(cases.into()).await;

    let wire = Wire::start().await;
    for value in ["eu", "=?base64?w6k=?="] {
        let answer = wire.post(&region(value), modern_call("{}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let arrived = wire.upstream.arrived().pop().unwrap();
        assert_eq!(arrived.header("mcp-param-region"), Some(value));
    }
    let older = Lines::legacy().plus("mcp-param-region", "eu");
    let answer = wire.post(&older, super::allowed()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let arrived = wire.upstream.arrived().pop().unwrap();
    assert_eq!(arrived.header("mcp-param-region"), None);
}
