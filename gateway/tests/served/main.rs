//! The gateway over real sockets, with real tokens and a counting upstream. One file per promise.

#![cfg(test)]
#![cfg(feature = "server")]

mod bodies;
mod decisions;
mod lists;
mod messages;
mod support;
mod wire;
