//! The one door: a credential goes in, a proven principal comes out or nothing does. Never fetches what a token
//! points at, never asks an issuer that is not configured.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::api_key;
use super::binding::{Bound, Evidence, Possession};
use super::credential::{Credential, RawToken};
use super::error::Unverified;
use super::keys::IssuerKeys;
use super::principal::Unbound;
use super::settings::{Audience, Grant};
use super::token::claims;
use super::token::introspect::Introspector;
use super::token::jws::is_jwt;
use super::token::jwt::Jwt;
use super::token::memo::{Entry, Grounds, Key, Memo};
use super::token::verified::{Candidate, VerifiedToken};
use crate::model::{Clock, IssuerUrl, UnixTime};

/// Verifies credentials against a fixed set of issuers.
#[derive(Debug)]
pub struct Verifier {
    issuers: HashMap<IssuerUrl, Arc<IssuerKeys>>,
    introspectors: Vec<(Arc<IssuerKeys>, Introspector)>,
    grants: Vec<Grant>,
    /// The claims that principals keep.
    claims: Vec<String>,
    possession: Arc<Possession>,
    clock: Arc<dyn Clock>,
    memo: Memo,
}

impl Verifier {
    /// A verifier for the tokens of `issuers`, whose roles are also given by `grants`. The keys may be shared with
    /// another verifier.
    pub fn new(
        issuers: Vec<Arc<IssuerKeys>>,
        grants: Vec<Grant>,
        possession: Arc<Possession>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let introspectors = issuers.iter().filter_map(|keys| {
            let introspector = Introspector::of(keys.settings(), keys.client())?;
            Some((Arc::clone(keys), introspector))
        });
        Self {
            introspectors: introspectors.collect(),
            issuers: issuers
                .into_iter()
                .map(|keys| (keys.settings().url.clone(), keys))
                .collect(),
            grants,
            claims: Vec::new(),
            possession,
            clock,
            memo: Memo::new(),
        }
    }

    /// The same, whose principals keep these claims of their tokens.
    #[must_use]
    pub fn keeping(self, claims: Vec<String>) -> Self {
        Self { claims, ..self }
    }

    /// The principal of a token that was proven before and still stands: its time has not run out and the keys that
    /// proved it are still the issuer's. Does not wait for anything.
    pub fn recall(&self, credential: &Credential, audience: &Audience) -> Option<Arc<Unbound>> {
        let (Credential::Bearer(token) | Credential::Dpop(token, _)) = credential else {
            return None;
        };
        let key = Key::new(token, audience);
        self.remembered(&key)
    }

    fn remembered(&self, key: &Key) -> Option<Arc<Unbound>> {
        let Entry { unbound, grounds } = self.memo.get(key)?;
        let now = self.clock.now();
        let stands = match grounds {
            Grounds::Keys(proof) => self.issuers.get(unbound.issuer())?.still_proves(proof),
            Grounds::Word(until) => now < until,
        };
        if stands && !claims::is_over(unbound.expires(), now) {
            return Some(unbound);
        }
        self.memo.forget(key);
        None
    }

    /// What `credential` proves at the server with this `audience`, but for the keys that its sender has to show.
    /// Waits for the issuer's keys when they are missing or seem to have changed, at most for the deadline of one
    /// fetch.
    pub async fn verify(
        &self,
        credential: &Credential,
        audience: &Audience,
    ) -> Result<Arc<Unbound>, Unverified> {
        match credential {
            Credential::Bearer(token) | Credential::Dpop(token, _) => {
                self.verify_token(token, audience).await
            }
            Credential::ApiKey(key) => {
                let keys = audience.api_keys.as_ref().ok_or(NO_API_KEYS)?;
                api_key::verify(key, keys, self.clock.now()).map(Arc::new)
            }
        }
    }

    async fn verify_token(
        &self,
        token: &RawToken,
        audience: &Audience,
    ) -> Result<Arc<Unbound>, Unverified> {
        if let Some((keys, introspector)) = self.introspector(token, audience) {
            return self.introspect(token, audience, (keys, introspector)).await;
        }
        let jwt = Jwt::parse(token.expose())?;
        let keys = self.issuer(jwt.claims(), audience)?;
        let candidate = Candidate::check(jwt, token, keys.settings(), audience, self.clock.now())?;
        let (verified, proof) = candidate.prove(keys).await?;
        let unbound = verified.claim(&self.grants, (&self.claims, audience))?;
        let entry = Entry {
            unbound: Arc::clone(&unbound),
            grounds: Grounds::Keys(proof),
        };
        self.memo.put(Key::new(token, audience), entry);
        Ok(unbound)
    }

    /// Who can be asked about `token`: nobody when it is a JWT. A server has one such issuer at most.
    pub(super) fn introspector(
        &self,
        token: &RawToken,
        audience: &Audience,
    ) -> Option<&(Arc<IssuerKeys>, Introspector)> {
        if is_jwt(token.expose()) {
            return None;
        }
        let mut asked = self
            .introspectors
            .iter()
            .filter(|(keys, _)| audience.issuers.contains(&keys.settings().url));
        match (asked.next(), asked.next()) {
            (Some(only), None) => Some(only),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    async fn introspect(
        &self,
        token: &RawToken,
        audience: &Audience,
        (keys, introspector): (&IssuerKeys, &Introspector),
    ) -> Result<Arc<Unbound>, Unverified> {
        let key = Key::new(token, audience);
        let _turn = introspector.turn(key.token()).await?;
        if let Some(unbound) = self.remembered(&key) {
            return Ok(unbound);
        }
        let now = self.clock.now();
        let said = introspector.ask(token, key.token(), now).await?;
        let at = (audience, self.clock.now());
        let verified = VerifiedToken::introspected(keys.settings(), said, key.token(), at)?;
        let unbound = verified.claim(&self.grants, (&self.claims, audience))?;
        let entry = Entry {
            unbound: Arc::clone(&unbound),
            grounds: Grounds::Word(introspector.until(now)),
        };
        self.memo.put(key, entry);
        Ok(unbound)
    }

    /// The principal, once its sender has shown the keys that its token is bound to.
    pub async fn bind(
        &self,
        unbound: &Unbound,
        presented: (&Credential, Evidence<'_>),
        audience: &Audience,
    ) -> Result<Bound, Unverified> {
        self.possession.bind(unbound, presented, audience).await
    }

    /// A nonce for the next proof of a client (RFC 9449 section 8).
    pub fn nonce(&self) -> String {
        self.possession.nonce()
    }

    pub(super) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(super) fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// RFC 9068 section 4: an exact match, with an issuer that this very server trusts.
    pub(super) fn issuer(
        &self,
        claims: &Map<String, Value>,
        audience: &Audience,
    ) -> Result<&Arc<IssuerKeys>, Unverified> {
        self.issuers
            .get(claims::issuer(claims, audience)?)
            .filter(|keys| audience.issuers.contains(&keys.settings().url))
            .ok_or_else(|| claims::wrong_issuer(claims, audience))
    }
}

const NO_API_KEYS: Unverified = Unverified::Malformed {
    what: "an API key, which this server does not take",
};
