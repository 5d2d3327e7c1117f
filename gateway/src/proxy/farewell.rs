//! The last that a client hears of an answer that breaks off after its head has gone out. Never turns half an
//! answer into one that reads as whole.

use bytes::Bytes;
use pingora::proxy::Session;

use crate::mcp::{Era, Listings, Method, RequestId, reply};
use crate::model::Reason;
use crate::proxy::progress::Forwarding;
use crate::proxy::refuse::error_message;
use crate::proxy::trim::Trim;

/// Ends the body of the answer, with a message where one can be told from what was sent before.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn say(
    session: &mut Session,
    forwarding: &Forwarding,
    reason: Reason,
) -> pingora::Result<()> {
    let is_untouched = session.downstream_session.body_bytes_sent() == 0;
    let is_open = session
        .response_written()
        .is_some_and(|head| !head.headers.contains_key(http::header::CONTENT_LENGTH));
    match last(forwarding, reason, is_open && is_untouched) {
        Last::Message(message) => session.write_response_body(Some(message), true).await,
        Last::End => session.write_response_body(Some(Bytes::new()), true).await,
        Last::Break => Ok(()),
    }
}

/// How an answer is ended.
enum Last {
    /// With this, and properly.
    Message(Bytes),
    /// Properly: who listened was promised nothing more.
    End,
    /// Not at all: the connection breaks off, and with it what would be half an answer.
    Break,
}

fn last(forwarding: &Forwarding, reason: Reason, may_be_filled: bool) -> Last {
    let id = forwarding.passage.id();
    match &forwarding.trim {
        Trim::Events(_) => match id {
            Some(id) if is_owed(forwarding, reason) => Last::Message(event(forwarding, reason, id)),
            None if reason == Reason::PolicyChanged => Last::Message(news(forwarding)),
            Some(_) | None => Last::End,
        },
        // An open body of which nothing went out takes the error in the place of the answer.
        Trim::Json(_) if may_be_filled => Last::Message(error(forwarding, reason, id)),
        Trim::Json(_) | Trim::Waiting => Last::Break,
        Trim::Bare | Trim::Ended(_) => Last::End,
    }
}

/// Whether nobody else will tell the client what became of its request. A client that knows the id of an event can ask for
/// the rest of an answer of the older revisions, unless its token is what ended.
fn is_owed(forwarding: &Forwarding, reason: Reason) -> bool {
    let trim = &forwarding.trim;
    let is_resumed =
        forwarding.era == Era::Legacy && trim.is_resumable() && reason != Reason::TokenExpired;
    !trim.is_answered() && !is_resumed
}

fn event(forwarding: &Forwarding, reason: Reason, id: &RequestId) -> Bytes {
    let listens = forwarding.passage.calls(Method::SubscriptionsListen);
    let is_in_order = matches!(
        reason,
        Reason::TokenExpired | Reason::StreamTimeout | Reason::PolicyChanged
    );
    if !(listens && is_in_order) {
        return Bytes::from(framed(&error(forwarding, reason, Some(id))));
    }
    let mut last = Vec::new();
    if reason == Reason::PolicyChanged {
        last.extend(news(forwarding));
    }
    // What a server that closes a subscription says (MCP 2026-07-28, basic/patterns/subscriptions).
    last.extend(framed(&reply::subscription_end(id)));
    Bytes::from(last)
}

/// Another policy shows other lists: a session is told of all, a subscription of those that it asked for.
fn news(forwarding: &Forwarding) -> Bytes {
    let call = forwarding.passage.call();
    let lists = call.map_or(Listings::ALL, |call| call.lists);
    let subscription = call.map(|call| &call.id);
    let told = |listing| reply::list_changed(listing, subscription);
    let events = lists.iter().filter_map(told);
    events.flat_map(|message| framed(&message)).collect()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [b"data: ", message, b"\n\n"].concat()
}

fn error(forwarding: &Forwarding, reason: Reason, id: Option<&RequestId>) -> Bytes {
    error_message(reason, forwarding.permit.request_id(), id)
}
