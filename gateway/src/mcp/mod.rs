//! Bytes to MCP messages and back, for both eras of the protocol. Never does I/O, never waits, and
//! never decides who may do what.

mod ascii;
pub mod call;
mod canonical;
pub mod definition;
mod document;
mod envelope;
mod incoming;
pub mod jsonrpc;
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
pub mod version;

pub use call::{Call, Message, Mirrored, Read, Refused, RequestId, Target};
pub use definition::Definition;
pub use listing::{Item, ListFault, Listing};
pub use method::{Access, Method};
pub use parse::read;
pub use seen::{Onward, Seen};
pub use stream::SseFilter;
pub use version::{Era, Revision};
