//! Where the rules of a policy stand, for people: file, line and what the rule says. Never decides anything.

use std::path::{Path, PathBuf};

use gatewright_policies::{Place as Written, PolicySet, Rule, RuleId};

use super::cedar::CedarText;
use super::span;

/// A rule as people find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What answers and records call it.
    pub id: RuleId,
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The condition of a row, its pattern when it has none; the id of a Cedar policy.
    pub text: String,
}

impl Place {
    /// `gatewright.yaml:26`.
    pub fn at(&self) -> String {
        format!("{}:{}", self.path.display(), self.line)
    }
}

/// The places of all rules, in the order of the policy.
#[derive(Debug, Clone, Default)]
pub struct Places(Vec<Place>);

impl Places {
    /// Where the rules of `policy` stand: rows in the file at `path`, and Cedar policies in `texts`.
    pub(crate) fn of(policy: &PolicySet, path: &Path, texts: &[CedarText]) -> Self {
        let place = |rule: &Rule| match &rule.place {
            Written::Row { index, line } => {
                let pattern = policy.rows().get(*index).map(|row| row.pattern.clone());
                let text = Some(rule.text.clone()).filter(|text| !text.is_empty());
                Some(Place {
                    id: rule.id.clone(),
                    path: path.to_owned(),
                    line: usize::try_from(*line).unwrap_or_default(),
                    text: text.or(pattern).unwrap_or_default(),
                })
            }
            Written::Cedar { file, bytes } => {
                let text = texts.get(*file)?;
                Some(Place {
                    id: rule.id.clone(),
                    path: text.path().to_owned(),
                    line: span::at_bytes(text.text(), bytes).line,
                    text: rule.id.to_string(),
                })
            }
        };
        Self(policy.rules().iter().filter_map(place).collect())
    }

    /// Every place.
    pub fn all(&self) -> &[Place] {
        &self.0
    }

    /// Where this rule stands.
    pub fn find(&self, rule: &RuleId) -> Option<&Place> {
        self.0.iter().find(|place| place.id == *rule)
    }
}
