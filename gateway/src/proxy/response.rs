//! The answer of an upstream on its way to the client: an allow-list of headers, filtered lists, and
//! nothing that could be taken for a challenge, a redirect or a cookie.

use bytes::{Bytes, BytesMut};
use http::{HeaderName, StatusCode};
use pingora::http::ResponseHeader;

use crate::decision::Gate;
use crate::mcp::reply::SummaryTap;
use crate::mcp::{Era, Listing, Method, SseFilter};
use crate::model::Reason;
use crate::proxy::origin;
use crate::proxy::progress::{Forwarding, OpenStream, Passage};
use crate::proxy::refuse::error_message;
use crate::proxy::trim::{Trim, Unfilterable};

/// What an upstream may say in its head. Everything else is dropped.
const PASSED: [&str; 8] = [
    "content-type",
    "content-length",
    "transfer-encoding",
    "mcp-session-id",
    "mcp-protocol-version",
    "retry-after",
    "allow",
    "date",
];
const EVENT_STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";

/// The head of the answer.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(crate) fn head(
    forwarding: &mut Forwarding,
    asked: &pingora::http::RequestHeader,
    response: &mut ResponseHeader,
) -> pingora::Result<()> {
    if response.status.is_informational() {
        return Ok(());
    }
    forwarding.answered = Some(std::time::Instant::now());
    let media = media_type(response);
    let is_encoded = response
        .headers
        .contains_key(http::header::CONTENT_ENCODING);
    keep_passed(response);
    open_session(forwarding, response);
    let trim = if is_encoded || !may_pass(response.status) {
        replace(forwarding, response, StatusCode::BAD_GATEWAY)?
    } else {
        choose(forwarding, response, &media)?
    };
    if let Trim::Events(_) | Trim::List { .. } = &trim {
        length_unknown(response, asked.version)?;
    }
    forwarding.trim = trim;
    forwarding.status = Some(response.status.as_u16());
    if media == EVENT_STREAM {
        response.insert_header("x-accel-buffering", "no")?;
        forwarding.stream = Some(OpenStream::count(&forwarding.route.metrics));
    }
    response.insert_header("cache-control", "no-store")?;
    response.insert_header("x-request-id", forwarding.permit.request_id())?;
    if let Some(origin) = forwarding.services.origins.of(&asked.headers) {
        origin::expose(origin, response)?;
    }
    Ok(())
}

/// A challenge or a redirect of the upstream is about its own credentials, not the client's.
fn may_pass(status: StatusCode) -> bool {
    !status.is_redirection() && status != StatusCode::UNAUTHORIZED
}

fn media_type(response: &ResponseHeader) -> String {
    let mut lines = response.headers.get_all(http::header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return String::new();
    };
    let text = line.to_str().unwrap_or_default();
    text.split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

fn keep_passed(response: &mut ResponseHeader) {
    let dropped: Vec<HeaderName> = response
        .headers
        .keys()
        .filter(|name| !PASSED.contains(&name.as_str()))
        .cloned()
        .collect();
    for name in &dropped {
        response.remove_header(name);
    }
}

/// A session belongs to who initialized it; only that answer may name one.
fn open_session(forwarding: &Forwarding, response: &mut ResponseHeader) {
    let is_initialize = forwarding.passage.calls(Method::Initialize);
    match response.headers.get("mcp-session-id") {
        Some(id) if is_initialize && response.status.is_success() => {
            let server = &forwarding.route.audience.server;
            forwarding
                .services
                .sessions
                .open(server, id.as_bytes(), forwarding.permit.principal());
        }
        Some(_) if forwarding.era == Era::Modern => {
            response.remove_header("mcp-session-id");
        }
        _ => {}
    }
}

fn choose(
    forwarding: &mut Forwarding,
    response: &mut ResponseHeader,
    media: &str,
) -> pingora::Result<Trim> {
    let cap = forwarding.services.limits.list;
    let Some(call) = forwarding.passage.call() else {
        return choose_stream(forwarding, response, media);
    };
    match (call.method.listing(), media) {
        (Some(listing), EVENT_STREAM) => {
            let filter = SseFilter::for_list(listing, forwarding.era, call.id.clone(), cap);
            Ok(Trim::Events(Box::new(filter)))
        }
        (Some(listing), JSON) => Ok(Trim::List {
            listing,
            held: BytesMut::new(),
        }),
        // What is no list may say how it failed, in our words.
        (Some(_), _) if !response.status.is_success() => {
            replace(forwarding, response, response.status)
        }
        (Some(_), _) => replace(forwarding, response, StatusCode::BAD_GATEWAY),
        (None, _) => Ok(Trim::Pass(Some(tap(media)))),
    }
}

fn tap(media: &str) -> SummaryTap {
    if media == EVENT_STREAM {
        SummaryTap::events()
    } else {
        SummaryTap::json()
    }
}

/// What answers no request of this exchange.
fn choose_stream(
    forwarding: &mut Forwarding,
    response: &mut ResponseHeader,
    media: &str,
) -> pingora::Result<Trim> {
    let cap = forwarding.services.limits.list;
    match &forwarding.passage {
        // Answers to earlier requests, lists among them, may be delivered again on it.
        Passage::OpenStream if media == EVENT_STREAM => Ok(Trim::Events(Box::new(
            SseFilter::for_stream(forwarding.era, cap),
        ))),
        // A success that is no event stream could carry a list past the filter.
        Passage::OpenStream if response.status.is_success() => {
            replace(forwarding, response, StatusCode::BAD_GATEWAY)
        }
        Passage::OpenStream | Passage::EndSession | Passage::Message(_) => Ok(Trim::Pass(None)),
    }
}

/// Puts our own error in the place of the answer.
fn replace(
    forwarding: &mut Forwarding,
    response: &mut ResponseHeader,
    status: StatusCode,
) -> pingora::Result<Trim> {
    let reason = Reason::UpstreamProtocol;
    forwarding.failure = Some(reason);
    let body = error_message(
        reason,
        forwarding.permit.request_id(),
        forwarding.passage.id(),
    );
    response.set_status(status)?;
    response.remove_header("mcp-session-id");
    response.remove_header("transfer-encoding");
    response.insert_header("content-type", JSON)?;
    response.insert_header("content-length", body.len())?;
    Ok(Trim::Replace(Some(body)))
}

fn length_unknown(response: &mut ResponseHeader, asked: http::Version) -> pingora::Result<()> {
    response.remove_header("content-length");
    if asked <= http::Version::HTTP_11 {
        response.insert_header("transfer-encoding", "chunked")?;
    }
    Ok(())
}

/// One piece of the answer's body; `end` with the last.
///
/// # Errors
/// pingora's, to end a stream that cannot be filtered any further.
pub(crate) fn body(
    forwarding: &mut Forwarding,
    piece: &mut Option<Bytes>,
    end: bool,
) -> pingora::Result<()> {
    let mut trim = std::mem::replace(&mut forwarding.trim, Trim::Waiting);
    let treated = match &mut trim {
        Trim::Waiting => Ok(()),
        Trim::Pass(tap) => {
            if let (Some(tap), Some(bytes)) = (tap, &*piece) {
                tap.push(bytes);
            }
            Ok(())
        }
        Trim::Replace(message) => {
            *piece = message.take();
            Ok(())
        }
        Trim::List { listing, held } => hold(forwarding, *listing, held, piece, end),
        Trim::Events(filter) => events(forwarding, filter, piece, end),
    };
    forwarding.trim = match treated {
        Ok(()) => trim,
        Err(fault) => fail(forwarding, &fault, &trim, piece)?,
    };
    Ok(())
}

fn gate(forwarding: &Forwarding) -> Gate<'_> {
    Gate {
        table: &forwarding.services.policy,
        audience: &forwarding.route.audience,
        principal: forwarding.permit.principal(),
    }
}

