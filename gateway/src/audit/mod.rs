//! The record: what happened, one JSON object a line, in an append-only file. Never a token, a proof, a session id
//! or an argument value; never lost in silence.

pub mod anomaly;
pub mod arguments;
mod error;
pub mod event;
mod id;
mod json;
mod lane;
mod ledger;
mod line;
pub mod names;
pub mod part;
pub mod secret_file;
pub mod settings;
pub mod text;
mod writer;

pub use error::AuditError;
pub use id::EventId;
pub use ledger::Ledger;
