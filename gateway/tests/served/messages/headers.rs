//! Headers that say something else than the body, say it twice, or say that the body is no JSON.

use super::{
    Case, META, TOOL, allowed, assert_forwarded, assert_refused, legacy_call, modern_call,
    modern_lines,
};
use crate::wire::{Lines, Wire};

fn modern(what: &'static str, lines: Lines) -> Case {
    Case::new(what, lines, modern_call("{}"))
}

#[tokio::test]
async fn q19_q20_q22_a_header_that_does_not_say_what_the_body_says_never_arrives() {
    let with = |name, value| modern_lines().with(name, value);
    let cases = [
        ("no Mcp-Method", modern_lines().without("mcp-method")),
        ("another Mcp-Method", with("mcp-method", "tools/list")),
        ("Mcp-Method in other case", with("mcp-method", "Tools/Call")),
        ("no Mcp-Name", modern_lines().without("mcp-name")),
        ("another Mcp-Name", with("mcp-name", "delete_customer")),
        (
            "Mcp-Name in other case",
            with("mcp-name", "Search_customers"),
        ),
        ("an empty Mcp-Name", with("mcp-name", "")),
        ("two names", with("mcp-name", "search_customers, x")),
        (
            "another name in base64",
            with("mcp-name", "=?base64?eA==?="),
        ),
        ("bad base64", with("mcp-name", "=?base64?!?=")),
        ("no version", modern_lines().without("mcp-protocol-version")),
        (
            "an older version",
            with("mcp-protocol-version", "2025-11-25"),
        ),
        (
            "an unknown version",
            with("mcp-protocol-version", "2099-01-01"),
        ),
    ];
    let cases = cases.map(|(what, lines)| modern(what, lines));
    let cases = cases.map(|case| case.is(-32020, "header_mismatch").id(7));
    assert_refused(cases.into()).await;
}

#[tokio::test]
async fn q23_a_body_of_another_era_than_its_headers_never_arrives() {
    let cases = [
        Case::new(
            "initialize with a modern version",
            modern_lines().with("mcp-method", "initialize"),
            r#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{}}"#,
        ),
        Case::new(
            "a version in _meta that the header denies",
            modern_lines(),
            modern_call("{}").replace("2026-07-28", "2026-07-29"),
        ),
        Case::new("a modern body", Lines::legacy(), modern_call("{}")),
    ];
    let cases = cases.map(|case| case.is(-32020, "header_mismatch").id(7));
    assert_refused(cases.into()).await;
}

#[tokio::test]
async fn q21_a_mirrored_header_that_comes_twice_never_arrives() {
    let mut cases = Vec::new();
    for (name, value) in [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", TOOL),
    ] {
        cases.push(modern("the same twice", modern_lines().plus(name, value)));
        cases.push(modern("another beside it", modern_lines().plus(name, "x")));
    }
    let session = Lines::legacy().plus("mcp-session-id", "a");
    let session = session.plus("mcp-session-id", "a");
    cases.push(Case::new("two sessions", session, allowed()));
    let version = Lines::legacy().plus("mcp-protocol-version", "2025-11-25");
    cases.push(Case::new("a version twice", version, allowed()));
    let cases = cases
        .into_iter()
        .map(|case| case.is(-32020, "header_mismatch"));
    assert_refused(cases.collect()).await;
}

