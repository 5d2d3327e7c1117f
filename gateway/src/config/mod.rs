//! The configuration: what a file may say, and what the program may hold once it was checked. Never starts anything.
//!
//! A file goes through [`load`]: `tree` (YAML with places), `section` (keys and shapes, against the table in `raw`), then
//! one file per part of it. Every step reports into `review`; nobody stops at the first mistake.

mod amount;
mod anomalies;
mod answers;
mod audit;
mod authored;
mod behaviour;
mod case;
mod cedar;
pub mod checked;
mod day;
mod demands;
pub mod differences;
pub mod error;
mod fingerprint;
mod grants;
mod hours;
mod introspection;
mod issuers;
pub mod key_file;
mod keys;
mod limits;
mod list;
pub mod load;
mod network;
mod path;
pub mod places;
mod policy;
mod policy_keys;
mod raw;
mod recording;
pub mod reference;
mod review;
mod roles;
mod row;
mod scopes;
pub mod search;
mod section;
mod servers;
pub mod shown;
mod sinks;
mod span;
pub(crate) mod suggest;
pub mod suite;
pub mod sunset;
mod tiers;
mod tree;
mod url;
mod value;
mod zone;

#[cfg(test)]
mod tests;

pub use anomalies::AnomalySettings;
pub(crate) use case::moment_of;
pub use checked::{
    Answers, Candidate, Listen, Outliving, Pins, Redacted, Server, ServerRequest, Settings,
    TlsFiles, Upstream,
};
pub use error::{Colour, Mistake, Mistakes};
pub use hours::Hours;
pub(crate) use issuers::EDITABLE as EDITABLE_CLAIMS;
pub use limits::Limits;
pub use load::Loaded;
pub use recording::{ArgumentsRecord, ModelPlaces, Recording, Subjects};
pub(crate) use value::parse_duration;
