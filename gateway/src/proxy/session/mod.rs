//! The sessions of the revisions before 2026-07-28: whose they are, how a server knows them, and what went on in them.
//! A session id is a name, never a credential (MCP 2025-11-25, security best practices).

mod books;
mod id;
mod one;
mod table;

pub use one::Parting;
pub(crate) use one::{Question, Session, UnderWay};
pub use table::Sessions;
pub(crate) use table::{Found, Opening, Place};
