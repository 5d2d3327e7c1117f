//! The body of an upstream's answer on its way to the client, piece by piece. Never passes on what it did not understand,
//! and never more than one answer.

use std::time::Instant;

use bytes::Bytes;

use crate::mcp::{Era, Method, SseFilter};
use crate::model::Reason;
use crate::proxy::answer::Answer;
use crate::proxy::observe::Observer;
use crate::proxy::progress::Forwarding;
use crate::proxy::refuse::error_message;
use crate::proxy::response::UNFILTERABLE;
use crate::proxy::trim::{Trim, Unfilterable};

/// One piece of the answer's body; `end` with the last.
///
/// # Errors
/// pingora's, to end an answer that cannot be passed on any further.
pub(crate) fn body(
    forwarding: &mut Forwarding,
    piece: &mut Option<Bytes>,
    end: bool,
) -> pingora::Result<()> {
    forwarding.go_on()?;
    let arrived = piece.take();
    forwarding.received += arrived.as_ref().map_or(0, Bytes::len);
    let mut trim = std::mem::replace(&mut forwarding.trim, Trim::Waiting);
    let treated = treat(forwarding, &mut trim, arrived, end);
    forwarding.trim = trim;
    let (passed, fault) = treated?;
    *piece = passed;
    match fault {
        Some(fault) => fail(forwarding, &fault, piece),
        None if end => settle(forwarding, piece),
        None => Ok(()),
    }
}

/// How many pieces behind our own message are dropped before the upstream is let go. pingora writes pieces together, and
/// none of them when a later one fails; it reads four ahead at most, and the message has to have gone out before.
const LET_GO: u32 = 16;

/// What passes, and why nothing more does.
type Treated = (Option<Bytes>, Option<Unfilterable>);

fn treat(
    forwarding: &mut Forwarding,
    trim: &mut Trim,
    arrived: Option<Bytes>,
    end: bool,
) -> pingora::Result<Treated> {
    if forwarding.received > forwarding.services.limits.answer && !matches!(trim, Trim::Ended(_)) {
        return Ok((None, Some(Unfilterable::Endless)));
    }
    match trim {
        Trim::Waiting | Trim::Bare => Ok((None, None)),
        // Our error is sent: the rest is not waited for.
        Trim::Ended(LET_GO..) => break_off(),
        Trim::Ended(dropped) => {
            *dropped += 1;
            Ok((None, None))
        }
        Trim::Json(answer) => Ok(json(forwarding, answer, arrived, end)),
        Trim::Events(filter) => Ok(events(forwarding, filter, arrived, end)),
    }
}

fn json(
    forwarding: &mut Forwarding,
    answer: &mut Answer,
    arrived: Option<Bytes>,
    end: bool,
) -> Treated {
    let mut observer = Observer::new(forwarding);
    let pushed = answer.push(arrived, end, &mut observer);
    let (dropped, unsound) = (observer.dropped, observer.unsound);
    note(forwarding, dropped, unsound);
    match pushed {
        Ok(passed) => (passed, None),
        Err(fault) => (None, Some(fault)),
    }
}

fn events(
    forwarding: &mut Forwarding,
    filter: &mut SseFilter,
    arrived: Option<Bytes>,
    end: bool,
) -> Treated {
    let mut observer = Observer::new(forwarding);
    let (mut out, now) = (Vec::new(), Instant::now());
    let mut read = Ok(());
    if let Some(bytes) = arrived {
        read = filter.push(&bytes, now, &mut observer, &mut out);
    }
    if end && read.is_ok() {
        read = filter.finish(now, &mut observer, &mut out);
    }
    let (dropped, unsound) = (observer.dropped, observer.unsound);
    note(forwarding, dropped, unsound);
    let passed = (!out.is_empty() || end).then(|| Bytes::from(out));
    (passed, read.err().map(Unfilterable::from))
}

/// Says once for each answer that something of it was left out, and nothing of what it was.
fn note(forwarding: &mut Forwarding, dropped: usize, unsound: usize) {
    let server = &forwarding.route.audience.server;
    let request_id = forwarding.permit.request_id();
    if dropped > 0 && forwarding.dropped == 0 {
        tracing::warn!(%server, request_id, "a message of the upstream was dropped");
    }
    if unsound > 0 {
        tracing::warn!(%server, request_id, unsound, "tools with a bad x-mcp-header were left out of a list");
    }
    forwarding.dropped += dropped;
}

/// The end of the answer. A client that still waits for its response hears that none comes.
fn settle(forwarding: &mut Forwarding, piece: &mut Option<Bytes>) -> pingora::Result<()> {
    let Trim::Events(filter) = &forwarding.trim else {
        return Ok(());
    };
    let is_resumed = forwarding.era == Era::Legacy && filter.is_resumable();
    let listens = forwarding.passage.calls(Method::SubscriptionsListen);
    let is_owed = forwarding.passage.id().is_some() && !filter.is_answered();
    if is_owed && !is_resumed && !listens && forwarding.failure.is_none() {
        return fail(forwarding, &Unfilterable::Unanswered, piece);
    }
    Ok(())
}

/// Fails closed: the client gets an error for its request, and nothing more of the answer.
fn fail(
    forwarding: &mut Forwarding,
    fault: &Unfilterable,
    piece: &mut Option<Bytes>,
) -> pingora::Result<()> {
    tracing::warn!(
        server = %forwarding.route.audience.server,
        request_id = forwarding.permit.request_id(),
        %fault,
        "the upstream's answer cannot be passed on"
    );
    let reason = Reason::UpstreamProtocol;
    forwarding.failure = Some(reason);
    let id = forwarding.passage.id();
    let message = error_message(reason, forwarding.permit.request_id(), id);
    let replaced = match &forwarding.trim {
        Trim::Events(filter) => {
            let mut out = piece.take().map(Vec::from).unwrap_or_default();
            if id.is_some() && !filter.is_answered() {
                out.extend_from_slice(b"data: ");
                out.extend_from_slice(&message);
                out.extend_from_slice(b"\n\n");
            }
            Some(Bytes::from(out))
        }
        Trim::Json(answer) => answer.replaced_by(&message),
        Trim::Waiting | Trim::Bare | Trim::Ended(_) => None,
    };
    if replaced.is_none() {
        return break_off();
    }
    *piece = replaced;
    forwarding.trim = Trim::Ended(0);
    Ok(())
}

fn break_off<T>() -> pingora::Result<T> {
    pingora::Error::e_explain(pingora::ErrorType::Custom(UNFILTERABLE), "after an error")
}
