//! The configuration: what a file may say, and what the program may hold once it was checked. Never starts anything.
//!
//! A file goes through `load`: `tree` (YAML with places), `section` (keys and shapes, against the table in `raw`), then
//! one file per part of it. Every step reports into `review`; nobody stops at the first mistake.

pub mod checked;
pub mod error;
mod raw;
mod review;
pub mod search;
mod section;
mod suggest;
mod tree;
mod value;

pub use checked::{ArgumentsRecord, Limits, Listen, Server, Settings, TlsFiles, Upstream};
pub use error::{Colour, Mistake, Mistakes};
