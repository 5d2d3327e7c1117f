//! The one door: a credential goes in, a proven principal comes out or nothing does. Never fetches what a token
//! points at, never asks an issuer that is not configured.

use std::collections::HashMap;
use std::sync::Arc;

use super::credential::Credential;
use super::error::{Unverified, shown};
use super::keys::IssuerKeys;
use super::principal::Principal;
use super::settings::Audience;
use super::token::claims;
use super::token::jwt::Jwt;
use super::token::memo::{self, Entry, Memo};
use super::token::ring_provider::install_crypto;
use super::token::verified::Candidate;
use crate::model::{Clock, IssuerUrl};

/// Verifies credentials against a fixed set of issuers.
#[derive(Debug)]
pub struct Verifier {
    issuers: HashMap<IssuerUrl, Arc<IssuerKeys>>,
    clock: Arc<dyn Clock>,
    memo: Memo,
}

impl Verifier {
    /// A verifier for the tokens of `issuers`. The keys may be shared with another verifier.
    pub fn new(issuers: Vec<Arc<IssuerKeys>>, clock: Arc<dyn Clock>) -> Self {
        install_crypto();
        Self {
            issuers: issuers
                .into_iter()
                .map(|keys| (keys.settings().url.clone(), keys))
                .collect(),
            clock,
            memo: Memo::new(),
        }
    }

    /// The principal of a token that was proven before and still stands: its time has not run out and the keys that
    /// proved it are still the issuer's. Does not wait for anything.
    pub fn recall(&self, credential: &Credential, audience: &Audience) -> Option<Arc<Principal>> {
        let Credential::Bearer(token) = credential;
        let key = memo::key(token, audience);
        let Entry { principal, proof } = self.memo.get(&key)?;
        let keys = self.issuers.get(principal.issuer())?;
        if keys.still_proves(proof) && !claims::is_over(principal.expires(), self.clock.now()) {
            return Some(principal);
        }
        self.memo.forget(&key);
        None
    }

    /// The principal that `credential` proves at the server with this `audience`. Waits for the issuer's keys when
    /// they are missing or seem to have changed, at most for the deadline of one fetch.
    pub async fn verify(
        &self,
        credential: &Credential,
        audience: &Audience,
    ) -> Result<Arc<Principal>, Unverified> {
        let Credential::Bearer(token) = credential;
        let jwt = Jwt::parse(token.expose())?;
        let keys = self.issuer(claims::issuer(jwt.claims(), audience)?, audience)?;
        let candidate = Candidate::check(jwt, token, keys.settings(), audience, self.clock.now())?;
        let (verified, proof) = candidate.prove(keys).await?;
        let principal = verified.bind()?;
        let entry = Entry {
            principal: Arc::clone(&principal),
            proof,
        };
        self.memo.put(memo::key(token, audience), entry);
        Ok(principal)
    }

    /// RFC 9068 section 4: an exact match, with an issuer that this very server trusts.
    fn issuer(&self, claimed: &str, audience: &Audience) -> Result<&Arc<IssuerKeys>, Unverified> {
        self.issuers
            .get(claimed)
            .filter(|keys| audience.issuers.contains(&keys.settings().url))
            .ok_or_else(|| Unverified::WrongIssuer {
                expected: claims::trusted(audience),
                got: shown(claimed),
            })
    }
}
