//! What the head of a request must be before anything is decided on it. Never reads the body.

use http::{HeaderMap, HeaderName, Method};
use pingora::http::RequestHeader;
use pingora::proxy::Session;

use crate::config::Limits;
use crate::mcp::Mirrored;
use crate::model::Reason;

/// Headers of which a second line would let two readers see two requests.
const SINGLE: [HeaderName; 4] = [
    http::header::HOST,
    http::header::CONTENT_TYPE,
    http::header::CONTENT_LENGTH,
    http::header::ORIGIN,
];
/// The mirrored headers of MCP: a second line is a mismatch (400, -32020).
const MIRRORED: [&str; 4] = [
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
];
/// What `Connection` may name. Anything else would strip a header after it was checked.
const NOMINATIONS: [&str; 3] = ["close", "keep-alive", "te"];

/// Refuses a head that two parsers could read differently, or that is too large.
///
/// # Errors
/// `HeadersTooLarge` or `RequestMalformed`.
pub(crate) fn check(head: &RequestHeader, limits: &Limits) -> Result<(), Reason> {
    let headers = &head.headers;
    let size: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    let lines = u32::try_from(headers.len()).unwrap_or(u32::MAX);
    if size + head.raw_path().len() > limits.headers || lines > limits.header_lines {
        return Err(Reason::HeadersTooLarge);
    }
    let is_doubled = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    if SINGLE.iter().any(is_doubled) {
        return Err(Reason::RequestMalformed);
    }
    let http1 = head.version <= http::Version::HTTP_11;
    // RFC 9112 section 3.2: pingora lets an HTTP/1.1 request without Host pass.
    if http1 && !headers.contains_key(http::header::HOST) {
        return Err(Reason::RequestMalformed);
    }
    if !has_plain_framing(headers) || !has_plain_nominations(headers) {
        return Err(Reason::RequestMalformed);
    }
    Ok(())
}

/// The path as bytes, without the query: never decoded, so that nothing else can be meant. `None` where the request line
/// has a `#`, which no target may (RFC 9112 section 3.2) and which is gone from the parsed one.
pub(crate) fn path(session: &Session) -> Option<&[u8]> {
    if !session.is_http2() {
        let head = session.downstream_session.to_h1_raw();
        let line = head.split(|byte| *byte == b'\n').next()?;
        if line.contains(&b'#') {
            return None;
        }
    }
    let target = session.req_header().raw_path();
    target.split(|byte| *byte == b'?').next()
}