fn hold(
    forwarding: &Forwarding,
    listing: Listing,
    held: &mut BytesMut,
    piece: &mut Option<Bytes>,
    end: bool,
) -> Result<(), Unfilterable> {
    if let Some(bytes) = piece.take() {
        if held.len() + bytes.len() > forwarding.services.limits.list {
            return Err(Unfilterable::TooLarge);
        }
        held.extend_from_slice(&bytes);
    }
    if !end || held.is_empty() {
        return Ok(());
    }
    let gate = gate(forwarding);
    let metrics = &forwarding.route.metrics;
    let mut allowed = |name: &str| {
        let shown = gate.shows(listing, name);
        if shown && listing == Listing::Tools {
            metrics.learn_tool(name);
        }
        shown
    };
    let filtered = crate::mcp::listing::filter(
        held,
        listing,
        forwarding.era,
        forwarding.passage.id(),
        &mut allowed,
    )?;
    *piece = Some(Bytes::from(filtered.message));
    Ok(())
}

fn events(
    forwarding: &Forwarding,
    filter: &mut SseFilter,
    piece: &mut Option<Bytes>,
    end: bool,
) -> Result<(), Unfilterable> {
    let gate = gate(forwarding);
    let mut allowed = |listing: Listing, name: &str| gate.shows(listing, name);
    let mut out = Vec::new();
    if let Some(bytes) = piece.take() {
        filter.push(&bytes, &mut allowed, &mut out)?;
    }
    if end {
        filter.finish(&mut allowed, &mut out)?;
    }
    *piece = (!out.is_empty() || end).then(|| Bytes::from(out));
    Ok(())
}

/// Fails closed: the client gets an error for its request, and nothing more of the answer.
fn fail(
    forwarding: &mut Forwarding,
    fault: &Unfilterable,
    trim: &Trim,
    piece: &mut Option<Bytes>,
) -> pingora::Result<Trim> {
    if forwarding.failure.is_some() {
        // The error is already sent: end the stream.
        return pingora::Error::e_explain(
            pingora::ErrorType::Custom("UnfilterableAnswer"),
            "after an error",
        );
    }
    tracing::warn!(
        server = %forwarding.route.audience.server,
        request_id = forwarding.permit.request_id(),
        %fault,
        "the upstream's answer cannot be filtered"
    );
    let reason = Reason::UpstreamProtocol;
    forwarding.failure = Some(reason);
    let message = error_message(
        reason,
        forwarding.permit.request_id(),
        forwarding.passage.id(),
    );
    *piece = Some(match trim {
        Trim::Events(_) => Bytes::from([b"data: ", message.as_ref(), b"\n\n"].concat()),
        Trim::Waiting | Trim::Pass(_) | Trim::List { .. } | Trim::Replace(_) => message,
    });
    Ok(Trim::Replace(None))
}
