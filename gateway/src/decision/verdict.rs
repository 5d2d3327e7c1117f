//! A decision that is not on record yet. It can only be recorded; nothing else leads to a permit.

use std::time::Duration;

use gatewright_policies::{Charge, Grant, RuleId, Tier};

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
    /// How much harm it can do.
    pub(in crate::decision) tier: Tier,
    /// What it takes from budgets, once all else allows it.
    pub(in crate::decision) charges: Vec<Charge>,
    /// What would be decided besides, without any effect.
    pub(in crate::decision) shadow: Option<Silent>,
}

/// How a decision without effect differs from the one that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Differing {
    /// What was decided: `allow` or `deny`.
    pub from: &'static str,
    /// What would have been decided.
    pub to: &'static str,
    /// Why one of the two refuses it.
    pub reason: Reason,
}

/// A decision without effect.
#[derive(Debug)]
pub(in crate::decision) struct Silent {
    pub(in crate::decision) refusal: Option<Reason>,
    pub(in crate::decision) rules: Vec<RuleId>,
}

#[derive(Debug)]
pub(in crate::decision) enum Decision {
    Allow,
    Deny(Denied),
}

/// Why not.
#[derive(Debug)]
pub(in crate::decision) struct Denied {
    pub(in crate::decision) reason: Reason,
    pub(in crate::decision) missing: Vec<String>,
    pub(in crate::decision) step_up: Option<StepUp>,
    /// After how long the same may pass.
    pub(in crate::decision) retry_after: Option<Duration>,
    /// The group whose approval it waits for.
    pub(in crate::decision) approver: Option<String>,
}

impl Denied {
    pub(in crate::decision) const fn of(reason: Reason) -> Self {
        Self {
            reason,
            missing: Vec::new(),
            step_up: None,
            retry_after: None,
            approver: None,
        }
    }
}

impl Verdict {
    const fn new(decision: Decision, rules: Vec<RuleId>) -> Self {
        Self {
            decision,
            rules,
            scopes: Vec::new(),
            tier: Tier::Low,
            charges: Vec::new(),
            shadow: None,
        }
    }

    pub(in crate::decision) const fn allow(rules: Vec<RuleId>) -> Self {
        Self::new(Decision::Allow, rules)
    }

    pub(in crate::decision) fn deny(reason: Reason, missing: Vec<String>) -> Self {
        let denied = Denied {
            missing,
            ..Denied::of(reason)
        };
        Self::new(Decision::Deny(denied), Vec::new())
    }

    /// What would be allowed, were the token or the login fresher.
    pub(in crate::decision) fn stale(self, stale: Stale) -> Self {
        let (reason, step_up) = match stale {
            Stale::Token => (Reason::TokenTooOld, None),
            Stale::Login(step_up) => (Reason::AuthenticationStale, Some(step_up)),
        };
        let denied = Denied {
            step_up,
            ..Denied::of(reason)
        };
        Self {
            decision: Decision::Deny(denied),
            ..self
        }
    }

    /// What would be allowed, were it not for this. What was refused before stays what it was.
    pub(in crate::decision) fn refused(self, reason: Reason) -> Self {
        match self.decision {
            Decision::Deny(_) => self,
            Decision::Allow => Self {
                decision: Decision::Deny(Denied::of(reason)),
                ..self
            },
        }
    }

    /// What would be allowed, were there room in the budget of this rule.
    pub(in crate::decision) fn spent(self, rule: Option<RuleId>, wait: Duration) -> Self {
        let denied = Denied {
            retry_after: Some(wait),
            ..Denied::of(Reason::BudgetSpent)
        };
        let spent = Self {
            decision: Decision::Deny(denied),
            ..self
        };
        match rule {
            Some(rule) => spent.by(vec![rule]),
            None => spent,
        }
    }

    /// One more thing is allowed.
    pub(in crate::decision) fn add(&mut self, grant: Grant) {
        self.rules.push(grant.rule);
        self.scopes.extend(grant.scopes);
        self.tier = self.tier.max(grant.tier);
        self.charges.extend(grant.charges);
    }

    pub(in crate::decision) fn by(self, rules: Vec<RuleId>) -> Self {
        Self { rules, ..self }
    }

    pub(in crate::decision) fn using(self, scopes: Vec<String>) -> Self {
        Self { scopes, ..self }
    }

    pub(in crate::decision) fn of_tier(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// The same, taking nothing from budgets.
    pub(in crate::decision) fn free(self) -> Self {
        Self {
            charges: Vec::new(),
            ..self
        }
    }

    pub(in crate::decision) fn approved_by(mut self, group: String) -> Self {
        if let Decision::Deny(denied) = &mut self.decision {
            denied.approver = Some(group);
        }
        self
    }

    /// The same, with what `other` would have decided.
    pub(in crate::decision) fn beside(self, other: Self) -> Self {
        let shadow = Silent {
            refusal: other.refusal(),
            rules: other.rules,
        };
        Self {
            shadow: Some(shadow),
            ..self
        }
    }

    /// The same, where what has effect and what has none are one.
    pub(in crate::decision) fn beside_itself(self) -> Self {
        let shadow = Silent {
            refusal: self.refusal(),
            rules: self.rules.clone(),
        };
        Self {
            shadow: Some(shadow),
            ..self
        }
    }

    /// Why it refuses; `None` when it allows.
    pub const fn refusal(&self) -> Option<Reason> {
        match &self.decision {
            Decision::Allow => None,
            Decision::Deny(denied) => Some(denied.reason),
        }
    }

    /// Whether it is the policy that refuses it, its budgets included, and nothing else.
    pub(in crate::decision) fn is_refused_by_policy(&self) -> bool {
        const BY_POLICY: [Reason; 8] = [
            Reason::ToolNotAllowed,
            Reason::PromptNotAllowed,
            Reason::ResourceNotAllowed,
            Reason::ApprovalRequired,
            Reason::ArgumentDenied,
            Reason::OutsideHours,
            Reason::BudgetSpent,
            Reason::StateUnavailable,
        ];
        match self.refusal() {
            // The scopes of the server itself are nobody's rule.
            Some(Reason::ScopeInsufficient) => !self.rules.is_empty(),
            Some(reason) => BY_POLICY.contains(&reason),
            None => false,
        }
    }

    /// How what would be decided besides differs, if it does.
    pub fn disagreement(&self) -> Option<Differing> {
        let shadow = self.shadow.as_ref()?;
        let (from, to, reason) = match (self.refusal(), shadow.refusal) {
            (None, Some(reason)) => (ALLOW, DENY, reason),
            (Some(reason), None) => (DENY, ALLOW, reason),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some(Differing { from, to, reason })
    }

    /// Whether something was decided besides.
    pub const fn has_shadow(&self) -> bool {
        self.shadow.is_some()
    }
}

const ALLOW: &str = "allow";
const DENY: &str = "deny";
