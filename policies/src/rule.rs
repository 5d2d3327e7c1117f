//! One rule of a policy, whoever wrote it: a row of a role, or a Cedar policy. Is asked by others; asks nothing.

use std::ops::Range;

use crate::answer::{Approval, RuleId};
use crate::limit::Limit;
use crate::program::Program;
use crate::question::Access;
use crate::roles::Row;
use crate::tier::Tier;

/// What a rule does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It allows.
    Permit,
    /// It forbids, whatever else allows.
    Forbid,
}

/// Where a rule is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A row of the configuration.
    Row {
        /// Which of the given rows, from 0.
        index: usize,
        /// Its line, from 1; 0 when there is no file.
        line: u32,
    },
    /// A file of Cedar policies.
    Cedar {
        /// Which of the given files, from 0.
        file: usize,
        /// Where in it, from the first annotation to the semicolon.
        bytes: Range<usize>,
    },
}

/// On which terms a rule allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Scopes that the token must have, all of them.
    pub scopes: Vec<String>,
    /// The `type` of `authorization_details` that the condition looks at.
    pub details: Option<String>,
    /// Who must agree to each call.
    pub approval: Option<Approval>,
    /// How much harm a call can do.
    pub tier: Tier,
    /// What calls are taken from.
    pub limits: Vec<Limit>,
    /// What to tell who is refused, in the author's words.
    pub message: Option<String>,
}

/// What a rule is about, as far as that can be told without asking its condition. `None` is everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The role.
    pub role: Option<String>,
    /// The server.
    pub server: Option<String>,
    /// The kinds of things.
    pub accesses: Vec<Access>,
    /// A name, a URI, or the pattern of a row.
    pub pattern: Option<String>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// What it is called in answers and records.
    pub id: RuleId,
    /// Where it is written.
    pub place: Place,
    /// What it does.
    pub effect: Effect,
    /// What it is about.
    pub subject: Subject,
    /// On which terms.
    pub terms: Terms,
    /// The `when` of a row, or the whole Cedar policy; empty when there is no condition.
    pub text: String,
    /// The condition; `None` when there is none to ask.
    pub(crate) program: Option<Program>,
}

impl Rule {
    /// Whether something besides who, what and scopes decides whether it applies.
    pub const fn is_conditional(&self) -> bool {
        self.program.is_some()
    }

    /// Whether it stands in a file of Cedar policies.
    pub const fn is_cedar(&self) -> bool {
        match self.place {
            Place::Cedar { .. } => true,
            Place::Row { .. } => false,
        }
    }

    pub(crate) fn of_row(row: &Row, id: RuleId, index: usize) -> Self {
        Self {
            id,
            place: Place::Row {
                index,
                line: row.line,
            },
            effect: Effect::Permit,
            subject: Subject {
                role: Some(row.role.clone()),
                server: Some(row.server.clone()),
                accesses: vec![row.access],
                pattern: Some(row.pattern.clone()),
            },
            terms: Terms {
                scopes: row.scopes.clone(),
                details: row.details.clone(),
                approval: row.approval.clone(),
                tier: row.tier.unwrap_or_default(),
                limits: row.limits.clone(),
                message: None,
            },
            text: row.when.clone().unwrap_or_default(),
            program: None,
        }
    }

    /// Who must agree, when somebody must.
    pub(crate) fn ask(&self) -> Option<Approval> {
        let by_tier = (self.terms.tier == Tier::High).then(|| Approval {
            by: String::new(),
            ttl: None,
        });
        self.terms.approval.clone().or(by_tier)
    }

    /// Whether it matters that it applies when another rule allows already.
    pub(crate) fn adds_terms(&self) -> bool {
        self.ask().is_none() && (self.terms.tier != Tier::Low || !self.terms.limits.is_empty())
    }

    pub(crate) fn missing<'r>(&'r self, scopes: &'r [&str]) -> impl Iterator<Item = &'r String> {
        self.terms
            .scopes
            .iter()
            .filter(|wanted| !scopes.contains(&wanted.as_str()))
    }
}
