//! Gatewright: a reverse proxy that makes MCP servers safe to hand to AI agents.
//!
//! The layers, from the bottom: [`model`], then [`mcp`], [`identity`], [`audit`], [`state`] and
//! [`live`], then [`decision`], [`telemetry`], and with the feature `server` the proxy itself.
//! `ARCHITECTURE.md` beside this crate draws the picture.

pub mod audit;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
pub mod identity;
pub mod live;
pub mod mcp;
pub mod model;
pub mod telemetry;
