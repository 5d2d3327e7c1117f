//! The record: what happened, one JSON object a line, each tied to the one before it, in append-only files. Never a token, a proof, a session id
//! or an argument value; never lost in silence.

pub mod anomaly;
pub mod arguments;
mod batch;
mod chain;
pub(crate) mod checkpoint;
mod error;
pub mod event;
mod guard;
mod id;
mod json;
pub mod keys;
mod lane;
mod ledger;
mod line;
pub mod names;
mod notice;
mod outage;
pub mod part;
mod place;
pub mod read;
mod recovery;
mod retention;
pub(crate) mod sealing;
mod second_place;
pub mod secret_file;
mod segment;
pub(crate) mod segments;
pub mod settings;
#[cfg(feature = "server")]
pub mod ship;
mod store;
pub mod text;
pub mod verify;
mod writer;

pub use checkpoint::Checkpoints;
pub use error::AuditError;
pub use id::EventId;
pub use lane::Standing;
pub use ledger::Ledger;
pub use notice::Voice;
