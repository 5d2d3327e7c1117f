//! The gateway over real sockets, with real tokens and a counting upstream. One file per promise.
#![cfg(test)]
#![cfg(feature = "server")]
#![cfg(test)]
#![cfg(feature = "server")]

mod bodies;
mod challenges;
mod decisions;
mod durability;
mod edge;
mod faults;
mod grammar;
mod intrusions;
mod issuers;
mod lifecycle;
mod lists;
mod messages;
mod metadata;
mod metrics;
mod origins;
mod process;
mod records;
mod reload;
mod scopes;
mod sessions;
mod streams;
mod support;
mod tokens;
mod wire;
