//! What a policy answers, and which rule made it so. Never a bare boolean.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::limit::Charge;
use crate::tier::Tier;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// A rule allows it.
    Allow(Grant),
    /// Nothing allows it, or something forbids it.
    Deny(Denial),
}

impl Answer {
    /// Whether the answer is to allow.
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// What a rule allows, and at what price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The first rule that does: exact names before globs, then in the order of the file; rows before Cedar policies.
    pub rule: RuleId,
    /// The scopes that this rule asks for, all of which the token has.
    pub scopes: Vec<String>,
    /// How much harm the rules that apply say it can do.
    pub tier: Tier,
    /// What is taken from whose budget. All of them must have room.
    pub charges: Vec<Charge>,
}

/// Why it is not allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// No role of the principal has a rule for it.
    NoRule,
    /// A rule would allow it if the token had more scopes.
    ScopeMissing {
        /// The fewest scopes that are missing under any one rule.
        missing: Vec<String>,
        /// That rule.
        rule: RuleId,
    },
    /// A rule would allow it, but for its condition.
    Unmet {
        /// The rule that came nearest.
        rule: RuleId,
        /// What the condition is about.
        cause: Cause,
    },
    /// A policy forbids it, whatever else allows it.
    Forbidden {
        /// The policies that do.
        rules: Vec<RuleId>,
        /// What the first of them is about.
        cause: Cause,
    },
    /// A rule allows it once a human has agreed.
    ApprovalRequired {
        /// That rule.
        rule: RuleId,
        /// Who must agree.
        ask: Approval,
        /// What is allowed then.
        grant: Box<Grant>,
    },
}

/// What a condition that decided is about; the answer of a client depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The arguments of the call: another call might pass.
    Arguments,
    /// The time: the same call might pass later.
    Hours,
    /// Anything else.
    Other,
}

/// Who must agree to a call before it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Approval {
    /// The group of those who may agree; empty when the rule names none.
    pub by: String,
    /// How long their word counts.
    pub ttl: Option<Duration>,
}

/// Where a rule stands: `roles.support.crm[1]`, or the `@id` of a Cedar policy. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(Arc<str>);

impl RuleId {
    pub(crate) fn of_row(role: &str, server: &str, position: usize) -> Self {
        Self(format!("roles.{role}.{server}[{position}]").into())
    }

    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
