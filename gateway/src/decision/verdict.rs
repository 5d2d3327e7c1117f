//! A decision that is not on record yet. It can only be recorded; nothing else leads to a permit.

use gatewright_policies::RuleId;

use crate::decision::freshness::{Stale, StepUp};
use crate::model::Reason;

/// What the gate decided.
#[derive(Debug)]
#[must_use = "a verdict that is not recorded decided nothing"]
pub struct Verdict {
    pub(in crate::decision) decision: Decision,
    pub(in crate::decision) rules: Vec<RuleId>,
    /// What the rules that allow it ask for.
    pub(in crate::decision) scopes: Vec<String>,
}

#[derive(Debug)]
pub(in crate::decision) enum Decision {
    Allow,
    Deny {
        reason: Reason,
        missing: Vec<String>,
        step_up: Option<StepUp>,
    },
}

impl Verdict {
    pub(in crate::decision) const fn allow(rules: Vec<RuleId>) -> Self {
        Self {
            decision: Decision::Allow,
            rules,
            scopes: Vec::new(),
        }
    }

    pub(in crate::decision) const fn deny(reason: Reason, missing: Vec<String>) -> Self {
        Self {
            decision: Decision::Deny {
                reason,
                missing,
                step_up: None,
            },
            rules: Vec::new(),
            scopes: Vec::new(),
        }
    }

    /// What would be allowed, were the token or the login fresher.
    pub(in crate::decision) fn stale(self, stale: Stale) -> Self {
        let (reason, step_up) = match stale {
            Stale::Token => (Reason::TokenTooOld, None),
            Stale::Login(step_up) => (Reason::AuthenticationStale, Some(step_up)),
        };
        Self {
            decision: Decision::Deny {
                reason,
                missing: Vec::new(),
                step_up,
            },
            ..self
        }
    }

    /// What would be allowed, were the tool what it was when it was pinned.
    pub fn withheld(self) -> Self {
        match self.decision {
            Decision::Deny { .. } => self,
            Decision::Allow => Self {
                decision: Decision::Deny {
                    reason: Reason::ToolWithheld,
                    missing: Vec::new(),
                    step_up: None,
                },
                ..self
            },
        }
    }

    pub(in crate::decision) fn by(mut self, rule: RuleId) -> Self {
        self.rules.push(rule);
        self
    }

    pub(in crate::decision) fn using(mut self, scopes: Vec<String>) -> Self {
        self.scopes = scopes;
        self
    }

    /// Why it refuses; `None` when it allows.
    pub const fn refusal(&self) -> Option<Reason> {
        match &self.decision {
            Decision::Allow => None,
            Decision::Deny { reason, .. } => Some(*reason),
        }
    }
}
