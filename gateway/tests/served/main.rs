//! The gateway over real sockets, with real tokens and a counting upstream. One file per promise.
#![cfg(feature = "server")]

mod decisions;
mod support;
