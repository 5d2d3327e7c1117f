//! What happens to the bytes of an answer. Chosen by our own request, never by anything in the answer
//! but its media type; what cannot be filtered is not passed on.

use bytes::BytesMut;

use crate::mcp::reply::SummaryTap;
use crate::mcp::{ListFault, Listing, SseFilter};

/// The treatment of one answer.
pub(crate) enum Trim {
    /// Not decided: the head of the answer has not come.
    Waiting,
    /// Passed on untouched, watched for how the call went.
    Pass(Option<SummaryTap>),
    /// A list in JSON: held whole, filtered, sent.
    List { listing: Listing, held: BytesMut },
    /// A list, or the stream of a session, as events: filtered event by event.
    Events(Box<SseFilter>),
    /// Our own message was sent in its place; the rest is dropped.
    Ended,
}

/// Why an answer cannot be filtered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfilterable {
    /// It is not what a list answer is.
    #[error(transparent)]
    Fault(#[from] ListFault),
    /// It is larger than may be held.
    #[error("the server's list is larger than `limits.list`")]
    TooLarge,
}
