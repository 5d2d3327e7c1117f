//! How fresh a token and a login must be (RFC 9470). Never looks at scopes or roles.

use std::time::Duration;

use crate::decision::tiers::{Deed, TierRow, Trust};
use crate::identity::Principal;
use crate::model::UnixTime;

/// What one server demands, and what its tools demand besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demands {
    /// Of every request.
    pub server: Freshness,
    /// Of calls in these tiers, the lowest first.
    pub tiers: Vec<TierRow>,
    /// Whose word about its tools counts.
    pub trust: Trust,
}

/// How fresh a token and the login behind it must be. What is absent is not demanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freshness {
    /// The longest time since `iat`.
    pub max_token_age: Option<Duration>,
    /// The longest time since `auth_time`.
    pub max_auth_age: Option<Duration>,
    /// The values of which `acr` must be one, the preferred first.
    pub acr: Vec<String>,
}

/// What a principal lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    /// Its token is too old: a new one of the same login will do.
    Token,
    /// The login is too old or too weak.
    Login(StepUp),
}

/// What a login has to be (RFC 9470 section 3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StepUp {
    /// `acr_values`: one of these.
    pub acr: Vec<String>,
    /// `max_age`.
    pub max_age: Option<Duration>,
}

impl Demands {
    /// What `principal` lacks for this deed.
    pub fn lacking(&self, principal: &Principal, deed: &Deed<'_>, now: UnixTime) -> Option<Stale> {
        let all = || {
            let rows = self.tiers.iter().filter(|row| row.holds(deed));
            std::iter::once(&self.server).chain(rows.map(|row| &row.freshness))
        };
        if all().any(|freshness| freshness.login_is_stale(principal, now)) {
            return Some(Stale::Login(step_up(all())));
        }
        all()
            .any(|freshness| freshness.token_is_stale(principal, now))
            .then_some(Stale::Token)
    }
}

/// All that this very request demands, so that one login is enough.
fn step_up<'f>(all: impl Iterator<Item = &'f Freshness> + Clone) -> StepUp {
    // The last list is that of the highest tier; a login that satisfies several must be in all of them.
    let mut lists = all
        .clone()
        .map(|freshness| &freshness.acr)
        .filter(|list| !list.is_empty());
    let mut acr = lists.next().cloned().unwrap_or_default();
    for list in lists {
        acr.retain(|value| list.contains(value));
    }
    StepUp {
        acr,
        max_age: all.filter_map(|freshness| freshness.max_auth_age).min(),
    }
}

impl Freshness {
    /// An age that the token does not tell is too high.
    fn login_is_stale(&self, principal: &Principal, now: UnixTime) -> bool {
        let is_old = |limit: Duration| {
            principal
                .authenticated()
                .is_none_or(|at| now.since(at) > limit)
        };
        let is_weak = !self.acr.is_empty()
            && principal
                .acr()
                .is_none_or(|acr| !self.acr.iter().any(|wanted| wanted == acr));
        is_weak || self.max_auth_age.is_some_and(is_old)
    }

    fn token_is_stale(&self, principal: &Principal, now: UnixTime) -> bool {
        let is_old = |limit: Duration| principal.issued().is_none_or(|at| now.since(at) > limit);
        self.max_token_age.is_some_and(is_old)
    }
}
