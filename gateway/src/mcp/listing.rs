//! Takes what a role may not see out of list answers. Never passes a message that it did not understand.

use std::ops::Range;

use super::ascii;
use super::call::RequestId;
use super::document::Document;
use super::incoming::Incoming;
use super::jsonrpc::{JsonFault, Limits, scan};
use super::rewrite::Rewrite;
use super::spelling::resembles;
use super::sse::SseFault;
use super::version::Era;
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

/// A message that may be passed on: ASCII, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Filtered {
    /// The JSON text.
    pub message: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// How many items were left in lists.
    pub kept: usize,
    /// How many items were taken out of lists.
    pub removed: usize,
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
    /// A request of the server, which 2026-07-28 does not know.
    #[error("the server sent a request")]
    ServerRequest,
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

/// Filters one message on the stream of a request whose answer is a `listing`.
///
/// The response must answer `expected` (any id when absent). Items for which `allowed` is false are
/// left out, the rest keep their order and their text. Of the other members of the result only those
/// stay that lists have; a 2026-07-28 result is marked private, because it now depends on who asks.
pub fn filter(
    message: &[u8],
    listing: Listing,
    era: Era,
    expected: Option<&RequestId>,
    allowed: &mut dyn FnMut(Item<'_>) -> bool,
) -> Result<Filtered, ListFault> {
    let document = scan(message, Limits::ANSWER)?;
    let incoming = Incoming::of(&document, era)?;
    if let (Some(id), Some(expected)) = (&incoming.id, expected)
        && !id.is_same(expected)
    {
        return Err(ListFault::WrongId);
    }
    match (&incoming.id, &incoming.result) {
        (Some(id), Some(result)) => {
            let mut judge = |_, item: Item<'_>| allowed(item);
            let mut rewrite = Rewrite::new(&document, &mut judge);
            rewrite.result(id, result, &[listing])?;
            Ok(rewrite.end(era))
        }
        _ => Ok(passed(&document, incoming.kind)),
    }
}

/// Filters one message of a stream on which any response may come, such as a resumed one.
///
/// A result that has lists is filtered like an answer to their list methods; all else passes re-encoded.
pub fn filter_any(
    message: &[u8],
    era: Era,
    allowed: &mut dyn FnMut(Listing, Item<'_>) -> bool,
) -> Result<Filtered, ListFault> {
    let document = scan(message, Limits::ANSWER)?;
    let incoming = Incoming::of(&document, era)?;
    let (Some(id), Some(result)) = (&incoming.id, &incoming.result) else {
        return Ok(passed(&document, incoming.kind));
    };
    let listings = listings_in(&document, result)?;
    if listings.is_empty() {
        return Ok(passed(&document, incoming.kind));
    }
    let mut rewrite = Rewrite::new(&document, allowed);
    rewrite.result(id, result, &listings)?;
    Ok(rewrite.end(era))
}

fn listings_in(document: &Document<'_>, result: &Range<usize>) -> Result<Vec<Listing>, ListFault> {
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

fn passed(document: &Document<'_>, kind: Kind) -> Filtered {
    let message = ascii::encode(document.text(&document.root()));
    Filtered {
        message,
        kind,
        kept: 0,
        removed: 0,
    }
}

#[cfg(test)]
mod tests;
