//! The gateway over real sockets, with real tokens and a counting upstream. One file per promise.
#![cfg(test)]
#![cfg(feature = "server")]

mod bodies;
mod challenges;
mod decisions;
mod dpop;
mod dpop_challenges;
mod dpop_nonces;
mod durability;
mod edge;
mod edge_limits;
mod faults;
mod framing;
mod freshness;
mod grammar;
mod grants;
mod introspection;
mod intrusions;
mod issuers;
mod keys;
mod lifecycle;
mod lists;
mod messages;
mod metadata;
mod metrics;
mod mtls;
mod origins;
mod process;
mod records;
mod reload;
mod scopes;
mod sessions;
mod streams;
mod sunset;
mod support;
mod throttle;
mod tls;
mod tls_floor;
mod token_end;
mod token_places;
mod token_rows;
mod tokens;
mod wire;
