//! What a sender showed of its keys, against what its token is bound to. A proof that was used, or may have been, is
//! refused; nothing is noted of a proof before all else about it is good.

use std::sync::Arc;
use std::time::Duration;

use super::confirmation::Thumbprint;
use super::dpop::{self, Expected, Proven, TimeFrame};
use super::nonce::{NonceKey, Span};
use crate::identity::credential::Credential;
use crate::identity::error::{ProofFault, Unverified};
use crate::identity::principal::{Principal, Unbound};
use crate::identity::settings::{Audience, DpopSettings, NonceMode};
use crate::model::{Clock, Digest, UnixTime};
use crate::state::SharedState;

/// What came with a credential.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The method of the request, as it was sent.
    pub method: &'a str,
    /// The client certificate of the connection, or the one that a listed proxy names.
    pub certificate: Option<&'a Thumbprint>,
}

/// A principal that showed its keys.
#[derive(Debug)]
pub struct Bound {
    /// Who is calling.
    pub principal: Arc<Principal>,
    /// What the next proof should carry, if this one carried something else (RFC 9449 section 8.2).
    pub nonce: Option<Box<str>>,
}

/// Proofs of possession: how they are judged, and which were used.
#[derive(Debug)]
pub struct Possession {
    settings: DpopSettings,
    nonces: NonceKey,
    state: Arc<dyn SharedState>,
    clock: Arc<dyn Clock>,
}

impl Possession {
    /// Judges by `settings`, and remembers in `state`. Nonces are made with `own` where the settings name no key.
    pub fn new(
        settings: DpopSettings,
        own: &NonceKey,
        state: Arc<dyn SharedState>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = settings.nonce_key.as_ref().map(NonceKey::shared);
        Self {
            nonces: shared.unwrap_or_else(|| own.clone()),
            settings,
            state,
            clock,
        }
    }

    /// The principal of a verified token whose keys were shown.
    pub(in crate::identity) async fn bind(
        &self,
        unbound: &Unbound,
        (credential, evidence): (&Credential, Evidence<'_>),
        audience: &Audience,
    ) -> Result<Bound, Unverified> {
        let now = self.clock.now();
        let proven = match credential {
            Credential::Dpop(token, proof) => {
                let expected = Expected {
                    method: evidence.method,
                    resource: &audience.resource,
                    token,
                    time: TimeFrame {
                        now,
                        window: self.settings.window,
                    },
                };
                Some(dpop::check(proof, &expected)?)
            }
            Credential::Bearer(_) | Credential::ApiKey(_) => None,
        };
        let key = proven.as_ref().map(|proven| &proven.key);
        let principal = unbound.bind(key, evidence.certificate, audience.sender_constraint)?;
        let nonce = match proven {
            Some(proven) => {
                let span = self.check_nonce(&proven, now)?;
                self.check_age(&proven, span)?;
                self.spend(&proven, now).await?;
                self.next_nonce(span, now)
            }
            None => None,
        };
        Ok(Bound { principal, nonce })
    }

    /// A nonce that is good from now on.
    pub(in crate::identity) fn nonce(&self) -> String {
        self.nonces.nonce(self.clock.now())
    }

    /// RFC 9449 section 4.3, check 10: the span of the nonce, if there is a good one.
    fn check_nonce(&self, proven: &Proven, now: UnixTime) -> Result<Option<Span>, ProofFault> {
        let span_of = |nonce: &str| {
            self.nonces
                .span_of(nonce, now)
                .ok_or(ProofFault::NonceWanted)
        };
        match (self.settings.nonce, proven.nonce.as_deref()) {
            (NonceMode::Off, _) | (NonceMode::Optional, None) => Ok(None),
            (NonceMode::Optional | NonceMode::Required, Some(nonce)) => span_of(nonce).map(Some),
            (NonceMode::Required, None) => Err(ProofFault::NonceWanted),
        }
    }

    /// Of what was used before the state remembers, nothing is known: a proof has to be younger than that. A nonce
    /// says so more surely than `iat` does.
    fn check_age(&self, proven: &Proven, span: Option<Span>) -> Result<(), ProofFault> {
        let since = self.state.remembers_since();
        let is_own = self.settings.nonce_key.is_none();
        if proven.issued >= since || span.is_some_and(|span| is_own || span.begins() >= since) {
            return Ok(());
        }
        Err(match self.settings.nonce {
            NonceMode::Off => ProofFault::Untimely {
                at: proven.issued,
                now: since,
            },
            NonceMode::Optional | NonceMode::Required => ProofFault::NonceWanted,
        })
    }

    /// RFC 9449 section 11.1: a proof is used once, and remembered for as long as its time is good.
    async fn spend(&self, proven: &Proven, now: UnixTime) -> Result<(), Unverified> {
        let owner = Digest::of_parts(&[OWNER, proven.key.as_str().as_bytes()]);
        let until = proven.issued.plus(self.settings.window).plus(MARGIN);
        let is_new = self
            .state
            .insert_once(&owner, &proven.id, until, now)
            .await?;
        // Whoever is told so too late may have been told after it was forgotten.
        if is_new && self.clock.now() < until {
            return Ok(());
        }
        let key = proven.key.as_str().to_owned();
        Err(ProofFault::Replayed { key }.into())
    }

    fn next_nonce(&self, span: Option<Span>, now: UnixTime) -> Option<Box<str>> {
        let gives = match self.settings.nonce {
            NonceMode::Off => false,
            NonceMode::Optional | NonceMode::Required => span != Some(Span::at(now)),
        };
        gives.then(|| self.nonces.nonce(now).into())
    }
}

/// Tells proofs from whatever else may be noted for a key.
const OWNER: &[u8] = b"dpop\0";
/// Longer than a proof can be good after its check.
const MARGIN: Duration = Duration::from_secs(1);
