//! Why the embedded parts could not start. Holds no secret.

use std::net::SocketAddr;

use gatewright_policies::PolicyFault;
use thiserror::Error;

/// A reason why `gatewright dev` cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DevError {
    /// No loopback port could be had.
    #[error("cannot listen on a loopback port")]
    Listen {
        /// What the system said.
        source: std::io::Error,
    },
    /// The random source failed.
    #[error("cannot make a fresh key: the system's random source failed")]
    Random,
    /// A token could not be written.
    #[error("cannot sign a token")]
    Sign,
    /// The gateway was to listen where others can reach it.
    #[error(
        "`gatewright dev` listens on loopback only, not on `{address}`: its tokens and keys are for trying things out"
    )]
    NotLoopback {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The port of the gateway is not known, so its public URL cannot be either.
    #[error("`{address}` has no port: the URL that agents type needs one")]
    PortMissing {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// The server to front is no usable URL.
    #[error(
        "`{url}` is not the URL of an MCP server: it must be absolute, http or https, without user and fragment"
    )]
    Upstream {
        /// The URL as it was given.
        url: String,
    },
    /// The built-in allowlist is wrong.
    #[error("{} rows of the built-in allowlist are wrong", faults.len())]
    Rows {
        /// Every fault.
        faults: Vec<PolicyFault>,
    },
}
