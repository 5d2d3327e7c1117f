//! What a policy answers, and which rule made it so. Never a bare boolean.

use std::fmt;
use std::sync::Arc;

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// A rule allows it.
    Allow {
        /// The first rule that does: exact names before globs, then in the order of the file.
        rule: RuleId,
        /// The scopes that this rule asks for, all of which the token has.
        scopes: Vec<String>,
    },
    /// Nothing allows it.
    Deny(Denial),
}

impl Answer {
    /// Whether the answer is to allow.
    pub const fn is_allow(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// Why nothing allows it.
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
}

/// Where a rule stands in the configuration: `roles.support.crm[1]`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(Arc<str>);

impl RuleId {
    pub(crate) fn new(role: &str, server: &str, position: usize) -> Self {
        Self(format!("roles.{role}.{server}[{position}]").into())
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
