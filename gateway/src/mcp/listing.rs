//! What list answers list, and why a server's message is not passed on. Never decides what may be seen.

use std::ops::Range;

use super::document::Document;
use super::jsonrpc::JsonFault;
use super::spelling::resembles;
use super::sse::SseFault;
use crate::model::Reason;

/// What a list answer lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listing {
    /// Tools, by name.
    Tools,
    /// Prompts, by name.
    Prompts,
    /// Resources, by URI.
    Resources,
    /// Resource templates, by URI template.
    Templates,
}

impl Listing {
    /// Every listing.
    pub const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// The member of the result that holds the list.
    pub const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The member of an item by which it is allowed or not.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }

    /// The member of `notifications` that subscribes to its changes, and the notification of one (MCP 2026-07-28,
    /// basic/patterns/subscriptions). Templates change with resources.
    const fn news(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Tools => Some(("toolsListChanged", "notifications/tools/list_changed")),
            Self::Prompts => Some(("promptsListChanged", "notifications/prompts/list_changed")),
            Self::Resources => Some((
                "resourcesListChanged",
                "notifications/resources/list_changed",
            )),
            Self::Templates => None,
        }
    }

    /// The member of `notifications` that subscribes to its changes.
    pub const fn subscription(self) -> Option<&'static str> {
        match self.news() {
            Some((member, _)) => Some(member),
            None => None,
        }
    }

    /// The notification that it changed.
    pub const fn changed(self) -> Option<&'static str> {
        match self.news() {
            Some((_, method)) => Some(method),
            None => None,
        }
    }
}

/// Some of the listings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listings(u8);

impl Listings {
    /// Every listing.
    pub const ALL: Self = Self(u8::MAX);

    /// Those that are in it, in the order of [`Listing::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Listing> {
        let is_in = move |listing: &Listing| self.0 & Self::bit(*listing) != 0;
        Listing::ALL.into_iter().filter(is_in)
    }

    const fn bit(listing: Listing) -> u8 {
        match listing {
            Listing::Tools => 1,
            Listing::Prompts => 2,
            Listing::Resources => 4,
            Listing::Templates => 8,
        }
    }
}

impl FromIterator<Listing> for Listings {
    fn from_iter<T: IntoIterator<Item = Listing>>(listings: T) -> Self {
        let bits = listings.into_iter().map(Self::bit);
        Self(bits.fold(0, |all, bit| all | bit))
    }
}

/// One item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The name or URI by which it is allowed or not, unescaped.
    pub name: &'a str,
    /// All of it: one JSON object, as the server wrote it.
    pub text: &'a str,
}

/// What a server's message was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The answer to a request, a result or an error.
    Response,
    /// A notification.
    Notification,
    /// A request of the server; legacy only.
    Request,
}

impl Kind {
    /// The word for it in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Notification => "notification",
            Self::Request => "request",
        }
    }
}

/// Why a server's message cannot be passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// No strict JSON.
    #[error("the server's message is not strict json")]
    Unreadable {
        /// What is wrong with it.
        #[from]
        source: JsonFault,
    },
    /// No event stream that every client reads alike.
    #[error("the server's event stream cannot be read")]
    Stream {
        /// What is wrong with it.
        #[from]
        source: SseFault,
    },
    /// Not exactly a request, a notification, a result or an error of JSON-RPC 2.0.
    #[error("the server's message is no json-rpc message")]
    NotAMessage,
    /// A response to something else than was asked.
    #[error("the server answered another id")]
    WrongId,
    /// A question to the person or the model at the other end that the server may not ask here.
    #[error("the server asks what it may not ask")]
    Asks,
    /// A JSON answer that is too large to be looked through holds something that has to be.
    #[error("a large answer holds what only a small one may")]
    Large,
    /// The answer does not have the list it should have.
    #[error("the result has no array `{member}`")]
    ListMissing {
        /// The member that should hold it.
        member: &'static str,
    },
    /// An item that does not say what it is.
    #[error("an item of `{member}` has no string that names it")]
    ItemUnnamed {
        /// The list it stands in.
        member: &'static str,
    },
    /// A key that some clients take for the one that names the item or the list.
    #[error("a key looks like `{key}`")]
    LookAlike {
        /// The key it looks like.
        key: &'static str,
    },
}

impl ListFault {
    /// The reason to answer instead.
    pub const fn reason(self) -> Reason {
        Reason::UpstreamProtocol
    }
}

/// The lists that a result has.
pub(super) fn listings_in(
    document: &Document<'_>,
    result: &Range<usize>,
) -> Result<Vec<Listing>, ListFault> {
    let mut found = Vec::new();
    for member in document.members(result) {
        for listing in Listing::ALL {
            if member.key == listing.member() {
                found.push(listing);
            } else if resembles(&member.key, &[listing.member()]) {
                return Err(ListFault::LookAlike {
                    key: listing.member(),
                });
            }
        }
    }
    Ok(found)
}
