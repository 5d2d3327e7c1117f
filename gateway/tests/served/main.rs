//! The gateway over real sockets, with real tokens and a counting upstream. One file per promise.

#![cfg(test)]
#![cfg(feature = "server")]

mod decisions;
mod lifecycle;
mod reload;
mod sessions;
mod streams;
mod support;
