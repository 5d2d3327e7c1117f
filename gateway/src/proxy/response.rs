//! The head of an upstream's answer on its way to the client: an allow-list of headers, and nothing that could be taken for
//! a challenge, a redirect or a cookie. Chooses what happens to the body by our own request.

use http::{HeaderName, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};

use crate::config::Redacted;
use crate::mcp::weigh::Standing;
use crate::mcp::{Call, Exchange, Hidden, Method, Purpose, SseFilter};
use crate::model::Reason;
use crate::proxy::answer::{Answer, Bound, HELD};
use crate::proxy::progress::{Forwarding, OpenStream, Passage};
use crate::proxy::refuse::give_nonce;
use crate::proxy::trim::Trim;
use crate::proxy::{deprecation, origin, parting};

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
/// How an answer that is not passed on is called among pingora's errors.
pub(super) const UNFILTERABLE: &str = "UnfilterableAnswer";
/// How many informational heads may come before the answer.
const MOST_INFORMATIONAL: u32 = 16;

/// What a body is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Events,
    Other,
}

impl Media {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("application/json"),
            Self::Events => Some("text/event-stream"),
            Self::Other => None,
        }
    }
}

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
        return inform(forwarding, response);
    }
    forwarding.answered = Some(std::time::Instant::now());
    forwarding.go_on()?;
    let media = media_type(response);
    let is_encoded = response
        .headers
        .contains_key(http::header::CONTENT_ENCODING);
    keep(response, &PASSED);
    let is_in_order = parting::settle(forwarding, response)?;
    if is_encoded || !is_in_order || !may_pass(response.status) {
        return replace(forwarding, response.status);
    }
    let trim = choose(forwarding, response, media)?;
    frame(&trim, response, asked.version)?;
    if let Some(name) = media.name().filter(|_| !matches!(trim, Trim::Bare)) {
        // One spelling, without parameters: nobody is to guess.
        response.insert_header("content-type", name)?;
    }
    if let Trim::Events(_) = &trim {
        response.insert_header("x-accel-buffering", "no")?;
        forwarding.stream = Some(OpenStream::count(&forwarding.route.metrics));
    }
    forwarding.trim = trim;
    forwarding.passed = Some(response.status.as_u16());
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

/// A server that never comes to its answer is not waited for.
fn inform(forwarding: &mut Forwarding, response: &mut ResponseHeader) -> pingora::Result<()> {
    keep(response, &[]);
    forwarding.informed += 1;
    if forwarding.informed > MOST_INFORMATIONAL {
        return replace(forwarding, response.status);
    }
    Ok(())
}

/// Exactly one line that names a type, in UTF-8 if it names a character set.
fn media_type(response: &ResponseHeader) -> Media {
    let mut lines = response.headers.get_all(http::header::CONTENT_TYPE).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return Media::Other;
    };
    let mut parts = line.to_str().unwrap_or_default().split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let is_utf8 = parts
        .filter_map(|part| part.split_once('='))
        .all(|(key, value)| {
            !key.trim().eq_ignore_ascii_case("charset")
                || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        });
    let is = |media: Media| {
        media
            .name()
            .is_some_and(|known| name.eq_ignore_ascii_case(known))
    };
    let known = [Media::Json, Media::Events].into_iter();
    known
        .filter(|_| is_utf8)
        .find(|media| is(*media))
        .unwrap_or(Media::Other)
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

/// Whether no body follows, in which no error of ours could take the place of the answer.
fn is_bodiless(response: &ResponseHeader) -> bool {
    response.status == StatusCode::NO_CONTENT || length(response) == Some(0)
}

