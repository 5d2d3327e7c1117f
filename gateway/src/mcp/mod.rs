//! Bytes to MCP messages and back, for both eras of the protocol. Never does I/O, never waits, and
//! never decides who may do what.

mod annotation;
pub mod arguments;
mod ascii;
pub mod asks;
pub mod asserted;
mod bounds;
pub mod call;
mod canonical;
mod coalesce;
pub mod definition;
mod document;
mod envelope;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod incoming;
pub mod jsonrpc;
pub mod judge;
pub mod keys;
pub mod listing;
pub mod method;
mod mirror;
mod number;
mod params;
pub mod parse;
pub mod reply;
mod rewrite;
mod scan;
pub mod seen;
mod spelling;
pub mod sse;
pub mod stream;
mod token;
pub mod trace;
pub mod version;
pub mod weigh;

pub use annotation::is_sound;
pub use asks::{Ask, Capability};
pub use bounds::Bounds;
pub use call::{Call, Message, Mirrored, Read, Refused, RequestId, Target};
pub use definition::Definition;
pub use judge::{Exchange, Hidden, Judge, Purpose};
pub use listing::{Item, Kind, ListFault, Listing, Listings};
pub use method::{Access, Method};
pub use mirror::is_readable;
pub use parse::read;
pub use seen::{Onward, Seen};
pub use stream::SseFilter;
pub use version::{Era, Revision};
