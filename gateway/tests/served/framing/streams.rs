//! Requests over HTTP/2 that would be two, or others, for a reader of HTTP/1.

use super::http2::{DATA, END_HEADERS, END_STREAM, Fate, HEADERS, Http2, TARGET, block, request};
use super::{SOON, allowed};
use crate::support::PATH;
use crate::wire::Wire;

type Line<'a> = (&'a [u8], &'a [u8]);

async fn assert_served(wire: &Wire, client: &mut Http2, stream: u32) {
    client
        .ask(stream, &request(wire, &TARGET, &[]), allowed().as_bytes())
        .await;
    let fate = client.fate(stream).await;
    assert!(matches!(fate, Fate::Served(_)), "{fate:?}");
}

/// Sends this request on a connection of its own, which nothing must come of; others go on.
async fn assert_refused(wire: &Wire, what: &str, block: &[u8], body: &[u8]) {
    let (mut client, mut sibling) = (Http2::connect(wire).await, Http2::connect(wire).await);
    assert_served(wire, &mut sibling, 1).await;
    let before = wire.upstream.count();
    client.ask(1, block, body).await;
    let fate = client.fate(1).await;
    assert!(!matches!(fate, Fate::Served(_)), "{what}: {fate:?}");
    assert_eq!(wire.upstream.count(), before, "{what} arrived");
    assert_served(wire, &mut sibling, 3).await;
}

/// Targets that are none. `evil` is a path with lines of its own.
fn bent(evil: &[u8]) -> Vec<(&'static str, Vec<Line<'_>>)> {
    fn put<'a>(at: usize, line: Line<'a>) -> Vec<Line<'a>> {
        let mut lines: Vec<Line<'a>> = TARGET.to_vec();
        lines[at] = line;
        lines
    }
    fn and(line: Line<'static>) -> Vec<Line<'static>> {
        [&TARGET[..], &[line]].concat()
    }
    fn without(at: usize) -> Vec<Line<'static>> {
        let mut lines = TARGET.to_vec();
        lines.remove(at);
        lines
    }
    let [_, scheme, authority, path] = TARGET;
    let connect: Line<'_> = (b":method", b"CONNECT");
    let websocket: Line<'_> = (b":protocol", b"websocket");
    let wrapped: Line<'_> = (b":method", b"POST /x HTTP/1.1\r\nx:");
    vec![
        ("a line in the path", put(3, (b":path", evil))),
        ("a space in the path", put(3, (b":path", b"/crm/mcp x"))),
        ("an empty path", put(3, (b":path", b""))),
        ("two paths", and(path)),
        ("two methods", and((b":method", b"GET"))),
        ("two authorities", and((b":authority", b"evil.test"))),
        ("no path", without(3)),
        ("no method", without(0)),
        ("no scheme", without(1)),
        ("an unknown one", and((b":evil", b"1"))),
        ("one of an answer", and((b":status", b"200"))),
        ("a user", put(2, (b":authority", b"u@localhost"))),
        ("a method with a line", put(0, wrapped)),
        ("CONNECT", vec![connect, authority]),
        (
            "extended CONNECT",
            vec![connect, websocket, scheme, authority, path],
        ),
    ]
}

#[tokio::test]
async fn h23_pseudo_headers_are_there_once_in_front_and_of_the_grammar() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let [method, scheme, authority, path] = TARGET;
    let evil = [PATH.as_bytes(), b" HTTP/1.1\r\nhost: evil.test\r\nx: "].concat();
    for (what, first) in bent(&evil) {
        assert_refused(&wire, what, &request(&wire, &first, &[]), body.as_bytes()).await;
    }
    let behind = request(&wire, &[method, scheme, authority], &[path]);
    assert_refused(&wire, "a path behind headers", &behind, body.as_bytes()).await;
}

#[tokio::test]
async fn h23_headers_of_http_1_connections_have_no_place_in_http_2() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let longer = (body.len() + 1).to_string();
    let shorter = (body.len() - 1).to_string();
    let whole = body.len().to_string();
    let lines: Vec<Vec<Line<'_>>> = vec![
        vec![(b"transfer-encoding", b"chunked")],
        vec![(b"transfer-encoding", b"identity")],
        vec![(b"connection", b"close")],
        vec![(b"keep-alive", b"1")],
        vec![(b"upgrade", b"websocket")],
        vec![(b"proxy-connection", b"keep-alive")],
        vec![(b"te", b"gzip")],
        vec![(b"content-length", longer.as_bytes())],
        vec![(b"content-length", shorter.as_bytes())],
        vec![
            (b"content-length", whole.as_bytes()),
            (b"content-length", b"0"),
        ],
        vec![(b"content-length", b"+5")],
        vec![(b"X-Upper", b"1")],
        vec![(b"host", b"evil.test")],
        vec![(b"host", b"localhost:8080"), (b"host", b"localhost:8080")],
    ];
    for last in lines {
        let what = format!(
            "{:?}",
            last.iter()
                .map(|(name, value)| {
                    format!(
                        "{}: {}",
                        String::from_utf8_lossy(name),
                        String::from_utf8_lossy(value)
                    )
                })
                .collect::<Vec<_>>()
        );
        assert_refused(
            &wire,
            &what,
            &request(&wire, &TARGET, &last),
            body.as_bytes(),
        )
        .await;
    }
}

