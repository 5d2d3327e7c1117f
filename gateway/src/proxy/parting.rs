//! The session of an answer: its server's name for it stays here, and the client gets ours. Never lets an answer that
//! opens no session name one.

use pingora::http::ResponseHeader;

use crate::proxy::progress::{Forwarding, Passage};
use crate::proxy::session::Opening;

const SESSION: &str = "mcp-session-id";

/// Opens or ends the session that the answer opens or ends; false when the answer may not pass.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(crate) fn settle(
    forwarding: &mut Forwarding,
    response: &mut ResponseHeader,
) -> pingora::Result<bool> {
    let lines: Vec<_> = response.headers.get_all(SESSION).iter().cloned().collect();
    response.remove_header(SESSION);
    end(forwarding, response.status);
    // Dropped here, it is free for another.
    let place = forwarding.standing.place();
    let (Some(place), [id], true) = (place, lines.as_slice(), response.status.is_success()) else {
        return Ok(true);
    };
    let opening = Opening {
        asker: &forwarding.asker(),
        server: &forwarding.route.audience.server,
        upstream: id.as_bytes(),
        limits: &forwarding.services.limits,
        now: forwarding.services.clock.now(),
    };
    let Some((name, session)) = place.open(&opening) else {
        return Ok(false);
    };
    forwarding.standing.enter(session);
    response.insert_header(SESSION, name)?;
    Ok(true)
}

/// A session is over when its owner ended it, and when its server knows it no more (MCP 2025-11-25, basic/transports).
fn end(forwarding: &Forwarding, status: http::StatusCode) {
    let Some(session) = forwarding.standing.session() else {
        return;
    };
    let is_ended = matches!(forwarding.passage, Passage::EndSession) && status.is_success();
    if is_ended || status == http::StatusCode::NOT_FOUND {
        forwarding.services.sessions.end(session);
    }
}
