//! Gatewright: a reverse proxy that makes MCP servers safe to hand to AI agents.
//!
//! The layers, from the bottom: [`model`], then [`mcp`], [`identity`], [`audit`], [`state`] and [`live`], then
//! [`decision`], [`telemetry`], and with the feature `server` everything that serves. `ARCHITECTURE.md`
//! beside this crate draws the picture.

#[cfg(feature = "server")]
pub mod anomaly;
#[cfg(feature = "server")]
pub mod app;
pub mod audit;
#[cfg(feature = "server")]
pub mod cli;
#[cfg(feature = "server")]
pub mod config;
#[cfg(feature = "server")]
pub mod control;
pub mod decision;
#[cfg(feature = "server")]
pub mod dev;
pub mod identity;
pub mod live;
pub mod mcp;
pub mod model;
#[cfg(feature = "server")]
pub mod proxy;
pub mod state;
pub mod telemetry;
#[cfg(feature = "server")]
pub mod upstream;
