//! How much of something a principal may use in a time. Says what is taken from which budget; keeps none.

use std::time::Duration;

use crate::answer::RuleId;

/// At most so much in a window.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    /// How much: calls, or the unit of the argument.
    pub most: u64,
    /// In how long. The window starts with the first call in it.
    pub window: Duration,
    /// Whose calls are added up.
    pub per: Per,
    /// What is added up.
    pub measure: Measure,
}

/// Whose calls are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Per {
    /// Those of one principal (issuer and subject).
    Principal,
    /// Those of everybody who has the role of the rule.
    Role,
    /// Those of everybody to the same tool.
    Tool,
}

/// What is added up.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Calls.
    Calls,
    /// The argument at this path, a whole number that is not negative.
    Sum(String),
}

/// What one call takes from one budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The rule that says so.
    pub rule: RuleId,
    /// The budget.
    pub limit: Limit,
    /// How much the call takes.
    pub amount: u64,
}
