//! Where rules stand, for people: file and line, and what the rule says. Never decides anything.

use std::collections::HashMap;
use std::path::Path;

use gatewright_policies::{PolicySet, Row};

/// A rule as people find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// `gatewright.yaml:26`.
    pub(super) at: String,
    /// The condition, or the pattern of a rule without one.
    pub(super) text: String,
}

/// The places of all rules.
#[derive(Debug)]
pub(super) struct Places(Vec<(String, Place)>);

impl Places {
    /// Where the rules of `policy` stand, which `file` configures.
    pub(super) fn of(policy: &PolicySet, file: &Path) -> Self {
        let mut positions: HashMap<(&str, &str), usize> = HashMap::new();
        let place = |row: &'_ Row| Place {
            at: format!("{}:{}", file.display(), row.line),
            text: row.when.clone().unwrap_or_else(|| row.pattern.clone()),
        };
        let places = policy.rows().iter().map(|row| {
            let position = positions.entry((&row.role, &row.server)).or_default();
            let id = format!("roles.{}.{}[{position}]", row.role, row.server);
            *position += 1;
            (id, place(row))
        });
        Self(places.collect())
    }

    /// Where this rule stands.
    pub(super) fn find(&self, rule: &str) -> Option<&Place> {
        let found = self.0.iter().find(|(id, _)| id == rule);
        found.map(|(_, place)| place)
    }

    /// The ids of all rules, in the order of the policy.
    pub(super) fn ids(&self) -> Vec<String> {
        self.0.iter().map(|(id, _)| id.clone()).collect()
    }
}
