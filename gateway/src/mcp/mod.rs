//! Bytes to MCP messages and back, for both eras of the protocol. Never does I/O, never waits, and
//! never decides who may do what.

mod document;
pub mod jsonrpc;
mod scan;
mod spelling;
pub mod sse;
mod token;
