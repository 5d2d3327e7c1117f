//! Who is calling: from the headers of a request to a principal whose token was proven. Never reads a body,
//! never decides what the caller may do.

pub mod credential;
pub mod error;
pub mod keys;
pub mod principal;
pub mod settings;
#[cfg(test)]
mod tests;
mod token;
pub mod verify;

pub use credential::Credential;
pub use error::Unverified;
pub use keys::{IssuerKeys, KeysError};
pub use principal::{Actor, Principal, PrincipalKind};
pub use token::ring_provider::install_crypto;
pub use verify::Verifier;
