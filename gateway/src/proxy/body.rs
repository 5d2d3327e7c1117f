//! Collects a request body whole before anything goes upstream, and hands it back byte for byte.
//!
//! pingora forwards a body that was read in `request_filter` only from its retry buffer, which holds
//! 64 KiB. So the retry buffer is switched on late enough to hold only the tail of the body: pingora
//! then calls `request_body_filter` once, with that tail and the end, and there the whole body takes
//! its place. ADR 0002 has the proof; only this file knows.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use pingora::proxy::Session;

use crate::model::Reason;

/// What pingora's retry buffer holds.
const RETRY_BUFFER: usize = 64 * 1024;
/// What is set aside before the first byte arrives, whatever length is announced.
const FIRST_RESERVE: usize = 64 * 1024;

/// How long a body may come as slowly as it likes.
const GRACE: Duration = Duration::from_secs(5);

/// The bounds of one body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyBounds {
    /// Bytes at most.
    pub(crate) limit: usize,
    /// How long all of it may take.
    pub(crate) within: Duration,
    /// Bytes a second that it has to bring on average, once [`GRACE`] is over.
    pub(crate) rate: usize,
}

impl BodyBounds {
    /// How long after its beginning a body of which `bytes` came must have brought more.
    fn due(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let rate = u64::try_from(self.rate.max(1)).unwrap_or(u64::MAX);
        let earned = Duration::from_millis(bytes.saturating_mul(1000) / rate);
        earned.max(GRACE).min(self.within)
    }
}

/// How long the body is going to be, if the head says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Announced(Option<usize>);

impl Announced {
    /// Reads the head.
    ///
    /// # Errors
    /// `RequestMalformed`, or `BodyTooLarge` before a byte of the body is asked for.
    pub(crate) fn of(session: &Session, limit: usize) -> Result<Self, Reason> {
        let Some(value) = session.get_header(http::header::CONTENT_LENGTH) else {
            return Ok(Self(None));
        };
        let length: usize = value
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or(Reason::RequestMalformed)?;
        if length > limit {
            return Err(Reason::BodyTooLarge);
        }
        Ok(Self(Some(length)))
    }

    /// How many bytes are held while the body is: one of unknown length is read as far as it could be sent on.
    pub(crate) fn weight(self) -> usize {
        self.0.unwrap_or(RETRY_BUFFER)
    }
}

/// Reads the body to its end.
///
/// # Errors
/// `BodyTooLarge`, `BodyIncomplete` (early end, or too slow) or `LengthRequired`: a body of unknown
/// length that outgrows the retry buffer could not be forwarded.
pub(crate) async fn collect(
    session: &mut Session,
    Announced(announced): Announced,
    bounds: BodyBounds,
) -> Result<Bytes, Reason> {
    let began = Instant::now();
    let mut body = BytesMut::new();
    loop {
        let is_tail =
            announced.is_none_or(|length| length.saturating_sub(body.len()) <= RETRY_BUFFER);
        if is_tail {
            session.enable_retry_buffering();
        }
        let due = began + bounds.due(body.len());
        let reading = session.downstream_session.read_request_body();
        let Ok(read) = tokio::time::timeout_at(due.into(), reading).await else {
            return Err(Reason::BodyIncomplete);
        };
        match read {
            Ok(Some(piece)) => {
                let length = body.len() + piece.len();
                if length > bounds.limit {
                    return Err(Reason::BodyTooLarge);
                }
                if announced.is_none() && length > RETRY_BUFFER {
                    return Err(Reason::LengthRequired);
                }
                // A body in one piece, the usual case, is not copied.
                if body.is_empty() && announced == Some(piece.len()) {
                    return finish(session, piece).await;
                }
                append(&mut body, &piece, announced.unwrap_or(0));
            }
            Ok(None) => return whole(session, body.freeze(), announced),
            Err(_) => return Err(Reason::BodyIncomplete),
        }
    }
}

/// Whoever has sent more than the first reserve is believed about the rest, which then is not copied again and again.
fn append(body: &mut BytesMut, piece: &[u8], announced: usize) {
    let is_large = body.len() + piece.len() > FIRST_RESERVE;
    let expected = if is_large {
        announced
    } else {
        announced.min(FIRST_RESERVE)
    };
    body.reserve(expected.saturating_sub(body.len()));
    body.extend_from_slice(piece);
}

/// Reads the end that follows a body of known length.
async fn finish(session: &mut Session, body: Bytes) -> Result<Bytes, Reason> {
    if !session.is_body_done() {
        match session.downstream_session.read_request_body().await {
            Ok(None) => {}
            Ok(Some(rest)) if rest.is_empty() => {}
            Ok(Some(_)) | Err(_) => return Err(Reason::BodyIncomplete),
        }
    }
    let length = body.len();
    whole(session, body, Some(length))
}

fn whole(session: &Session, body: Bytes, announced: Option<usize>) -> Result<Bytes, Reason> {
    if announced.is_some_and(|length| length != body.len()) {
        return Err(Reason::BodyIncomplete);
    }
    // INVARIANT: past this line pingora holds the tail of a body that is not empty, so it will call
    // `request_body_filter`; without it the upstream would wait for a body that never comes.
    if session.as_ref().retry_buffer_truncated() {
        return Err(Reason::LengthRequired);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::BodyBounds;

    const fn bounds(within: u64) -> BodyBounds {
        BodyBounds {
            limit: 1,
            within: Duration::from_secs(within),
            rate: 100,
        }
    }

    #[test]
    fn limit_body_rate_at_and_past_the_bound() {
        let due = |bytes| bounds(60).due(bytes).as_millis();
        assert_eq!(
            due(0),
            5000,
            "nothing is asked for in the first five seconds"
        );
        assert_eq!((due(499), due(500), due(501)), (5000, 5000, 5010));
        assert_eq!((due(999), due(1000), due(1001)), (9990, 10_000, 10_010));
    }

    #[test]
    fn limit_body_timeout_at_and_past_the_bound() {
        let due = |bytes| bounds(10).due(bytes).as_millis();
        assert_eq!((due(999), due(1000), due(1001)), (9990, 10_000, 10_000));
        assert_eq!(due(usize::MAX), 10_000, "however fast it came");
        assert_eq!(
            bounds(2).due(0).as_secs(),
            2,
            "a shorter time than the grace"
        );
    }
}
