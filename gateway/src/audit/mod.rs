//! The record: what happened, one JSON object a line, in an append-only file. Never a token, a proof, a session id
//! or an argument value; never lost in silence.

pub(crate) mod checkpoint;
mod error;
pub mod event;
mod id;
mod json;
pub mod keys;
mod lane;
mod ledger;
mod line;
pub mod part;
pub mod read;
pub(crate) mod sealing;
mod second_place;
pub(crate) mod segments;
pub mod settings;
pub mod text;
pub mod verify;
mod writer;

pub use checkpoint::Checkpoints;
pub use error::AuditError;
pub use id::EventId;
pub use ledger::Ledger;
