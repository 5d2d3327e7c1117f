//! What operators reach: a read-only listener for probes and metrics, and a socket for commands. Neither is
//! on the address that agents use.

pub mod admin;
pub mod http;
pub mod ops;
pub mod pins;
pub mod shadow;
pub mod subjects;
