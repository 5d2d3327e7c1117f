//! The head that a permitted request has upstream: an allow-list of the client's headers and our own. The
//! client's credential is not on it.

use http::HeaderName;
use pingora::http::RequestHeader;

use crate::mcp::{Era, Method};
use crate::proxy::progress::{Forwarding, Passage};

/// What a client may say to a server in its head: everything else is dropped.
const PASSED: [&str; 10] = [
    "accept",
    "accept-language",
    "content-type",
    "user-agent",
    "mcp-protocol-version",
    "traceparent",
    "tracestate",
    "baggage",
    "transfer-encoding",
    "content-length",
];
/// Before 2026-07-28.
const LEGACY: [&str; 2] = ["mcp-session-id", "last-event-id"];
/// Since 2026-07-28. Before, they are nobody's word: the body was decided on.
const MODERN: [&str; 2] = ["mcp-method", "mcp-name"];
/// Since 2026-07-28: arguments that the server wants in the head.
const MODERN_PARAMETER: &str = "mcp-param-";

/// Turns the client's head into the upstream's.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(crate) fn head(forwarding: &Forwarding, request: &mut RequestHeader) -> pingora::Result<()> {
    let dropped: Vec<HeaderName> = request
        .headers
        .keys()
        .filter(|name| !passes(name.as_str(), forwarding.era))
        .cloned()
        .collect();
    for name in &dropped {
        request.remove_header(name);
    }
    // Who opens a session does not name one: the server would answer in it.
    if forwarding.passage.calls(Method::Initialize) {
        request.remove_header("mcp-session-id");
    }
    // Answers are delivered again on the stream of a session, and there to its owner alone.
    let resumes = matches!(forwarding.passage, Passage::OpenStream)
        && request.headers.contains_key("mcp-session-id");
    if !resumes {
        request.remove_header("last-event-id");
    }
    let upstream = &forwarding.route.upstream;
    request.set_raw_path(upstream.path().as_bytes())?;
    request.insert_header(http::header::HOST, upstream.authority())?;
    // A compressed answer could not be filtered.
    request.insert_header(http::header::ACCEPT_ENCODING, "identity")?;
    request.insert_header("x-request-id", forwarding.permit.request_id())?;
    request.remove_header(&http::header::TRANSFER_ENCODING);
    match &forwarding.body {
        Some(body) => request.insert_header(http::header::CONTENT_LENGTH, body.len())?,
        None => drop(request.remove_header(&http::header::CONTENT_LENGTH)),
    }
    Ok(())
}

fn passes(name: &str, era: Era) -> bool {
    // Servers that take `_` for `-` would read another name than the one that is on the list.
    if name.contains('_') {
        return false;
    }
    let of_era = match era {
        Era::Legacy => LEGACY.contains(&name),
        Era::Modern => MODERN.contains(&name) || name.starts_with(MODERN_PARAMETER),
    };
    of_era || PASSED.contains(&name)
}
