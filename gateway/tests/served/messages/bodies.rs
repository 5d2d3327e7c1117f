//! Bodies that are loose JSON, no message, or a message of which two readers could make two.

use super::{
    Case, allowed, assert_forwarded, assert_refused, legacy_call, modern_call, modern_lines,
};
use crate::wire::Lines;

/// In both eras, told apart by their headers.
fn eras(what: &'static str, body: impl Into<Vec<u8>>) -> [Case; 2] {
    let body = body.into();
    [Lines::legacy(), modern_lines()].map(|lines| Case::new(what, lines, body.clone()))
}

/// With these arguments, in both eras.
fn calls(what: &'static str, arguments: &str) -> [Case; 2] {
    [
        Case::new(what, Lines::legacy(), legacy_call(arguments)),
        Case::new(what, modern_lines(), modern_call(arguments)),
    ]
}

fn nested(levels: usize) -> String {
    format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

#[tokio::test]
async fn q14_q16_q18_h38_a_body_that_is_no_strict_json_never_arrives() {
    let whole = String::from_utf8(allowed()).unwrap();
    let utf16: Vec<u8> = whole.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("white space", b" \n".into()),
        ("text", b"hello".into()),
        ("cut short", whole.trim_end_matches('}').into()),
        ("a byte order mark", format!("\u{feff}{whole}").into()),
        ("utf-16", utf16),
        ("a second document", format!("{whole}{whole}").into()),
        ("a second line", format!("{whole}\n{whole}").into()),
        ("a brace too many", format!("{whole}}}").into()),
        ("a NUL behind", format!("{whole}\0").into()),
        ("a comment", format!("/**/{whole}").into()),
        ("single quotes", whole.replace('"', "'").into()),
        ("a form feed", format!("\u{c}{whole}").into()),
    ];
    let mut cases: Vec<Case> = bodies
        .into_iter()
        .flat_map(|(what, body)| eras(what, body))
        .collect();
    for (what, arguments) in [
        ("NaN", r#"{"a":NaN}"#),
        ("Infinity", r#"{"a":-Infinity}"#),
        ("a number beyond a double", r#"{"a":1e999}"#),
        ("a leading zero", r#"{"a":01}"#),
        ("a trailing comma", r#"{"a":1,}"#),
        ("a comment inside", "{/**/}"),
        ("a lone surrogate", r#"{"a":"\ud800"}"#),
        ("a lone surrogate in a key", r#"{"\udc00":1}"#),
        ("a raw control character", "{\"a\":\"\n\"}"),
        ("a bad escape", r#"{"a":"\x41"}"#),
    ] {
        cases.extend(calls(what, arguments));
    }
    cases.extend(calls("65 levels", &nested(62)));
    let mut bad_utf8 = allowed();
    let at = bad_utf8.iter().position(|byte| *byte == b's').unwrap();
    bad_utf8[at] = 0xff;
    cases.extend(eras("bad utf-8", bad_utf8));
    let cases = cases
        .into_iter()
        .map(|case| case.is(-32700, "json_malformed"));
    assert_refused(cases.collect()).await;
}

#[tokio::test]
async fn q02_q03_q04_a_key_that_is_named_twice_never_arrives() {
    let mut cases = Vec::new();
    for (what, from, to) in [
        ("method", r#""id":7,"#, r#""id":7,"method":"tools/list","#),
        ("id", r#""id":7,"#, r#""id":7,"id":8,"#),
        ("params", r#""id":7,"#, r#""id":7,"params":{},"#),
        ("name", r#""name":"#, r#""name":"delete_customer","name":"#),
        (
            "an escaped name",
            r#""name":"#,
            r#""n\u0061me":"delete_customer","name":"#,
        ),
        (
            "arguments",
            r#""arguments":"#,
            r#""arguments":{"x":1},"arguments":"#,
        ),
    ] {
        for case in calls(what, "{}") {
            let body = String::from_utf8(case.body.clone()).unwrap();
            cases.push(Case::new(what, case.lines, body.replacen(from, to, 1)));
        }
    }
    for (what, arguments) in [
        ("in arguments", r#"{"a":1,"a":1}"#),
        ("in arguments, escaped", r#"{"a":1,"\u0061":2}"#),
        ("deep in arguments", r#"{"a":[{"b":{"c":1,"d":2,"c":3}}]}"#),
        ("an empty key", r#"{"":1,"":2}"#),
        ("a key beyond the plane", r#"{"😀":1,"\ud83d\ude00":2}"#),
    ] {
        cases.extend(calls(what, arguments));
    }
    let many: Vec<_> = (0..40).map(|at| format!(r#""k{at}":{at}"#)).collect();
    cases.extend(calls(
        "among many",
        &format!(r#"{{{},"k3":0}}"#, many.join(",")),
    ));
    let cases = cases
        .into_iter()
        .map(|case| case.is(-32600, "json_duplicate_key"));
    assert_refused(cases.collect()).await;
}

#[tokio::test]
async fn q01_a_batch_never_arrives() {
    let one = legacy_call("{}");
    let batches = [
        ("empty", "[]".to_owned()),
        ("of one", format!("[{one}]")),
        ("of two", format!("[{one},{one}]")),
        ("in white space", format!(" \n[{one}]")),
        ("of anything", "[1,null]".to_owned()),
        ("of batches", format!("[[{one}]]")),
        ("of ten thousand", format!("[{}1]", "1,".repeat(9_999))),
    ];
    let oldest = Lines::legacy().with("mcp-protocol-version", "2025-03-26");
    let of_oldest = Case::new("where batches were", oldest, format!("[{one}]"));
    let mut cases: Vec<Case> = batches
        .into_iter()
        .flat_map(|(what, body)| eras(what, body))
        .chain([of_oldest])
        .map(|case| case.is(-32600, "batch_refused"))
        .collect();
    let open = eras("never closed", format!("[{one}"));
    cases.extend(open.map(|case| case.is(-32700, "json_malformed")));
    assert_refused(cases).await;
}

fn in_both_eras(bodies: impl IntoIterator<Item = (&'static str, String)>) -> Vec<Case> {
    let cases = bodies.into_iter().flat_map(|(what, body)| eras(what, body));
    cases
        .map(|case| case.is(-32600, "request_invalid"))
        .collect()
}

#[tokio::test]
async fn q10_q11_json_that_is_no_message_or_has_no_usable_id_never_arrives() {
    let id = |text: &str| legacy_call("{}").replace(r#""id":7"#, &format!(r#""id":{text}"#));
    let bodies = [
        ("a number", "1".to_owned()),
        ("null", "null".to_owned()),
        ("a string", r#""tools/call""#.to_owned()),
        ("an empty object", "{}".to_owned()),
        ("id null", id("null")),
        ("id a fraction", id("1.5")),
        ("id an exponent", id("1e3")),
        ("id an object", id("{}")),
        ("id true", id("true")),
        ("id in a list", id("[7]")),
        ("id past 64 bits", id("-9223372036854775809")),
        (
            "id of a megabyte",
            id(&format!("\"{}\"", "i".repeat(1 << 20))),
        ),
        (
            "a call as a notification",
            legacy_call("{}").replace(r#""id":7,"#, ""),
        ),
    ];
    assert_refused(in_both_eras(bodies)).await;
}

#[tokio::test]
async fn q05_q09_q13_a_message_that_no_client_may_send_never_arrives() {
    let call = legacy_call("{}");
    let named = |text: &str| call.replace(r#""tools/call""#, text);
    let beside = |member: &str| call.replacen('{', &format!("{{{member},"), 1);
    let bodies = [
        ("a method that is a number", named("5")),
        ("a method with NUL", named(r#""tools/call\u0000""#)),
        (
            "a method too long",
            named(&format!("\"{}\"", "m".repeat(200))),
        ),
        (
            "a notification with an id",
            named(r#""notifications/initialized""#),
        ),
        ("jsonrpc 1.0", call.replace("2.0", "1.0")),
        ("no jsonrpc", call.replace(r#""jsonrpc":"2.0","#, "")),
        ("jsonrpc a number", call.replace(r#""2.0""#, "2.0")),
        ("jsonrpc in a list", call.replace(r#""2.0""#, r#"["2.0"]"#)),
        ("a folded look-alike", beside("\"param\u{17f}\":{}")),
        ("an escaped look-alike", beside(r#""\u004dethod":"ping""#)),
        ("an unknown member", beside(r#""x":1"#)),
        ("a look-alike", beside(r#""Method":"tools/list""#)),
        ("a result beside", beside(r#""result":{}"#)),
        (
            "two answers",
            r#"{"jsonrpc":"2.0","id":7,"result":{},"error":{}}"#.into(),
        ),
    ];
    let cases = in_both_eras(bodies).into_iter().map(|case| case.id(7));
    assert_refused(cases.collect()).await;
}

/// What a call has, and what stands there instead.
const UNFIT: &[(&str, &str, &str)] = &[
    (
        "a name that is a number",
        r#""name":"search_customers""#,
        r#""name":5"#,
    ),
    ("an empty name", "search_customers", ""),
    ("a name with NUL", "search_customers", r"search_\u0000"),
    ("no name", r#""name":"#, r#""title":"#),
    (
        "a name in a list",
        r#""search_customers""#,
        r#"["search_customers"]"#,
    ),
    ("a name that is null", r#""search_customers""#, "null"),
    ("a name that is an object", r#""search_customers""#, "{}"),
    (
        "arguments in an array",
        r#""arguments":{}"#,
        r#""arguments":[]"#,
    ),
    (
        "arguments as text",
        r#""arguments":{}"#,
        r#""arguments":"{}""#,
    ),
    (
        "a look-alike of name",
        r#""name":"#,
        r#""Name":"delete_customer","name":"#,
    ),
    (
        "a look-alike ended by NUL",
        r#""name":"#,
        r#""name\u0000":"x","name":"#,
    ),
    (
        "a folded look-alike",
        r#""name":"#,
        r#""ta\u017fkId":"x","name":"#,
    ),
];

#[tokio::test]
async fn q05_q07_q08_params_that_do_not_fit_never_arrive() {
    let mut cases = Vec::new();
    for (what, from, to) in UNFIT {
        let body = legacy_call("{}").replacen(from, to, 1);
        cases.push(Case::new(what, Lines::legacy(), body));
        let body = modern_call("{}").replacen(from, to, 1);
        cases.push(Case::new(what, modern_lines(), body));
    }
    for (what, params) in [
        ("in an array", "[]"),
        ("as text", "\"{}\""),
        ("null", "null"),
    ] {
        let list = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{params}}}"#);
        cases.extend(eras(what, list));
    }
    let long = legacy_call("{}").replace("search_customers", &"s".repeat(1 << 20));
    cases.push(Case::new("a name of a megabyte", Lines::legacy(), long));
    let cases = cases
        .into_iter()
        .map(|case| case.is(-32602, "params_invalid").id(7));
    assert_refused(cases.collect()).await;
}

fn bytes(messages: Vec<(&'static str, Lines, String)>) -> Vec<(&'static str, Lines, Vec<u8>)> {
    let messages = messages.into_iter();
    messages
        .map(|(what, lines, body)| (what, lines, body.into_bytes()))
        .collect()
}

#[tokio::test]
async fn q04_q11_unusual_spellings_that_all_readers_read_alike_arrive_as_they_are() {
    let bare = legacy_call("{}");
    let messages = [
        ("an id of text", bare.replace(":7,", r#":"ä\u0062","#)),
        ("a negative id", bare.replace(":7,", ":-9007199254740993,")),
        ("null arguments", legacy_call("null")),
        (
            "white space",
            format!("\r\n\t {} \n", bare.replace(':', " :\n")),
        ),
        (
            "an escaped name",
            bare.replace("search_c", r"\u0073earch_c"),
        ),
        (
            "an escaped key",
            bare.replace("\"method", r#""\u006dethod"#),
        ),
    ];
    let messages = messages.map(|(what, body)| (what, Lines::legacy(), body));
    let mut messages = messages.to_vec();
    messages.push(("no version header", Lines::of(&[crate::wire::JSON]), bare));
    assert_forwarded(bytes(messages)).await;
}

#[tokio::test]
async fn q15_q16_unusual_arguments_that_all_readers_read_alike_arrive_as_they_are() {
    let mut messages = Vec::new();
    for (what, arguments) in [
        ("64 levels", nested(61)),
        (
            "equal keys in two objects",
            r#"{"a":{"b":1},"c":{"b":1}}"#.into(),
        ),
        (
            "keys that differ in case",
            r#"{"a":1,"A":2,"name":3}"#.into(),
        ),
        (
            "a large number",
            r#"{"a":123456789012345678901234567890.10}"#.into(),
        ),
        ("a pair of surrogates", r#"{"a":"\ud83d\ude00"}"#.into()),
        ("separators", "{\"a\":\"\u{2028}\u{2029}\u{85}\"}".into()),
        ("NUL, escaped", r#"{"a":"\u0000"}"#.into()),
        (
            "past 53 bits",
            r#"{"a":9007199254740993,"b":-0,"c":1E+2}"#.into(),
        ),
    ] {
        messages.push((what, Lines::legacy(), legacy_call(&arguments)));
        messages.push((what, modern_lines(), modern_call(&arguments)));
    }
    assert_forwarded(bytes(messages)).await;
}
