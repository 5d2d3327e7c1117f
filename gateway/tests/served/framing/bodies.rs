//! Where a body ends: two readers of these bytes would see different requests, or see one where none is.

use super::{SOON, allowed, assert_refused, assert_served, exchange, post, smuggled, start};
use crate::support::PATH;
use crate::wire::Wire;

/// One request of these lines and this body.
fn request(wire: &Wire, lines: &str, body: &str) -> Vec<u8> {
    format!("{}{lines}\r\n{body}", post(wire)).into_bytes()
}

fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

#[tokio::test]
async fn h01_a_length_beside_chunks_ends_with_the_chunks_and_the_connection() {
    let wire = Wire::configured(SOON).await;
    for lines in [
        "content-length: 4\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 4\r\n",
    ] {
        let tail = format!("0\r\n\r\n{}", smuggled(&wire));
        let came = exchange(&wire, request(&wire, lines, &tail)).await;
        assert_eq!(came.statuses, [400], "{}", came.text);
        assert_eq!(wire.upstream.count(), 0, "the tail is nobody's request");

        let tail = format!("{}{}", chunked("[]"), smuggled(&wire));
        let came = exchange(&wire, request(&wire, lines, &tail)).await;
        assert_eq!(came.statuses, [400], "{}", came.text);
        assert_eq!(wire.upstream.count(), 0);
    }
    assert_served(&wire).await;
}

#[tokio::test]
async fn h02_chunks_beside_a_length_are_read_as_chunks_alone() {
    let wire = Wire::configured(SOON).await;
    let inner = smuggled(&wire);
    let lines = "transfer-encoding: chunked\r\ncontent-length: 6\r\n";
    let came = exchange(&wire, request(&wire, lines, &chunked(&inner))).await;
    assert_eq!(came.statuses, [400], "{}", came.text);
    assert_eq!(wire.upstream.count(), 0);
    assert_served(&wire).await;
}

#[tokio::test]
async fn h03_a_transfer_coding_that_is_not_exactly_chunked_is_refused() {
    let wire = Wire::configured(SOON).await;
    let codings = [
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: identity, chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked;q=1\r\n",
        "transfer-encoding: \"chunked\"\r\n",
        "transfer-encoding:\r\n",
    ];
    let cases = codings.map(|coding| {
        let tail = format!("{}{}", chunked(&allowed()), smuggled(&wire));
        (coding.to_owned(), request(&wire, coding, &tail))
    });
    assert_refused(&wire, 400, cases.into()).await;
}

#[tokio::test]
async fn h06_a_length_is_digits_and_there_is_one() {
    let wire = Wire::configured(SOON).await;
    let length = allowed().len();
    let lengths = [
        format!("content-length: +{length}\r\n"),
        "content-length: -0\r\n".to_owned(),
        format!("content-length: {length} {length}\r\n"),
        format!("content-length: {length},{}\r\n", length + 1),
        format!("content-length: 0x{length:x}\r\n"),
        "content-length: 1e2\r\n".to_owned(),
        "content-length: 18446744073709551616\r\n".to_owned(),
        "content-length:\r\n".to_owned(),
        format!("content-length: {length}\r\ncontent-length: 0\r\n"),
        format!("content-length: 0\r\ncontent-length: {length}\r\n"),
        format!("content-length: {length}\r\ncontent-length: {length}\r\n"),
    ];
    let cases = lengths.map(|lines| (lines.clone(), request(&wire, &lines, &allowed())));
    assert_refused(&wire, 400, cases.into()).await;
}

#[tokio::test]
async fn h06_a_length_that_is_named_twice_in_a_line_is_forwarded_once_or_not_at_all() {
    let wire = Wire::configured(SOON).await;
    let length = allowed().len();
    let lines = format!("content-length: {length}, {length}\r\n");
    let came = exchange(&wire, request(&wire, &lines, &allowed())).await;
    assert_eq!(came.statuses.len(), 1, "{}", came.text);
    for arrived in wire.upstream.arrived() {
        assert_eq!(arrived.header("content-length"), Some(&*length.to_string()));
        assert_eq!(arrived.body, allowed());
    }
}

#[tokio::test]
async fn h07_a_body_where_none_belongs_is_never_forwarded_and_never_a_request() {
    let wire = Wire::configured(SOON).await;
    let inner = smuggled(&wire);
    let framings = [
        format!("content-length: {}\r\n\r\n{inner}", inner.len()),
        format!("transfer-encoding: chunked\r\n\r\n{}", chunked(&inner)),
    ];
    for (method, status) in [("GET", 400), ("DELETE", 400), ("HEAD", 405)] {
        let head = start(&wire, &format!("{method} {PATH} HTTP/1.1"));
        let cases = framings.iter().map(|rest| {
            let what = format!("{method} {rest:.20}");
            (what, format!("{head}{rest}").into_bytes())
        });
        assert_refused(&wire, status, cases.collect()).await;
    }
}

