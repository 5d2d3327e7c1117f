//! The public keys of the issuers: fetched, kept and looked up. Never driven by what a token says but its key id.

mod error;
mod issuer;
pub mod remote;
mod set;

pub use error::{KeySetError, KeysError};
pub(in crate::identity) use issuer::Proof;
pub use issuer::{IssuerKeys, Report};
pub use set::{IgnoredKey, KeySet};
