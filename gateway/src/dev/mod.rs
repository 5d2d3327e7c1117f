//! What `gatewright dev` embeds: an issuer, an MCP server and a plan for the gateway between them.
//! Never listens anywhere but on loopback, and never serves production: its keys die with it.

#[cfg(test)]
mod agent;
mod error;
mod grant;
mod listening;
mod notes;
mod role;
mod signing;

mod issuer;
mod plan;
mod server;

pub use error::DevError;
pub use issuer::DevIssuer;
pub use plan::{Fronted, Plan};
pub use role::DevRole;
pub use server::DevServer;