#[tokio::test]
async fn h10_chunks_that_two_readers_could_read_differently_are_refused() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let size = format!("{:x}", body.len());
    let bodies = [
        format!("0x{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("+{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("-{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("1{}{size}\r\n{body}\r\n0\r\n\r\n", "0".repeat(16)),
        format!("{size}\n{body}\r\n0\r\n\r\n"),
        format!("{size}\r\n{body}0\r\n\r\n"),
        format!(
            "{size};a={}\r\n{body}\r\n0\r\n\r\n",
            "b".repeat(1024 * 1024)
        ),
        format!("\r\n{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("g{size}\r\n{body}\r\n0\r\n\r\n"),
    ];
    for chunks in bodies {
        let tail = format!("{chunks}{}", smuggled(&wire));
        let came = exchange(
            &wire,
            request(&wire, "transfer-encoding: chunked\r\n", &tail),
        )
        .await;
        let what = format!("{chunks:.30}");
        assert!(came.statuses.len() <= 1, "{what:?}: {}", came.text);
        let is_refused = |status: &u16| (400..500).contains(status);
        assert!(
            came.statuses.iter().all(is_refused),
            "{what:?}: {}",
            came.text
        );
        assert_eq!(wire.upstream.count(), 0, "{what:?} arrived");
    }
    assert_served(&wire).await;
}

#[tokio::test]
async fn h10_nothing_behind_chunks_is_ever_a_request() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let endings = ["\r\n0\r\n", "xx0\r\n", "\n\n0\r\n", "\r\r0\r\n", "\r\n\r\n"];
    for ending in endings {
        let chunks = format!("{:x}\r\n{body}{ending}\r\n", body.len());
        let tail = format!("{chunks}{}", smuggled(&wire));
        let came = exchange(
            &wire,
            request(&wire, "transfer-encoding: chunked\r\n", &tail),
        )
        .await;
        assert_eq!(came.statuses.len(), 1, "{ending:?}: {}", came.text);
        assert!(
            came.text.to_ascii_lowercase().contains("connection: close"),
            "{}",
            came.text
        );
    }
    assert!(wire.upstream.count() <= endings.len());
    assert!(wire.upstream.arrived().iter().all(|it| it.body == body));
}

#[tokio::test]
async fn h10_an_extension_of_a_chunk_means_nothing() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let chunks = format!("{:X};name=value\r\n{body}\r\n0;last\r\n\r\n", body.len());
    let came = exchange(
        &wire,
        request(&wire, "transfer-encoding: chunked\r\n", &chunks),
    )
    .await;
    assert_eq!(came.statuses.len(), 1, "{}", came.text);
    assert!(wire.upstream.arrived().iter().all(|it| it.body == body));
}

#[tokio::test]
async fn h11_trailers_are_not_headers() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let trailers =
        "authorization: Bearer other\r\nx-role: admin\r\nmcp-session-id: 1\r\nx-last: 1\r\n";
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n{trailers}\r\n", body.len());
    let came = exchange(
        &wire,
        request(&wire, "transfer-encoding: chunked\r\n", &chunks),
    )
    .await;
    assert_eq!(came.statuses, [200], "{}", came.text);
    let arrived = wire.upstream.arrived();
    assert_eq!((arrived.len(), &arrived[0].body[..]), (1, body.as_bytes()));
    for name in ["authorization", "x-role", "mcp-session-id", "x-last"] {
        assert_eq!(arrived[0].header(name), None, "{name}");
    }

    let token = format!("authorization: Bearer {}\r\n", wire.token);
    let late = format!("{:x}\r\n{body}\r\n0\r\n{token}\r\n", body.len());
    let head = post(&wire).replace(&token, "");
    let stranger = format!("{head}transfer-encoding: chunked\r\n\r\n{late}");
    let came = exchange(&wire, stranger).await;
    assert_eq!(came.statuses, [401], "{}", came.text);
    assert_eq!(wire.upstream.count(), 1);
}

#[tokio::test]
async fn h11_trailers_have_a_bound() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let line = format!("x-line: {}\r\n", "1".repeat(1000));
    let trailers = line.repeat(2000);
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n{trailers}\r\n", body.len());
    let came = exchange(
        &wire,
        request(&wire, "transfer-encoding: chunked\r\n", &chunks),
    )
    .await;
    assert!(
        came.statuses.iter().all(|status| *status >= 400),
        "{}",
        came.text
    );
    assert_eq!(wire.upstream.count(), 0);
    assert_served(&wire).await;
}
