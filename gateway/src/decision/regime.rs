//! The policy in force, and the one that is only asked. Decides nothing itself.

use std::fmt;
use std::sync::Arc;

use gatewright_policies::{Moment, PolicySet};

use crate::decision::mode::Mode;
use crate::model::{Digest, UnixTime};

/// A time zone, by which hours and days are counted.
pub trait Zone: fmt::Debug + Send + Sync {
    /// What a calendar and a clock show there at this time.
    fn moment(&self, at: UnixTime) -> Moment;
}

/// A policy, ready to be asked.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// What it says.
    pub policy: PolicySet,
    /// The digest of what it says.
    pub digest: Digest,
    /// Where its hours are counted.
    pub zone: Arc<dyn Zone>,
}

/// What one generation of the configuration is ruled by.
#[derive(Debug, Clone)]
pub struct Regime {
    /// The policy in force.
    pub rules: Rulebook,
    /// What becomes of what it denies.
    pub mode: Mode,
    /// A policy that is asked too, without any effect.
    pub candidate: Option<Rulebook>,
}

impl Regime {
    /// The claims of tokens that some policy reads, each once.
    pub fn claims(&self) -> Vec<String> {
        let candidate = self.candidate.iter();
        let mut claims: Vec<_> = std::iter::once(&self.rules)
            .chain(candidate)
            .flat_map(|rules| rules.policy.claims())
            .cloned()
            .collect();
        claims.sort();
        claims.dedup();
        claims
    }

    /// The policy whose denials have no effect, if there is one.
    pub fn silent(&self) -> Option<Digest> {
        match self.mode {
            Mode::Shadow => Some(self.rules.digest),
            Mode::Enforce => self.candidate.as_ref().map(|rules| rules.digest),
        }
    }

    /// What names the time in which the same rules have the same effect: what was allowed under others does not go on.
    pub fn tenure(&self) -> Digest {
        match self.mode {
            Mode::Enforce => self.rules.digest,
            Mode::Shadow => Digest::of_parts(&[self.rules.digest.as_bytes(), b"shadow"]),
        }
    }
}