/// `Transfer-Encoding` is absent or exactly `chunked` (RFC 9112 section 6.1).
fn has_plain_framing(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(http::header::TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

fn has_plain_nominations(headers: &HeaderMap) -> bool {
    headers
        .get_all(http::header::CONNECTION)
        .iter()
        .all(|line| {
            line.to_str().is_ok_and(|text| {
                text.split(',').map(str::trim).all(|option| {
                    option.is_empty()
                        || NOMINATIONS
                            .iter()
                            .any(|known| option.eq_ignore_ascii_case(known))
                })
            })
        })
}

/// The mirrored headers, each at most once.
///
/// # Errors
/// `HeaderMismatch` when one of them has two lines.
pub(crate) fn mirrored(headers: &HeaderMap) -> Result<Mirrored<'_>, Reason> {
    if MIRRORED
        .iter()
        .any(|name| headers.get_all(*name).iter().nth(1).is_some())
    {
        return Err(Reason::HeaderMismatch);
    }
    let bytes = |name: &str| headers.get(name).map(http::HeaderValue::as_bytes);
    Ok(Mirrored {
        protocol_version: bytes("mcp-protocol-version"),
        method: bytes("mcp-method"),
        name: bytes("mcp-name"),
    })
}

/// Only uncompressed `application/json` in UTF-8 reaches the parser.
///
/// # Errors
/// `MediaTypeUnsupported` or `ContentEncodingUnsupported`.
pub(crate) fn check_media(headers: &HeaderMap) -> Result<(), Reason> {
    if headers.contains_key(http::header::CONTENT_ENCODING) {
        return Err(Reason::ContentEncodingUnsupported);
    }
    let media = headers
        .get(http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if media.is_some_and(is_plain_json) {
        Ok(())
    } else {
        Err(Reason::MediaTypeUnsupported)
    }
}

fn is_plain_json(media: &str) -> bool {
    let mut parts = media.split(';').map(str::trim);
    let named = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    named
        && parts.all(|parameter| {
            let Some((key, value)) = parameter.split_once('=') else {
                return false;
            };
            let value = value.trim().trim_matches('"');
            key.trim().eq_ignore_ascii_case("charset") && value.eq_ignore_ascii_case("utf-8")
        })
}

/// What an MCP endpoint is asked to do, by HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// A message.
    Post,
    /// The event stream of a session (before 2026-07-28).
    Get,
    /// The end of a session (before 2026-07-28).
    Delete,
}

impl Verb {
    /// # Errors
    /// `HttpMethodNotAllowed`.
    pub(crate) fn of(method: &Method) -> Result<Self, Reason> {
        match method.as_str() {
            "POST" => Ok(Self::Post),
            "GET" => Ok(Self::Get),
            "DELETE" => Ok(Self::Delete),
            _ => Err(Reason::HttpMethodNotAllowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Verb, check, check_media, mirrored};
    use crate::config::Limits;
    use crate::model::Reason;
    use http::HeaderMap;
    use pingora::http::RequestHeader;

    fn head(lines: &[(&'static str, &str)]) -> RequestHeader {
        let mut head = RequestHeader::build("POST", b"/mcp", None).unwrap();
        for (name, value) in lines {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    fn media(lines: &[(&'static str, &'static str)]) -> Result<(), Reason> {
        let headers: HeaderMap = lines
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        check_media(&headers)
    }

    fn checked(lines: &[(&'static str, &str)]) -> Result<(), Reason> {
        check(&head(lines), &Limits::default())
    }

    #[test]
    fn a_plain_head_passes() {
        assert_eq!(
            checked(&[("host", "gw"), ("connection", "keep-alive")]),
            Ok(())
        );
    }

    #[test]
    fn h18_a_head_without_host_is_refused() {
        assert_eq!(checked(&[]), Err(Reason::RequestMalformed));
    }

    #[test]
    fn h33_a_connection_header_that_nominates_ours_is_refused() {
        for nominated in ["close, Mcp-Name", "Authorization", "close,x", "upgrade"] {
            let lines = [("host", "gw"), ("connection", nominated)];
            assert_eq!(
                checked(&lines),
                Err(Reason::RequestMalformed),
                "{nominated}"
            );
        }
        let lines = [("host", "gw"), ("connection", "close, TE,,keep-alive")];
        assert_eq!(checked(&lines), Ok(()));
    }

    #[test]
    fn h03_a_transfer_coding_other_than_chunked_is_refused() {
        for coding in ["identity, chunked", "chunked;q=1", "gzip", "xchunked", ""] {
            let lines = [("host", "gw"), ("transfer-encoding", coding)];
            assert_eq!(checked(&lines), Err(Reason::RequestMalformed), "{coding}");
        }
        let once = [("host", "gw"), ("transfer-encoding", "Chunked")];
        let twice = [once[0], once[1], once[1]];
        assert_eq!(checked(&twice), Err(Reason::RequestMalformed));
        assert_eq!(checked(&once), Ok(()));
    }

    #[test]
    fn limit_headers_at_and_past_the_bound() {
        // "host" + "gw" + 4, and the path "/mcp".
        let bounded = |headers| Limits {
            headers,
            ..Limits::default()
        };
        let check = |bytes| check(&head(&[("host", "gw")]), &bounded(bytes));
        assert_eq!((check(15), check(14)), (Ok(()), Ok(())));
        assert_eq!(check(13), Err(Reason::HeadersTooLarge));
    }

    #[test]
    fn limit_header_lines_at_and_past_the_bound() {
        let limits = Limits {
            header_lines: 3,
            ..Limits::default()
        };
        let line = ("x-line", "1");
        let check = |lines: &[_]| check(&head(lines), &limits);
        let host = ("host", "gw");
        assert_eq!(check(&[host, line]), Ok(()));
        assert_eq!(check(&[host, line, line]), Ok(()));
        let past = check(&[host, line, line, line]);
        assert_eq!(
            past,
            Err(Reason::HeadersTooLarge),
            "every line counts, of one name too"
        );
    }

    #[test]
    fn h37_only_plain_json_reaches_the_parser() {
        for good in [
            "application/json",
            "Application/JSON ; charset=\"UTF-8\"",
            "application/json;charset=utf-8",
        ] {
            assert_eq!(media(&[("content-type", good)]), Ok(()), "{good}");
        }
        for bad in [
            "text/plain",
            "application/jsonx",
            "application/json;charset=utf-16",
            "application/json; q=1",
        ] {
            assert_eq!(
                media(&[("content-type", bad)]),
                Err(Reason::MediaTypeUnsupported),
                "{bad}"
            );
        }
        assert_eq!(media(&[]), Err(Reason::MediaTypeUnsupported));
        let packed = [
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        assert_eq!(media(&packed), Err(Reason::ContentEncodingUnsupported));
    }

    #[test]
    fn a_doubled_mirrored_header_is_a_mismatch() {
        let mut headers = HeaderMap::new();
        headers.append("mcp-name", "a".parse().unwrap());
        assert!(mirrored(&headers).is_ok());
        headers.append("mcp-name", "a".parse().unwrap());
        assert_eq!(mirrored(&headers).err(), Some(Reason::HeaderMismatch));
    }

    #[test]
    fn h19_methods_are_compared_as_bytes() {
        assert_eq!(Verb::of(&http::Method::POST), Ok(Verb::Post));
        for other in ["post", "PUT", "TRACE", "HEAD"] {
            let method = http::Method::from_bytes(other.as_bytes()).unwrap();
            assert_eq!(Verb::of(&method), Err(Reason::HttpMethodNotAllowed));
        }
    }
}
