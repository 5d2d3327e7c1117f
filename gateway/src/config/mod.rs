//! The configuration: what a file may say, and what the program may hold once it was checked.

pub mod checked;

pub use checked::{Limits, Listen, Server, Settings, TlsFiles, Upstream};
