//! Methods, paths and media types: compared as bytes, and by nobody's word but the request line's.

use serde_json::json;

use super::{SOON, allowed, assert_refused, assert_served, exchange, start};
use crate::support::{PATH, call};
use crate::wire::{Lines, Wire};

fn request(wire: &Wire, first: &str, lines: &str) -> Vec<u8> {
    let body = allowed();
    let head = start(wire, first);
    format!("{head}{lines}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn h19_a_method_has_one_spelling_and_no_other_name() {
    let wire = Wire::configured(SOON).await;
    for method in [
        "post", "Post", "PUT", "PATCH", "TRACE", "OPTIONS", "QUERY", "POSTS",
    ] {
        let bytes = request(&wire, &format!("{method} {PATH} HTTP/1.1"), "");
        let came = exchange(&wire, bytes).await;
        assert_eq!(came.statuses, [405], "{method}: {}", came.text);
        let head = came.text.to_ascii_lowercase();
        assert!(
            head.contains("allow: post, get, delete, options\r\n"),
            "{head}"
        );
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_served(&wire).await;
}

#[tokio::test]
async fn h19_a_header_does_not_change_the_method() {
    let wire = Wire::configured(SOON).await;
    let names = [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ];
    for name in names {
        let get = request(
            &wire,
            &format!("GET {PATH} HTTP/1.1"),
            &format!("{name}: POST\r\n"),
        );
        assert_refused(&wire, 400, vec![(name.to_owned(), get)]).await;
    }
    let before = wire.upstream.count();
    let lines = names.join(": DELETE\r\n") + ": DELETE\r\n";
    let post = exchange(
        &wire,
        request(&wire, &format!("POST {PATH} HTTP/1.1"), &lines),
    )
    .await;
    assert_eq!(post.statuses, [200], "{}", post.text);
    let arrived = &wire.upstream.arrived()[before];
    assert_eq!(arrived.method, "POST");
    assert!(names.iter().all(|name| arrived.header(name).is_none()));
}

#[tokio::test]
async fn h30_a_path_has_one_spelling_with_and_without_a_token() {
    let wire = Wire::configured(SOON).await;
    let spellings = [
        "//crm/mcp",
        "/crm//mcp",
        "/./crm/mcp",
        "/x/../crm/mcp",
        "/crm/%6dcp",
        "/crm/mcp%2f",
        "/crm%2fmcp",
        "/crm/mcp;a=b",
        "/crm/mcp%00",
        "/CRM/MCP",
        "/crm/mcp%23x",
        "/crm/mcp#x",
        "/crm/mcp?a#x",
        "/crm/mcp\\",
        "/crm/mcp//",
        "/crm/mcp/.",
        "/crm/mcp/x",
        "/crm/mcp%5c..%5cadmin",
        "/crm/mcp/..;/admin",
        "/.well-known/../crm/mcp",
        "/crm/mcp%3f",
        "/crm/mcp%20",
        "/",
        "/crm",
    ];
    for path in spellings {
        for token in [wire.token.as_str(), "nobody"] {
            let bytes = request(&wire, &format!("POST {path} HTTP/1.1"), "");
            let text = String::from_utf8(bytes)
                .unwrap()
                .replace(&wire.token, token);
            let came = exchange(&wire, text).await;
            assert_eq!(came.statuses, [404], "{path}: {}", came.text);
            assert!(came.text.contains("path_unknown"), "{path}: {}", came.text);
        }
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_served(&wire).await;
}

#[tokio::test]
async fn h32_no_spelling_of_a_header_of_ours_is_believed_or_passed_on() {
    let wire = Wire::configured(SOON).await;
    let spoofed = [
        "X-Request-Id: evil",
        "x_request_id: evil",
        "X-Request-ID: evil",
        "x-request_id: evil",
        "x-request-id.: evil",
        "X-MCP-Subject: admin",
        "x_mcp_subject: admin",
        "X-Role: admin",
        "X-Forwarded-User: admin",
        "mcp_name: delete_customer",
        "mcp_method: tools/call",
        "mcp_session_id: 1",
        "content_length: 0",
        "mcp-param_x: 1",
        "transfer_encoding: chunked",
        "user_agent: evil",
        "Remote-User: admin",
    ];
    let lines = spoofed.map(|line| [line, line].join("\r\n")).join("\r\n") + "\r\n";
    let came = exchange(
        &wire,
        request(&wire, &format!("POST {PATH} HTTP/1.1"), &lines),
    )
    .await;
    assert_eq!(came.statuses, [200], "{}", came.text);
    let arrived = wire.upstream.arrived();
    assert_eq!(arrived.len(), 1);
    for (name, value) in &arrived[0].headers {
        assert!(!name.as_str().contains(['_', '.']), "{name} arrived");
        let value = value.to_str().unwrap();
        assert!(
            !["evil", "admin", "delete_customer"].contains(&value),
            "{name}: {value}"
        );
    }
    let ours = arrived[0].headers.get_all("x-request-id");
    assert_eq!(ours.iter().count(), 1);
}

#[tokio::test]
async fn h34_who_a_client_says_it_is_for_is_on_no_record() {
    let wire = Wire::configured(SOON).await;
    let lines = "x-forwarded-for: 203.0.113.9\r\nforwarded: for=203.0.113.9;proto=https\r\nx-real-ip: 203.0.113.9\r\n\
                 x-forwarded-proto: https\r\ntrue-client-ip: 203.0.113.9\r\n";
    let came = exchange(
        &wire,
        request(&wire, &format!("POST {PATH} HTTP/1.1"), lines),
    )
    .await;
    assert_eq!(came.statuses, [200], "{}", came.text);
    let records = wire.gateway.settled().await;
    assert!(!records.is_empty());
    for record in records {
        let text = record.to_string();
        assert!(!text.contains("203.0.113.9"), "{text}");
        assert!(text.contains("127.0.0.1"), "{text}");
    }
    let proxied = format!(
        "PROXY TCP4 203.0.113.9 127.0.0.1 1 2\r\n{}",
        wire.framed(&allowed())
    );
    let before = wire.upstream.count();
    let came = exchange(&wire, proxied).await;
    assert_eq!(came.statuses, [400], "{}", came.text);
    assert_eq!(wire.upstream.count(), before);
}

#[tokio::test]
async fn h36_what_is_compressed_is_never_unpacked() {
    let wire = Wire::configured(SOON).await;
    for coding in [
        "gzip",
        "br",
        "zstd",
        "deflate",
        "x-gzip",
        "identity, gzip",
        "identity",
        "GZIP",
        "",
    ] {
        let lines = Lines::legacy().plus("content-encoding", coding);
        let answer = wire.post(&lines, allowed()).await;
        assert_eq!(answer.status, 415, "{coding}");
        assert_eq!(answer.header("accept-encoding"), Some("identity"));
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_eq!(wire.decisions().await, ["content_encoding_unsupported"; 9]);
}

#[tokio::test]
async fn h38_a_body_in_another_encoding_than_plain_utf_8_is_refused() {
    let wire = Wire::start().await;
    let text = allowed();
    let utf16 =
        |order: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(order).collect::<Vec<u8>>();
    let utf32: Vec<u8> = text
        .chars()
        .flat_map(|it| u32::from(it).to_le_bytes())
        .collect();
    let marked = |mark: &[u8], bytes: Vec<u8>| [mark, &bytes].concat();
    let within = |bytes: &[u8]| {
        let (start, end) = text.split_once("\"x\"").unwrap();
        [start.as_bytes(), b"\"", bytes, b"\"", end.as_bytes()].concat()
    };
    let bodies = [
        ("UTF-16LE", utf16(u16::to_le_bytes)),
        ("UTF-16BE", utf16(u16::to_be_bytes)),
        (
            "UTF-16LE with its mark",
            marked(b"\xff\xfe", utf16(u16::to_le_bytes)),
        ),
        ("UTF-32", utf32),
        (
            "UTF-8 with a mark",
            marked(b"\xef\xbb\xbf", text.clone().into_bytes()),
        ),
        ("overlong", within(b"\xc0\xae")),
        ("latin-1", within(b"\xe4")),
        ("half a character", within(b"\xe2\x82")),
        ("a surrogate", within(b"\xed\xa0\x80")),
    ];
    for (what, body) in bodies {
        let answer = wire.post(&Lines::legacy(), body).await;
        assert_eq!(answer.status, 400, "{what}: {}", answer.body);
        assert_eq!(answer.code(), Some(-32700), "{what}");
    }
    assert_eq!(wire.upstream.count(), 0);
    let plain = call("search_customers", &json!({ "query": "grüße €" })).to_string();
    assert_eq!(wire.post(&Lines::legacy(), plain.clone()).await.status, 200);
    assert_eq!(wire.upstream.arrived()[0].body, plain);
}

#[tokio::test]
async fn h47_ranges_and_conditions_are_not_passed_on_and_no_answer_is_kept() {
    let wire = Wire::start().await;
    let names = [
        "range",
        "if-none-match",
        "if-match",
        "if-modified-since",
        "if-range",
        "cache-control",
        "pragma",
    ];
    let lines = names.iter().fold(Lines::legacy(), |lines, name| {
        lines.plus(name, "bytes=0-10")
    });
    let answer = wire.post(&lines, allowed()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let arrived = &wire.upstream.arrived()[0];
    for name in names {
        assert_eq!(arrived.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn h48_what_is_for_operators_is_not_on_the_public_port() {
    let wire = Wire::configured(SOON).await;
    for path in [
        "/metrics",
        "/livez",
        "/readyz",
        "/healthz",
        "/health",
        "/debug",
        "/admin/kill",
        "/admin",
        "/status",
    ] {
        for method in ["GET", "POST"] {
            let bytes = request(&wire, &format!("{method} {path} HTTP/1.1"), "");
            let came = exchange(&wire, bytes).await;
            assert_eq!(came.statuses, [404], "{method} {path}: {}", came.text);
        }
    }
    assert_eq!(wire.upstream.count(), 0);
}

#[tokio::test]
async fn p04_well_known_documents_of_others_are_not_fetched_from_the_server() {
    let wire = Wire::configured(SOON).await;
    let paths = [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server/crm/mcp",
        "/crm/mcp/.well-known/oauth-protected-resource",
        "/crm/mcp/.well-known/openid-configuration",
        "/.well-known/mcp",
        "/.well-known/jwks.json",
    ];
    for path in paths {
        let bytes = request(&wire, &format!("GET {path} HTTP/1.1"), "");
        let came = exchange(&wire, bytes).await;
        assert_eq!(came.statuses, [404], "{path}: {}", came.text);
    }
    assert_eq!(wire.upstream.count(), 0);
}

#[tokio::test]
async fn p06_without_a_token_no_fault_of_a_request_is_told_before_that() {
    let wire = Wire::configured(SOON).await;
    let bodies = ["", "{", "[]", &allowed(), "\u{feff}{}"];
    let media = [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
    ];
    for method in ["POST", "GET", "DELETE", "PUT", "OPTIONS", "TRACE", "post"] {
        for (body, media) in bodies
            .iter()
            .flat_map(|body| media.iter().map(move |media| (body, media)))
        {
            let request = format!(
                "{method} {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media}\r\nmcp-session-id: unknown\r\n\
                 mcp-protocol-version: 1999-01-01\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let came = exchange(&wire, request).await;
            assert_eq!(
                came.statuses,
                [401],
                "{method} {body:?} {media:?}: {}",
                came.text
            );
        }
    }
    assert_eq!(wire.upstream.count(), 0);
}
