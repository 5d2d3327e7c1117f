//! The head that a permitted request has upstream: an allow-list of the client's headers and our own. The
//! client's credential is not on it.

use http::HeaderName;
use pingora::http::RequestHeader;

use crate::mcp::Era;
use crate::mcp::trace::Field;
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
/// Before 2026-07-28. The session goes by the name that the server gave it.
const LEGACY: [&str; 1] = ["last-event-id"];
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
    drop_bad_trace(request);
    let session = forwarding.standing.session();
    if let Some(session) = session {
        request.insert_header("mcp-session-id", session.upstream_id())?;
    }
    // Answers are delivered again on the stream of a session, and there to its owner alone.
    let resumes = matches!(forwarding.passage, Passage::OpenStream) && session.is_some();
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

/// A receiver that cannot read a trace starts its own (W3C Trace Context section 4.3): it gets none that is malformed,
/// doubled or too long.
fn drop_bad_trace(request: &mut RequestHeader) {
    for field in Field::ALL {
        let mut lines = request.headers.get_all(field.name()).iter();
        let is_good = match (lines.next(), lines.next()) {
            (None, _) => true,
            (Some(line), None) => field.is_well_formed(line.as_bytes()),
            (Some(_), Some(_)) => false,
        };
        if !is_good {
            request.remove_header(field.name());
        }
    }
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
