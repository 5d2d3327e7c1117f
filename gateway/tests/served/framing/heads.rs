//! Heads that two readers could read differently, and where a request is meant for.

use super::{SOON, allowed, assert_refused, assert_served, exchange, post, smuggled, start};
use crate::support::PATH;
use crate::wire::Wire;

/// A whole request with one more line.
fn with(wire: &Wire, line: &[u8]) -> Vec<u8> {
    let body = allowed();
    let mut bytes = post(wire).into_bytes();
    bytes.extend_from_slice(line);
    bytes.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    bytes
}

fn named(what: &str, bytes: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
    (what.to_owned(), bytes.into())
}

#[tokio::test]
async fn h04_a_name_or_value_that_is_not_of_the_grammar_is_refused() {
    let wire = Wire::configured(SOON).await;
    let lines: [&[u8]; 9] = [
        b"transfer-encoding : chunked\r\n",
        b"transfer-encoding\t: chunked\r\n",
        b"\x0btransfer-encoding: chunked\r\n",
        b"transfer-encoding: \x0bchunked\r\n",
        b"x-a: b\x00c\r\n",
        b"x-a: b\rtransfer-encoding: chunked\r\n",
        b": nameless\r\n",
        b"no-colon\r\n",
        b"x\xc3\xa4: umlaut\r\n",
    ];
    let cases = lines.map(|line| {
        named(
            &format!("{:?}", line.escape_ascii().to_string()),
            with(&wire, line),
        )
    });
    assert_refused(&wire, 400, cases.into()).await;
    let leading = post(&wire).replacen("\r\n", "\r\n x: y\r\n", 1);
    let case = named(
        "a space before the first name",
        format!("{leading}content-length: 0\r\n\r\n"),
    );
    assert_refused(&wire, 400, vec![case]).await;
}

#[tokio::test]
async fn h05_a_line_that_goes_on_in_the_next_is_refused() {
    let wire = Wire::configured(SOON).await;
    let lines: [&[u8]; 3] = [
        b"x-a: a\r\n b\r\n",
        b"x-a: a\r\n\tb\r\n",
        b"transfer-encoding:\r\n chunked\r\n",
    ];
    let cases = lines.map(|line| named(&String::from_utf8_lossy(line), with(&wire, line)));
    assert_refused(&wire, 400, cases.into()).await;
}

#[tokio::test]
async fn h08_another_version_than_http_1_1_frames_nothing() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let chunks = format!(
        "transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let length = format!("content-length: {}\r\n\r\n{body}", body.len());
    let cases = [
        ("1.0", &chunks),
        ("1.2", &length),
        ("2.0", &length),
        ("0.9", &length),
        ("11", &length),
    ];
    let cases = cases.map(|(version, rest)| {
        let head = start(&wire, &format!("POST {PATH} HTTP/{version}"));
        named(version, format!("{head}{rest}"))
    });
    assert_refused(&wire, 400, cases.into()).await;

    let came = exchange(&wire, format!("GET {PATH}\r\n\r\n{}", smuggled(&wire))).await;
    assert!(
        came.statuses.iter().all(|status| *status == 400),
        "{}",
        came.text
    );
    assert_eq!(wire.upstream.count(), 1, "that of `assert_refused`");
}

#[tokio::test]
async fn h09_a_request_with_bare_line_feeds_is_one_request_or_none() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let head = wire.framed(&body).replace("\r\n", "\n");
    let came = exchange(&wire, head).await;
    assert!(came.statuses.len() <= 1, "{}", came.text);
    let arrived = wire.upstream.arrived();
    assert!(arrived.len() <= 1);
    assert!(arrived.iter().all(|it| it.body == body));
    for line in ["x-a: b\nx-c: d\r\n", "x-a: b\n\ncontent-length: 0\r\n"] {
        let before = wire.upstream.count();
        let came = exchange(&wire, with(&wire, line.as_bytes())).await;
        assert!(came.statuses.len() <= 1, "{line:?}: {}", came.text);
        assert!(
            wire.upstream.arrived()[before..]
                .iter()
                .all(|it| it.body == body)
        );
    }
}

