//! What every tool said of itself when it was first seen, and what it says now. Never decides by who asks.

mod book;
mod error;
mod file;
mod keeper;
pub mod record;
mod rest;
mod server;
#[cfg(test)]
mod tests;

pub use book::{Approved, Change, Drift, Entry, Kept, PinState, Sight};
pub use error::PinError;
pub use keeper::{Keeper, Report};
pub use rest::at_rest;
pub use server::{News, Pins, Seen, ServerPins};
