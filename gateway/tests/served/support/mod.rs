//! Real parts around a real gateway: an issuer with keys of its own, an upstream that counts, an agent that
//! speaks HTTP. Every test starts its own; nothing is shared but code.

mod agent;
mod authority;
mod clock;
mod dpop;
mod gateway;
mod issuer;
mod upstream;

pub(crate) use agent::{Agent, Answer, call, headers_of, legacy, list, modern, send, stateless};
pub(crate) use authority::{Authority, Dialler, Leaf, Seen};
pub(crate) use clock::Hands;
pub(crate) use dpop::{Holder, hash, presenting};
pub(crate) use gateway::{Gateway, Setup, records_in};
pub(crate) use issuer::{Issuer, now};
pub(crate) use upstream::{Arrived, Reply, Upstream, eventually, tool};

/// The path of the server in the usual setup.
pub(crate) const PATH: &str = "/crm/mcp";
/// What agents type before the path; tokens are for this and the path, wherever the gateway listens.
pub(crate) const PUBLIC: &str = "http://localhost:8080";

/// The resource of the usual setup.
pub(crate) fn resource() -> String {
    format!("{PUBLIC}{PATH}")
}
