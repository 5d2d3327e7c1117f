//! Who is calling: from the headers of a request to a principal whose token was proven. Never reads a body,
//! never decides what the caller may do.

pub mod api_key;
pub mod binding;
pub mod credential;
pub mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
pub mod inspection;
pub mod keys;
pub mod principal;
pub mod settings;
#[cfg(test)]
mod tests;
mod token;
pub mod verify;

pub use binding::{Bound, Evidence, NonceKey, Possession, Thumbprint};
pub use credential::Credential;
pub use error::Unverified;
pub use keys::remote::install_crypto;
pub use keys::{IssuerKeys, KeysError};
pub use principal::{Actor, Origin, Principal, PrincipalKind, Unbound};
pub use verify::Verifier;
