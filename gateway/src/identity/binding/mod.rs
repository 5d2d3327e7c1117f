//! What ties a token to a key of its sender: DPoP proofs (RFC 9449) and client certificates (RFC 8705). Nothing here
//! reads a claim that was not verified.

pub(super) mod confirmation;
pub(super) mod dpop;
mod htu;
mod nonce;
pub(super) mod possession;

pub use confirmation::{Confirmation, Thumbprint};
pub use dpop::ALGORITHMS;
pub use nonce::{NoRandomness, NonceKey};
pub use possession::{Bound, Evidence, Possession};
