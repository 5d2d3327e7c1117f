//! What we present to the servers behind the gateway, and where they are. Never the client's credential.

pub mod peer;
pub mod resolve;
mod tether;

pub use peer::UpstreamPeer;