#[tokio::test]
async fn h24_nothing_in_a_header_of_http_2_becomes_a_line_of_http_1() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let lines: [Line<'_>; 8] = [
        (b"user-agent", b"a\r\nx-role: admin"),
        (b"user-agent", b"a\nx-role: admin"),
        (b"user-agent", b"a\rx-role: admin"),
        (b"user-agent", b"a\x00b"),
        (b"user-agent: a\r\nx-role", b"admin"),
        (b"user agent", b"a"),
        (b"user-agent:", b"a"),
        (b"", b"a"),
    ];
    for line in lines {
        let what = format!("{}: {}", line.0.escape_ascii(), line.1.escape_ascii());
        assert_refused(
            &wire,
            &what,
            &request(&wire, &TARGET, &[line]),
            body.as_bytes(),
        )
        .await;
    }
    for arrived in wire.upstream.arrived() {
        assert_eq!(arrived.header("x-role"), None);
        assert_eq!(arrived.body, body);
    }
}

#[tokio::test]
async fn h12_a_stream_that_ends_early_or_never_is_no_request() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let length = body.len().to_string();
    let head = request(&wire, &TARGET, &[(b"content-length", length.as_bytes())]);
    let cut = &body.as_bytes()[..body.len() - 1];
    assert_refused(&wire, "one byte is missing", &head, cut).await;

    let before = wire.upstream.count();
    let mut client = Http2::connect(&wire).await;
    client.send(HEADERS, END_HEADERS, 1, &head).await;
    client.send(DATA, 0, 1, cut).await;
    let fate = client.fate(1).await;
    let Fate::Refused(text) = &fate else {
        panic!("{fate:?}");
    };
    assert!(text.contains("body_incomplete"), "{text}");
    assert_served(&wire, &mut client, 3).await;
    assert_eq!(wire.upstream.count(), before + 1);
}

#[tokio::test]
async fn h11_trailers_of_http_2_are_not_headers() {
    let wire = Wire::configured(SOON).await;
    let body = allowed();
    let mut client = Http2::connect(&wire).await;
    let trailers: [Line<'_>; 3] = [
        (b"x-role", b"admin"),
        (b"authorization", b"Bearer x"),
        (b"x-last", b"1"),
    ];
    client
        .send(HEADERS, END_HEADERS, 1, &request(&wire, &TARGET, &[]))
        .await;
    client.send(DATA, 0, 1, body.as_bytes()).await;
    client
        .send(HEADERS, END_HEADERS | END_STREAM, 1, &block(&trailers))
        .await;
    let fate = client.fate(1).await;
    assert!(matches!(fate, Fate::Served(_)), "{fate:?}");
    let arrived = wire.upstream.arrived();
    assert_eq!((arrived.len(), &arrived[0].body[..]), (1, body.as_bytes()));
    for name in ["x-role", "authorization", "x-last"] {
        assert_eq!(arrived[0].header(name), None, "{name}");
    }
}

#[tokio::test]
async fn h40_header_bounds_hold_over_http_2() {
    let wire = Wire::configured("limits: { header_lines: 8 }").await;
    let line: Line<'_> = (b"x-line", b"1");
    // The three usual ones.
    for (more, is_served) in [(4, true), (5, true), (6, false)] {
        let mut client = Http2::connect(&wire).await;
        let head = request(&wire, &TARGET, &vec![line; more]);
        client.ask(1, &head, allowed().as_bytes()).await;
        let fate = client.fate(1).await;
        assert_eq!(
            matches!(fate, Fate::Served(_)),
            is_served,
            "{more}: {fate:?}"
        );
    }
    let before = wire.upstream.count();
    let large = vec![b'1'; 33 * 1024];
    let mut client = Http2::connect(&wire).await;
    let head = request(&wire, &TARGET, &[(b"x-large", &large)]);
    let (first, rest) = head.split_at(16_000);
    client.send(HEADERS, END_STREAM, 1, first).await;
    let (second, third) = rest.split_at(16_000);
    client.send(super::http2::CONTINUATION, 0, 1, second).await;
    client
        .send(super::http2::CONTINUATION, END_HEADERS, 1, third)
        .await;
    let fate = client.fate(1).await;
    assert!(!matches!(fate, Fate::Served(_)), "{fate:?}");
    assert_eq!(wire.upstream.count(), before);
}