#[tokio::test]
async fn q25_a_modern_request_without_its_meta_never_arrives() {
    let call = modern_call("{}");
    let missing = |part: &str| call.replace(part, "");
    let cases = vec![
        ("no _meta", missing(&format!("{META},"))),
        ("an empty _meta", call.replace(META, r#""_meta":{}"#)),
        ("_meta in an array", call.replace(META, r#""_meta":[]"#)),
        (
            "no capabilities",
            missing(r#","io.modelcontextprotocol/clientCapabilities":{}"#),
        ),
        (
            "capabilities in an array",
            call.replace("clientCapabilities\":{}", "clientCapabilities\":[]"),
        ),
        (
            "a version that is a number",
            call.replace("\"2026-07-28\"", "2026"),
        ),
    ];
    let cases = cases
        .into_iter()
        .map(|(what, body)| Case::new(what, modern_lines(), body))
        .map(|case| case.is(-32602, "params_invalid").id(7));
    assert_refused(cases.collect()).await;
}

#[tokio::test]
async fn q23_an_unknown_version_is_told_those_that_a_request_may_name() {
    let unknown = |lines: Lines| lines.with("mcp-protocol-version", "2099-01-01");
    let modern = modern_call("{}").replace("2026-07-28", "2099-01-01");
    let draft = Lines::legacy().with("mcp-protocol-version", "DRAFT");
    let cases = vec![
        Case::new("legacy", unknown(Lines::legacy()), legacy_call("{}")),
        Case::new("modern", unknown(modern_lines()), modern.clone()),
        Case::new("no date", draft, legacy_call("{}")),
    ];
    let cases = cases
        .into_iter()
        .map(|case| case.is(-32022, "version_unsupported").id(7));
    assert_refused(cases.collect()).await;

    let wire = Wire::start().await;
    for (lines, body) in [
        (Lines::legacy(), legacy_call("{}")),
        (modern_lines(), modern),
    ] {
        let answer = wire.post(&unknown(lines), body).await;
        let data = &answer.json()["error"]["data"];
        assert_eq!(data["supported"], serde_json::json!(["2026-07-28"]));
        assert_eq!(data["requested"], "2099-01-01");
    }
}

#[tokio::test]
async fn h37_a_body_that_is_not_called_plain_json_never_arrives() {
    let mut cases = Vec::new();
    for lines in [Lines::legacy(), modern_lines()] {
        let media = |value| lines.clone().with("content-type", value);
        let bodies = [legacy_call("{}"), modern_call("{}")];
        for (what, lines) in [
            ("none", lines.clone().without("content-type")),
            ("text", media("text/plain")),
            ("a suffix", media("application/jsonx")),
            ("another json", media("application/vnd.api+json")),
            ("utf-16", media("application/json; charset=utf-16")),
            ("latin 1", media("application/json; charset=iso-8859-1")),
            ("two types", media("application/json, text/plain")),
            ("a form", media("application/x-www-form-urlencoded")),
        ] {
            for body in &bodies {
                let case = Case::new(what, lines.clone(), body.as_str());
                cases.push(case.status(415).is(41501, "media_type_unsupported"));
            }
        }
        for coding in ["gzip", "br", "identity", "", "aes128gcm"] {
            let lines = lines.clone().with("content-encoding", coding);
            let case = Case::new("a coding", lines, legacy_call("{}"));
            cases.push(case.status(415).is(41502, "content_encoding_unsupported"));
        }
    }
    assert_refused(cases).await;
}

#[tokio::test]
async fn h35_a_compressed_body_is_told_what_would_be_taken() {
    let wire = Wire::start().await;
    let lines = Lines::legacy().with("content-encoding", "gzip");
    let answer = wire.post(&lines, b"\x1f\x8b\x08".to_vec()).await;
    assert_eq!(answer.status, 415);
    assert_eq!(answer.header("accept-encoding"), Some("identity"));
    assert_eq!(wire.upstream.count(), 0);
}

/// Framing is refused before anyone is asked who they are: the answer is the same with and without a token.
#[tokio::test]
async fn h37_a_doubled_content_type_is_refused_alike_with_and_without_a_token() {
    let wire = Wire::start().await;
    let lines = Lines::legacy().plus("content-type", "application/json");
    let agent = wire.post(&lines, allowed()).await;
    let stranger = wire.post_as_stranger(&lines, allowed()).await;
    for answer in [agent, stranger] {
        assert_eq!((answer.status, answer.code()), (400, Some(40002)));
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(wire.gateway.records_of("authn").await.len(), 2);
}

#[tokio::test]
async fn q20_q24_headers_that_agree_with_the_body_in_other_words_arrive() {
    let named = |value| modern_lines().with("mcp-name", value);
    let media = |value| Lines::legacy().with("content-type", value);
    let call = || modern_call("{}").into_bytes();
    assert_forwarded(vec![
        (
            "a name in base64",
            named("=?base64?c2VhcmNoX2N1c3RvbWVycw==?="),
            call(),
        ),
        (
            "white space around a name",
            named(" search_customers "),
            call(),
        ),
        (
            "headers of the other era",
            Lines::legacy().plus("mcp-name", "x"),
            allowed(),
        ),
        ("utf-8", media("application/json; charset=utf-8"), allowed()),
        (
            "utf-8 in quotes",
            media("Application/JSON;charset=\"UTF-8\""),
            allowed(),
        ),
    ])
    .await;
}
