//! Why a request has no principal, whatever found it out. Never says more to the client than its reason.

use crate::identity::Unverified;
use crate::identity::credential::{Credential, Unpresented};
use crate::model::Reason;
use crate::telemetry::Scheme;

/// The scheme and the result of an attempt to authenticate, as labels.
pub(crate) type Attempt = (Scheme, &'static str);

/// The scheme of a credential, as a label.
pub(crate) const fn scheme(credential: &Credential) -> Scheme {
    match credential {
        Credential::Bearer(_) => Scheme::Bearer,
        Credential::Dpop(..) => Scheme::Dpop,
        Credential::ApiKey(_) => Scheme::ApiKey,
    }
}

/// Why an attempt to authenticate failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unproven {
    /// There is no single credential.
    #[error(transparent)]
    Unpresented(#[from] Unpresented),
    /// The credential is not believed.
    #[error(transparent)]
    Unverified(#[from] Unverified),
    /// A listed proxy names no one certificate (RFC 9440 section 2.2).
    #[error("a `Client-Cert` that is no certificate")]
    Certificate,
    /// Too many attempts failed before it; it was not looked at.
    #[error("too many attempts failed")]
    Throttled,
}

impl Unproven {
    /// The reason to refuse.
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::Unpresented(unpresented) => unpresented.reason(),
            Self::Unverified(unverified) => unverified.reason(),
            Self::Certificate => Reason::RequestMalformed,
            Self::Throttled => Reason::RateLimited,
        }
    }

    /// The label for metrics and records: one of [`crate::identity::error::RESULTS`].
    pub(crate) const fn result(&self) -> &'static str {
        match self {
            Self::Unpresented(unpresented) => unpresented.result(),
            Self::Unverified(unverified) => unverified.result(),
            Self::Certificate => "malformed",
            Self::Throttled => "rate_limited",
        }
    }

    /// Whether it is the client that failed: neither a dependency of ours, nor a proxy, nor what was not even tried.
    pub(crate) fn is_failure(&self) -> bool {
        match self {
            Self::Unpresented(_) => true,
            Self::Unverified(unverified) => {
                let reason = unverified.reason();
                // Only who has the token and its key is asked for a nonce, and every client is now and then.
                reason != Reason::DpopNonceRequired && reason.status() < 500
            }
            Self::Certificate | Self::Throttled => false,
        }
    }
}
