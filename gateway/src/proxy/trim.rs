//! What happens to the bytes of an answer. Chosen by our own request, never by anything in the answer
//! but its status and media type; what cannot be read is not passed on.

use crate::mcp::reply::Summary;
use crate::mcp::{ListFault, SseFilter};
use crate::proxy::answer::Answer;

/// The treatment of one answer.
pub(crate) enum Trim {
    /// Not decided: the head of the answer has not come.
    Waiting,
    /// Nobody asked for a body: it is dropped.
    Bare,
    /// One JSON message.
    Json(Box<Answer>),
    /// Events, looked at one by one.
    Events(Box<SseFilter>),
    /// Our own message was sent in its place; so many pieces were dropped since.
    Ended(u32),
}

impl Trim {
    /// Has the response to the request passed, as far as can be told?
    pub(crate) fn is_answered(&self) -> bool {
        match self {
            Self::Events(filter) => filter.is_answered(),
            Self::Bare | Self::Ended(_) => true,
            Self::Waiting | Self::Json(_) => false,
        }
    }

    /// Whether the client can ask for the rest later.
    pub(crate) fn is_resumable(&self) -> bool {
        match self {
            Self::Events(filter) => filter.is_resumable(),
            Self::Waiting | Self::Bare | Self::Json(_) | Self::Ended(_) => false,
        }
    }

    /// What the answer said of how the call went.
    pub(crate) fn summary(&self) -> Option<Summary> {
        match self {
            Self::Events(filter) => filter.summary(),
            Self::Json(answer) => answer.summary(),
            Self::Waiting | Self::Bare | Self::Ended(_) => None,
        }
    }
}

/// Why an answer cannot be passed on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfilterable {
    /// It is not what such an answer is.
    #[error(transparent)]
    Fault(#[from] ListFault),
    /// It is larger than may be held.
    #[error("the server's answer is larger than may be held")]
    TooLarge,
    /// It is larger than any answer may be.
    #[error("the server's answer is larger than `limits.answer`")]
    Endless,
    /// Its events ended before the response came.
    #[error("the server ended its events without a response")]
    Unanswered,
}