#[tokio::test]
async fn h17_only_the_path_of_a_server_is_a_target() {
    let wire = Wire::configured(SOON).await;
    let targets = [
        (format!("POST http://evil.test{PATH} HTTP/1.1"), 400),
        (
            format!("POST https://user@localhost:8080{PATH} HTTP/1.1"),
            400,
        ),
        (format!("POST http://localhost:8080{PATH} HTTP/1.1"), 404),
        (format!("POST //evil.test{PATH} HTTP/1.1"), 404),
        ("OPTIONS * HTTP/1.1".to_owned(), 404),
        ("CONNECT localhost:8080 HTTP/1.1".to_owned(), 405),
        ("POST crm/mcp HTTP/1.1".to_owned(), 404),
        (format!("POST  {PATH} HTTP/1.1"), 404),
        (format!("POST {PATH} x HTTP/1.1"), 404),
    ];
    let body = allowed();
    for (first, status) in targets {
        let request = format!(
            "{}content-length: {}\r\n\r\n{body}",
            start(&wire, &first),
            body.len()
        );
        assert_refused(&wire, status, vec![named(&first, request)]).await;
    }
}

#[tokio::test]
async fn h18_a_request_names_one_host() {
    let wire = Wire::configured(SOON).await;
    let host = "host: localhost:8080\r\n";
    let lines = [
        "",
        "host: localhost:8080\r\nhost: localhost:8080\r\n",
        "host: localhost:8080\r\nhost: evil.test\r\n",
        "host: localhost:8080, evil.test\r\n",
        "host: localhost:8080 evil.test\r\n",
        "host: user@localhost:8080\r\n",
    ];
    for line in lines {
        let request = wire.framed(&allowed()).replace(host, line);
        let came = exchange(&wire, request).await;
        assert_eq!(came.statuses.len(), 1, "{line:?}: {}", came.text);
        assert!(
            [400, 403].contains(&came.statuses[0]),
            "{line:?}: {}",
            came.text
        );
    }
    assert_eq!(wire.upstream.count(), 0);
    assert_served(&wire).await;
}

#[tokio::test]
async fn h33_no_header_is_taken_out_after_it_was_checked() {
    let wire = Wire::configured(SOON).await;
    let lines: [&[u8]; 7] = [
        b"connection: close, x-request-id\r\n",
        b"connection: authorization\r\n",
        b"connection: mcp-protocol-version, mcp-name, mcp-method\r\n",
        b"connection: keep-alive\r\nconnection: Content-Type\r\n",
        b"connection: host\r\n",
        b"connection: content-length\r\n",
        b"connection: close, transfer-encoding\r\n",
    ];
    let cases = lines.map(|line| named(&String::from_utf8_lossy(line), with(&wire, line)));
    assert_refused(&wire, 400, cases.into()).await;
    let plain = exchange(&wire, with(&wire, b"connection: Close, TE\r\n")).await;
    assert_eq!(plain.statuses, [200], "{}", plain.text);
}

#[tokio::test]
async fn h40_a_head_past_its_bounds_is_refused_before_anybody_asks_who_it_is() {
    let wire = Wire::configured(SOON).await;
    let large = |bytes: usize| format!("x-large: {}\r\n", "1".repeat(bytes));
    let heads = [
        ("101 lines", "x-line: 1\r\n".repeat(97)),
        ("500 parameters", "mcp-param-a: 1\r\n".repeat(240)),
        ("33 KiB", large(33 * 1024)),
        ("two of 20 KiB", large(20 * 1024).repeat(2)),
    ];
    for stranger in [false, true] {
        let cases = heads.iter().map(|(what, lines)| {
            let mut request = String::from_utf8(with(&wire, lines.as_bytes())).unwrap();
            if stranger {
                request = request.replace(&wire.token, "x");
            }
            named(what, request)
        });
        assert_refused(&wire, 431, cases.collect()).await;
    }
    let decisions = wire.decisions().await;
    let refused = decisions.iter().filter(|it| *it == "headers_too_large");
    assert_eq!(refused.count(), 0, "strangers' records are no decisions");
    let fits = exchange(&wire, with(&wire, large(16 * 1024).as_bytes())).await;
    assert_eq!(fits.statuses, [200], "{}", fits.text);
}

#[tokio::test]
async fn limit_header_lines_hold_on_the_wire() {
    let wire =
        Wire::configured("limits: { header_lines: 8, head_timeout: 500ms, idle_timeout: 500ms }")
            .await;
    // The four of every request, and the length.
    for (more, status) in [(2, 200), (3, 200), (4, 431)] {
        let lines = "x-line: 1\r\n".repeat(more);
        let came = exchange(&wire, with(&wire, lines.as_bytes())).await;
        assert_eq!(came.statuses, [status], "{more}: {}", came.text);
    }
}
