//! The answer of an upstream on its way to the client: an allow-list of headers, filtered lists, and
//! nothing that could be taken for a challenge, a redirect or a cookie.

use bytes::{Bytes, BytesMut};
use http::{HeaderName, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};

use crate::decision::Gate;
use crate::mcp::listing::{Kind, filter, filter_any};
use crate::mcp::reply::{self, SummaryTap};
use crate::mcp::{Era, Item, ListFault, Listing, Method, SseFilter};
use crate::model::Reason;
use crate::proxy::progress::{Forwarding, OpenStream, Passage};
use crate::proxy::refuse::{error_message, give_nonce};
use crate::proxy::session::Ownership;
use crate::proxy::trim::{Trim, Unfilterable};
use crate::proxy::{deprecation, origin};

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
/// How such an answer is called among pingora's errors.
const UNFILTERABLE: &str = "UnfilterableAnswer";
const SESSION: &str = "mcp-session-id";
/// Bytes of an answer, or of one of its events, that is looked through although it should be no list.
const LARGEST: usize = 64 * 1024 * 1024;
const EVENT_STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";

/// The head of the answer.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(crate) fn head(
    forwarding: &mut Forwarding,
    asked: &RequestHeader,
    response: &mut ResponseHeader,
) -> pingora::Result<()> {
    // What follows would be no HTTP, and nobody was allowed to speak anything else.
    if response.status == StatusCode::SWITCHING_PROTOCOLS {
        return replace(forwarding, response.status);
    }
    if response.status.is_informational() {
        keep(response, &[]);
        return Ok(());
    }
    forwarding.answered = Some(std::time::Instant::now());
    forwarding.go_on()?;
    let media = media_type(response);
    let is_encoded = response
        .headers
        .contains_key(http::header::CONTENT_ENCODING);
    keep(response, &PASSED);
    let is_foreign = keep_session(forwarding, asked, response) == Ownership::Foreign;
    if is_encoded || is_foreign || !may_pass(response.status) {
        return replace(forwarding, response.status);
    }
    let trim = choose(forwarding, response, &media)?;
    if let Trim::Events(..) | Trim::Held { .. } = &trim {
        length_unknown(response, asked.version)?;
    }
    forwarding.trim = trim;
    forwarding.passed = Some(response.status.as_u16());
    if media == EVENT_STREAM {
        response.insert_header("x-accel-buffering", "no")?;
        forwarding.stream = Some(OpenStream::count(&forwarding.route.metrics));
    }
    response.insert_header("cache-control", "no-store")?;
    response.insert_header("x-request-id", forwarding.permit.request_id())?;
    give_nonce(forwarding.nonce.as_deref(), response)?;
    deprecation::tell(forwarding.permit.principal(), response)?;
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

fn keep(response: &mut ResponseHeader, passed: &[&str]) {
    let dropped: Vec<HeaderName> = response
        .headers
        .keys()
        .filter(|name| !passed.contains(&name.as_str()))
        .cloned()
        .collect();
    for name in &dropped {
        response.remove_header(name);
    }
}

/// A session belongs to who initialized it: only that answer may name a new one, and no answer another's.
fn keep_session(
    forwarding: &Forwarding,
    asked: &RequestHeader,
    response: &mut ResponseHeader,
) -> Ownership {
    let lines: Vec<_> = response.headers.get_all(SESSION).iter().cloned().collect();
    let [id] = lines.as_slice() else {
        response.remove_header(SESSION);
        return Ownership::Own;
    };
    if forwarding.passage.calls(Method::Initialize) && response.status.is_success() {
        let server = &forwarding.route.audience.server;
        let principal = forwarding.permit.principal();
        return forwarding
            .services
            .sessions
            .open(server, id.as_bytes(), principal);
    }
    if forwarding.era == Era::Modern || asked.headers.get(SESSION) != Some(id) {
        response.remove_header(SESSION);
    }
    Ownership::Own
}

/// Whether no body follows, in which no error of ours could take the place of a list.
fn is_bodiless(response: &ResponseHeader) -> bool {
    let length = response.headers.get(http::header::CONTENT_LENGTH);
    response.status == StatusCode::NO_CONTENT || length.is_some_and(|length| length == "0")
}

fn choose(
    forwarding: &mut Forwarding,
    response: &ResponseHeader,
    media: &str,
) -> pingora::Result<Trim> {
    let cap = forwarding.services.limits.list;
    let Some(call) = forwarding.passage.call() else {
        return choose_stream(forwarding, response, media);
    };
    match (call.method.listing(), media) {
        (Some(_), _) if is_bodiless(response) => replace(forwarding, response.status),
        (Some(listing), EVENT_STREAM) => {
            let filter = SseFilter::for_list(listing, forwarding.era, call.id.clone(), cap);
            Ok(Trim::Events(Box::new(filter), None))
        }
        (Some(listing), JSON) => Ok(Trim::hold(Some(listing))),
        (Some(_), _) => replace(forwarding, response.status),
        (None, _) if forwarding.era == Era::Modern => Ok(Trim::Pass(Some(tap(media)))),
        // Before 2026-07-28 a server finds the stream of an answer by the id of its request, which the client chose:
        // under the id of a list, a list may come here.
        (None, EVENT_STREAM) => {
            let filter = SseFilter::for_stream(forwarding.era, LARGEST);
            Ok(Trim::Events(Box::new(filter), Some(tap(media))))
        }
        (None, JSON) => Ok(Trim::hold(None)),
        (None, _) => Ok(Trim::Pass(None)),
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
    response: &ResponseHeader,
    media: &str,
) -> pingora::Result<Trim> {
    let cap = forwarding.services.limits.list;
    match &forwarding.passage {
        // Answers to earlier requests, lists among them, may be delivered again on it.
        Passage::OpenStream if media == EVENT_STREAM => Ok(Trim::Events(
            Box::new(SseFilter::for_stream(forwarding.era, cap)),
            None,
        )),
        // A success that is no event stream could carry a list past the filter.
        Passage::OpenStream if response.status.is_success() => replace(forwarding, response.status),
        Passage::OpenStream | Passage::EndSession | Passage::Message(_) => Ok(Trim::Pass(None)),
    }
}

/// Has our own error sent in the place of the answer. It goes through pingora's failure path, because an
/// answer without a body never reaches [`body`]. What the status of an error says stays: a client must
/// learn that its session is lost.
fn replace<T>(forwarding: &mut Forwarding, status: StatusCode) -> pingora::Result<T> {
    let is_error = status.is_client_error() || status.is_server_error();
    forwarding.failure = Some(Reason::UpstreamProtocol);
    forwarding.status = (is_error && may_pass(status)).then(|| status.as_u16());
    let kind = pingora::ErrorType::Custom(UNFILTERABLE);
    Err(pingora::Error::explain(kind, "not passed on").into_up())
}

fn length_unknown(response: &mut ResponseHeader, asked: http::Version) -> pingora::Result<()> {
    response.remove_header("content-length");
    // An HTTP/1.0 client reads to the end of the connection.
    if asked == http::Version::HTTP_11 {
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
    forwarding.go_on()?;
    let mut trim = std::mem::replace(&mut forwarding.trim, Trim::Waiting);
    let treated = match &mut trim {
        Trim::Waiting => Ok(()),
        Trim::Pass(tap) => {
            if let (Some(tap), Some(bytes)) = (tap, &*piece) {
                tap.push(bytes);
            }
            Ok(())
        }
        Trim::Ended => {
            *piece = None;
            Ok(())
        }
        Trim::Held {
            listing,
            held,
            summary,
        } => {
            let released = hold(forwarding, *listing, held, piece, end);
            if let (true, Some(message)) = (end && released.is_ok(), &*piece) {
                *summary = reply::summary(message);
            }
            released
        }
        Trim::Events(filter, tap) => {
            let passed = events(forwarding, filter, piece, end);
            if let (Some(tap), Some(bytes)) = (tap, &*piece) {
                tap.push(bytes);
            }
            passed
        }
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
        demands: &forwarding.route.demands,
        principal: forwarding.permit.principal(),
        now: forwarding.permit.request().at,
    }
}

/// Holds a JSON answer to its end, and releases what of it may be seen. Without a listing of its own it is an answer
/// of the older revisions, which is looked through for every list.
fn hold(
    forwarding: &Forwarding,
    listing: Option<Listing>,
    held: &mut BytesMut,
    piece: &mut Option<Bytes>,
    end: bool,
) -> Result<(), Unfilterable> {
    if let Some(bytes) = piece.take() {
        let limit = listing.map_or(LARGEST, |_| forwarding.services.limits.list);
        if held.len() + bytes.len() > limit {
            return Err(Unfilterable::TooLarge);
        }
        held.extend_from_slice(&bytes);
    }
    if !end || (held.is_empty() && listing.is_none()) {
        return Ok(());
    }
    let released = release(forwarding, listing, held)?;
    *piece = Some(Bytes::from(released));
    Ok(())
}

fn release(
    forwarding: &Forwarding,
    listing: Option<Listing>,
    held: &[u8],
) -> Result<Vec<u8>, Unfilterable> {
    let gate = gate(forwarding);
    let metrics = &forwarding.route.metrics;
    let mut shows = |listing: Listing, item: Item<'_>| {
        let shown = gate.shows(listing, item.name);
        if shown && listing == Listing::Tools {
            metrics.learn_tool(item.name);
        }
        shown
    };
    let era = forwarding.era;
    let Some(listing) = listing else {
        return Ok(filter_any(held, era, &mut shows)?.message);
    };
    let mut allowed = |item: Item<'_>| shows(listing, item);
    let filtered = filter(held, listing, era, forwarding.passage.id(), &mut allowed)?;
    // What stands alone in a body is taken for the answer: nothing else may.
    if filtered.kind != Kind::Response {
        return Err(ListFault::NotAMessage.into());
    }
    Ok(filtered.message)
}

fn events(
    forwarding: &Forwarding,
    filter: &mut SseFilter,
    piece: &mut Option<Bytes>,
    end: bool,
) -> Result<(), Unfilterable> {
    let gate = gate(forwarding);
    let mut allowed = |listing: Listing, item: Item<'_>| gate.shows(listing, item.name);
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
            pingora::ErrorType::Custom(UNFILTERABLE),
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
        Trim::Events(..) => Bytes::from([b"data: ", message.as_ref(), b"\n\n"].concat()),
        Trim::Waiting | Trim::Pass(_) | Trim::Held { .. } | Trim::Ended => message,
    });
    Ok(Trim::Ended)
}
