//! What the messages of a server are measured by: our own request, and whoever decides for it. Never looks at a message.

use super::asks::Ask;
use super::call::RequestId;
use super::listing::{Item, Kind, Listing};
use super::method::Method;
use super::seen::{Onward, Seen};
use super::version::Era;

/// Decides what of a server's messages goes on to the client.
pub trait Judge {
    /// Whether the reader may see this item of a list.
    fn shows(&mut self, listing: Listing, item: Item<'_>) -> bool;

    /// Whether a message goes on. Asked once for each, in the order in which they came.
    fn passes(&mut self, seen: &Seen<'_>) -> Onward;

    /// Whether the server may ask this of the client.
    fn permits(&mut self, ask: &Ask) -> bool;

    /// A message of this kind was dropped.
    fn dropped(&mut self, kind: Kind);
}

/// Our own request, by which the treatment of all that answers it is chosen.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// How it was read.
    pub era: Era,
    /// The longest that a list may be kept, in milliseconds.
    pub longest_ttl: u64,
    /// What it asked for.
    pub purpose: Purpose,
}

/// What a request asked for.
#[derive(Debug, Clone)]
pub enum Purpose {
    /// A list.
    List {
        /// What it lists.
        listing: Listing,
        /// The id of the request.
        id: RequestId,
    },
    /// What the server says of itself, without some of it.
    About {
        /// What is left out.
        hidden: Vec<Hidden>,
        /// The id of the request.
        id: RequestId,
    },
    /// Anything else that has an answer.
    Call {
        /// The method of the request.
        method: Method,
        /// The id of the request.
        id: RequestId,
    },
    /// The stream of a session, on which any response may come.
    Session,
}

/// A part of what a server says of itself in `initialize` and `server/discover`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hidden {
    /// `instructions`.
    Instructions,
    /// `capabilities.experimental`.
    Experimental,
    /// `capabilities.extensions`.
    Extensions,
}

impl Purpose {
    /// Whether what passes is written anew and not as it came.
    pub(super) const fn is_filtered(&self) -> bool {
        match self {
            Self::List { .. } | Self::About { .. } => true,
            Self::Call { .. } | Self::Session => false,
        }
    }

    /// The id of the request, if it has one.
    pub(super) const fn id(&self) -> Option<&RequestId> {
        match self {
            Self::List { id, .. } | Self::About { id, .. } | Self::Call { id, .. } => Some(id),
            Self::Session => None,
        }
    }
}
