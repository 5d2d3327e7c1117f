//! The last that a client hears of an answer that ends with its token after its head has gone out. Never turns half an
//! answer into one that reads as whole.

use bytes::Bytes;
use pingora::proxy::Session;

use crate::mcp::{Method, RequestId, reply};
use crate::model::Reason;
use crate::proxy::progress::Forwarding;
use crate::proxy::refuse::error_message;
use crate::proxy::trim::Trim;

/// Ends the body of the answer, with a message where one can be told from what was sent before.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn say(session: &mut Session, forwarding: &Forwarding) -> pingora::Result<()> {
    let is_untouched = session.downstream_session.body_bytes_sent() == 0;
    let is_open = session
        .response_written()
        .is_some_and(|head| !head.headers.contains_key(http::header::CONTENT_LENGTH));
    match last(forwarding, is_open && is_untouched) {
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

fn last(forwarding: &Forwarding, may_be_filled: bool) -> Last {
    if forwarding.stream.is_some() {
        return match forwarding.passage.id() {
            Some(id) if !forwarding.trim.is_answered() => Last::Message(event(forwarding, id)),
            Some(_) | None => Last::End,
        };
    }
    match &forwarding.trim {
        // An open body of which nothing went out takes the error in the place of the answer.
        Trim::Held { .. } | Trim::Pass(_) if may_be_filled => {
            Last::Message(error(forwarding, forwarding.passage.id()))
        }
        Trim::Held { .. } | Trim::Pass(_) | Trim::Waiting => Last::Break,
        Trim::Events(..) | Trim::Ended => Last::End,
    }
}

fn event(forwarding: &Forwarding, id: &RequestId) -> Bytes {
    let message = if forwarding.passage.calls(Method::SubscriptionsListen) {
        // What a server that closes a subscription says (MCP 2026-07-28, basic/patterns/subscriptions).
        Bytes::from(reply::subscription_end(id))
    } else {
        error(forwarding, Some(id))
    };
    // Bytes that passed untouched may have ended inside an event: blank lines end it, and are nothing otherwise.
    let lead: &[u8] = match forwarding.trim {
        Trim::Pass(_) => b"\n\ndata: ",
        Trim::Waiting | Trim::Held { .. } | Trim::Events(..) | Trim::Ended => b"data: ",
    };
    Bytes::from([lead, message.as_ref(), b"\n\n"].concat())
}

fn error(forwarding: &Forwarding, id: Option<&RequestId>) -> Bytes {
    error_message(Reason::TokenExpired, forwarding.permit.request_id(), id)
}