fn length(response: &ResponseHeader) -> Option<usize> {
    let length = response.headers.get(http::header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn choose(
    forwarding: &mut Forwarding,
    response: &ResponseHeader,
    media: Media,
) -> pingora::Result<Trim> {
    let is_success = response.status.is_success();
    match (&forwarding.passage, media) {
        // Answers to earlier requests, lists among them, may be delivered again on it.
        (Passage::OpenStream, Media::Events) if is_success => {
            Ok(events(forwarding, Purpose::Session))
        }
        // A success that is no event stream could carry a list past the filter.
        (Passage::OpenStream, _) if is_success => replace(forwarding, response.status),
        (Passage::OpenStream | Passage::EndSession | Passage::Message(_), _) => {
            match forwarding.passage.call().map(purpose_of(forwarding)) {
                Some(purpose) => choose_answer(forwarding, response, (purpose, media)),
                None => Ok(Trim::Bare),
            }
        }
    }
}

fn choose_answer(
    forwarding: &mut Forwarding,
    response: &ResponseHeader,
    (purpose, media): (Purpose, Media),
) -> pingora::Result<Trim> {
    let is_success = response.status.is_success();
    if is_bodiless(response) {
        return replace(forwarding, response.status);
    }
    match (media, is_success) {
        (Media::Events, true) => Ok(events(forwarding, purpose)),
        (Media::Json, true) => Ok(json(forwarding, response, purpose)),
        (Media::Json, false) => {
            let exchange = exchange(forwarding, purpose);
            let answer = Answer::new(exchange, Standing::Refusal, Bound::Held(HELD));
            Ok(Trim::Json(Box::new(answer)))
        }
        (Media::Events, false) | (Media::Other, _) => replace(forwarding, response.status),
    }
}

fn purpose_of(forwarding: &Forwarding) -> impl Fn(&Call) -> Purpose {
    let hidden = |part: &Redacted| match part {
        Redacted::Instructions => Hidden::Instructions,
        Redacted::Experimental => Hidden::Experimental,
        Redacted::Extensions => Hidden::Extensions,
    };
    let redact = &forwarding.route.answers.redact;
    move |call| {
        let (id, method) = (call.id.clone(), call.method);
        if let Some(listing) = method.listing() {
            return Purpose::List { listing, id };
        }
        // What a server says of itself may name what a role does not see: no shared cache may keep it.
        let is_about = method == Method::ServerDiscover
            || (method == Method::Initialize && !redact.is_empty());
        if is_about {
            let hidden = redact.iter().map(hidden).collect();
            return Purpose::About { hidden, id };
        }
        Purpose::Call { method, id }
    }
}

fn exchange(forwarding: &Forwarding, purpose: Purpose) -> Exchange {
    let ttl = forwarding.services.limits.list_ttl.as_millis();
    Exchange {
        era: forwarding.era,
        longest_ttl: u64::try_from(ttl).unwrap_or(u64::MAX),
        purpose,
    }
}

fn events(forwarding: &Forwarding, purpose: Purpose) -> Trim {
    let limits = &forwarding.services.limits;
    let cap = match purpose {
        Purpose::List { .. } | Purpose::About { .. } => limits.list,
        Purpose::Call { .. } | Purpose::Session => limits.event,
    };
    Trim::Events(Box::new(SseFilter::new(exchange(forwarding, purpose), cap)))
}

fn json(forwarding: &Forwarding, response: &ResponseHeader, purpose: Purpose) -> Trim {
    let (bound, length) = match purpose {
        Purpose::List { .. } | Purpose::About { .. } => {
            (Bound::Held(forwarding.services.limits.list), None)
        }
        Purpose::Call { .. } | Purpose::Session => (Bound::Watched, length(response)),
    };
    let answer = Answer::new(exchange(forwarding, purpose), Standing::Answer, bound);
    Trim::Json(Box::new(answer.of_length(length)))
}

/// Has our own error sent in the place of the answer. It goes through pingora's failure path, because an
/// answer without a body never reaches `flow::body`. What the status of an error says stays: a client must
/// learn that its session is lost.
fn replace<T>(forwarding: &mut Forwarding, status: StatusCode) -> pingora::Result<T> {
    let is_error = status.is_client_error() || status.is_server_error();
    forwarding.failure = Some(Reason::UpstreamProtocol);
    forwarding.status = (is_error && may_pass(status)).then(|| status.as_u16());
    let kind = pingora::ErrorType::Custom(UNFILTERABLE);
    Err(pingora::Error::explain(kind, "not passed on").into_up())
}

/// Tells the client how long the body is: as the upstream said where it passes as it comes, and otherwise not at all.
fn frame(trim: &Trim, response: &mut ResponseHeader, asked: http::Version) -> pingora::Result<()> {
    match trim {
        Trim::Bare => {
            response.remove_header("content-type");
            response.remove_header("transfer-encoding");
            response.remove_header("content-length");
            if response.status != StatusCode::NO_CONTENT {
                response.insert_header("content-length", 0)?;
            }
            return Ok(());
        }
        Trim::Json(answer) if answer.has_length() => return Ok(()),
        Trim::Json(_) | Trim::Events(_) | Trim::Waiting | Trim::Ended(_) => {}
    }
    response.remove_header("content-length");
    // An HTTP/1.0 client reads to the end of the connection.
    if asked == http::Version::HTTP_11 {
        response.insert_header("transfer-encoding", "chunked")?;
    }
    Ok(())
}
