//! What happens to the bytes of an answer. Chosen by our own request, never by anything in the answer
//! but its media type; what cannot be filtered is not passed on.

use bytes::BytesMut;

use crate::mcp::reply::{Summary, SummaryTap};
use crate::mcp::{ListFault, Listing, SseFilter};

/// The treatment of one answer.
pub(crate) enum Trim {
    /// Not decided: the head of the answer has not come.
    Waiting,
    /// Passed on untouched, watched for how the call went.
    Pass(Option<SummaryTap>),
    /// A JSON answer that may hold a list: held whole, filtered, sent.
    Held {
        listing: Option<Listing>,
        held: BytesMut,
        summary: Option<Summary>,
    },
    /// Events among which there may be a list: filtered one by one, and watched if they answer a call.
    Events(Box<SseFilter>, Option<SummaryTap>),
    /// Our own message was sent in its place; the rest is dropped.
    Ended,
}

impl Trim {
    /// Holds an answer; with a `listing`, it must be that list.
    pub(crate) fn hold(listing: Option<Listing>) -> Self {
        Self::Held {
            listing,
            held: BytesMut::new(),
            summary: None,
        }
    }

    /// Has the response to the request passed, as far as can be told?
    pub(crate) fn is_answered(&self) -> bool {
        match self {
            Self::Pass(tap) => tap.as_ref().is_some_and(SummaryTap::is_answered),
            Self::Events(filter, tap) => match tap {
                Some(tap) => tap.is_answered(),
                None => filter.is_answered(),
            },
            Self::Ended => true,
            Self::Waiting | Self::Held { .. } => false,
        }
    }

    /// What the answer said of how the call went.
    pub(crate) fn summary(self) -> Option<Summary> {
        match self {
            Self::Pass(tap) | Self::Events(_, tap) => tap.and_then(SummaryTap::finish),
            Self::Held { summary, .. } => summary,
            Self::Waiting | Self::Ended => None,
        }
    }
}

/// Why an answer cannot be filtered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfilterable {
    /// It is not what a list answer is.
    #[error(transparent)]
    Fault(#[from] ListFault),
    /// It is larger than may be held.
    #[error("the server's list is larger than may be held")]
    TooLarge,
}
