//! The public keys of the issuers: fetched, kept and looked up. Never driven by what a token says but its key id.

mod error;
mod issuer;
mod jwk;
mod public;
mod public_key;
pub mod remote;
mod roca;
mod set;

pub use error::{KeySetError, KeysError};
pub(in crate::identity) use issuer::Proof;
pub use issuer::{IssuerKeys, Report};
pub(in crate::identity) use jwk::{Jwk, JwkFault};
pub(in crate::identity) use public_key::PublicKey;
pub use set::{IgnoredKey, KeySet};
