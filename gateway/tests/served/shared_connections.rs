//! Shared connections.
