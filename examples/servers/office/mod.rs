//! The parts of the office: `server` speaks MCP, `warehouse` and `crm` know their tools. Nothing here decides who may do what.

mod crm;
mod server;
mod warehouse;

pub(crate) use server::{Desk, serve};
