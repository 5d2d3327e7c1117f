//! The record: what happened, one JSON object a line, in an append-only file. Never a token, a proof, a session id
//! or an argument value; never lost in silence.

mod error;
pub mod event;
mod id;
mod json;
mod lane;
mod ledger;
mod line;
pub mod part;
#[expect(dead_code, reason = "the writer asks for notes")]
pub(crate) mod sealing;
#[cfg_attr(not(test), expect(dead_code, reason = "the writer names segments"))]
pub(crate) mod segments;
pub mod settings;
#[cfg(feature = "server")]
pub mod ship;
pub mod text;
mod writer;

pub use error::AuditError;
pub use id::EventId;
pub use ledger::Ledger;
