//! The configuration: what a file may say, and what the program may hold once it was checked. Never starts anything.
//!
//! A file goes through [`load`]: `tree` (YAML with places), `section` (keys and shapes, against the table in `raw`), then
//! one file per part of it. Every step reports into `review`; nobody stops at the first mistake.

mod behaviour;
pub mod checked;
pub mod error;
mod issuers;
mod list;
pub mod load;
mod network;
mod path;
mod raw;
pub mod reference;
mod review;
mod roles;
mod scopes;
pub mod search;
mod section;
mod servers;
mod suggest;
mod tree;
mod url;
mod value;

#[cfg(test)]
mod tests;

pub use checked::{ArgumentsRecord, Limits, Listen, Server, Settings, TlsFiles, Upstream};
pub use error::{Colour, Mistake, Mistakes};
