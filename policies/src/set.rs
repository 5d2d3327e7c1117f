//! The whole policy, ready to be asked: rows of roles and Cedar policies behind one door. The empty one denies everything.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use crate::answer::{Answer, RuleId};
use crate::build::Builder;
use crate::court::{Care, Court, Rank};
use crate::error::{FaultKind, Origin, PolicyFault};
use crate::facts::Facts;
use crate::index::{Patterns, RowIndex};
use crate::pattern::is_plain;
use crate::question::Question;
use crate::roles::Row;
use crate::roomy::on_a_large_stack;
use crate::rule::{Effect, Rule};
use crate::scene::Asked;
use crate::slot::Slots;
use crate::weighing::Weighing;

#[cfg(test)]
pub(crate) mod scene;
#[cfg(test)]
mod tests;

/// What a policy is made of.
#[derive(Debug, Clone, Default)]
pub struct PolicySource {
    /// The rows of the roles, in the order of the file.
    pub rows: Vec<Row>,
    /// The files of Cedar policies, in the order of their names.
    pub cedar: Vec<CedarFile>,
}

/// A file of Cedar policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CedarFile {
    /// Its name, for people.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// The whole policy. Cheap to clone.
#[derive(Clone, Default)]
pub struct PolicySet(Arc<Policy>);

#[derive(Default)]
struct Policy {
    rows: Vec<Row>,
    /// The rows first, each with its own number; then the Cedar policies.
    rules: Vec<Rule>,
    index: RowIndex,
    slots: Slots,
    claims: Vec<String>,
}

impl PolicySet {
    /// Reads, compiles and type-checks everything once.
    ///
    /// # Errors
    /// Every fault, not only the first.
    pub fn build(source: PolicySource) -> Result<Self, Vec<PolicyFault>> {
        on_a_large_stack(|| Self::compile(source)).unwrap_or_else(|| {
            Err(vec![PolicyFault {
                origin: Origin::Row(0),
                kind: FaultKind::BadPolicy {
                    message: "the policy cannot be compiled".to_owned(),
                    help: "see that the system has threads and memory to spare".to_owned(),
                },
            }])
        })
    }

    fn compile(source: PolicySource) -> Result<Self, Vec<PolicyFault>> {
        let mut builder = Builder::default();
        builder.rows(&source.rows);
        builder.files(&source.cedar);
        let (rules, index, slots) = builder.finish()?;
        Ok(Self(Arc::new(Policy {
            claims: slots.claims(),
            rows: source.rows,
            rules,
            index,
            slots,
        })))
    }

    /// The rows as they were given.
    pub fn rows(&self) -> &[Row] {
        &self.0.rows
    }

    /// Every rule: the rows in their order, then the Cedar policies in theirs.
    pub fn rules(&self) -> &[Rule] {
        &self.0.rules
    }

    /// The rule of this id.
    pub fn rule(&self, id: &RuleId) -> Option<&Rule> {
        self.0.rules.iter().find(|rule| rule.id == *id)
    }

    /// The tools of this server that rows name without a wildcard, each once, in order of the alphabet.
    pub fn exact_tools(&self, server: &str) -> impl Iterator<Item = &str> {
        self.0.index.exact_tools(server)
    }

    /// The claims of tokens that some policy reads, each once.
    pub fn claims(&self) -> &[String] {
        &self.0.claims
    }

    pub(crate) fn slots(&self) -> &Slots {
        &self.0.slots
    }

    /// Answers one question. `facts` are asked for only when a condition must be looked at.
    pub fn decide<'f, R: Borrow<str>, S: Borrow<str>>(
        &self,
        question: &Question<'_, R, S>,
        facts: impl FnOnce() -> Facts<'f>,
    ) -> Answer {
        let policy = &*self.0;
        let cedar = policy.cedar(question);
        if cedar.is_empty() && !policy.granted(question).any(Patterns::has_terms) {
            return policy.weigh(question);
        }
        let mut rules = policy.matching_rows(question);
        rules.extend(cedar);
        let held: Vec<_> = question.roles.iter().map(Borrow::borrow).collect();
        let scopes: Vec<_> = question.scopes.iter().map(Borrow::borrow).collect();
        let asked = Asked {
            server: question.server,
            access: question.access,
            name: question.name,
            roles: &held,
            scopes: &scopes,
        };
        let court = Court::new(&rules, &policy.slots, asked, facts);
        court.answer(&court.findings(Care::Enough))
    }
}

impl Policy {
    /// The rows that could be about it, by role.
    fn granted<R: Borrow<str>, S>(
        &self,
        question: &Question<'_, R, S>,
    ) -> impl Iterator<Item = &Patterns> {
        let server = self.index.server(question.server);
        server.into_iter().flat_map(|server| {
            let roles = question.roles.iter();
            roles.filter_map(|role| server.patterns(role.borrow(), question.access))
        })
    }

    /// The quick way: rows that say no more than who, what and which scopes. Allocates only to deny for a missing scope.
    fn weigh<R: Borrow<str>, S: Borrow<str>>(&self, question: &Question<'_, R, S>) -> Answer {
        let mut weighing = Weighing::new(&self.rules, question.scopes);
        for patterns in self.granted(question) {
            patterns
                .exact(question.name)
                .for_each(|row| weighing.weigh(row));
        }
        if !weighing.is_allowed() && is_plain(question.access, question.name) {
            for patterns in self.granted(question) {
                patterns
                    .globs(question.name)
                    .for_each(|row| weighing.weigh(row));
            }
        }
        weighing.answer()
    }

    fn matching_rows<R: Borrow<str>, S>(
        &self,
        question: &Question<'_, R, S>,
    ) -> Vec<(Rank, &Rule)> {
        let mut found = Vec::new();
        let is_plain = is_plain(question.access, question.name);
        for patterns in self.granted(question) {
            found.extend(patterns.exact(question.name).map(|row| (EXACT, row)));
            if is_plain {
                found.extend(patterns.globs(question.name).map(|row| (GLOB, row)));
            }
        }
        // A role that is given twice has its rows twice.
        found.sort_unstable();
        found.dedup();
        found
            .into_iter()
            .filter_map(|rank| Some((rank, self.rules.get(rank.1)?)))
            .collect()
    }

    /// The Cedar policies that could be about it. One that allows must spell out a name that could be read as another.
    fn cedar<R: Borrow<str>, S>(&self, question: &Question<'_, R, S>) -> Vec<(Rank, &Rule)> {
        let rules = self.rules.iter().enumerate().skip(self.rows.len());
        let is_plain = is_plain(question.access, question.name);
        rules
            .filter(|(_, rule)| {
                let subject = &rule.subject;
                let is_about = |wanted: &Option<String>, given: &str| {
                    wanted.as_ref().is_none_or(|wanted| wanted == given)
                };
                subject.accesses.contains(&question.access)
                    && is_about(&subject.server, question.server)
                    && is_about(&subject.pattern, question.name)
                    && (is_plain || subject.pattern.is_some() || rule.effect == Effect::Forbid)
                    && subject.role.as_ref().is_none_or(|role| {
                        question
                            .roles
                            .iter()
                            .any(|held| held.borrow() == role.as_str())
                    })
            })
            .map(|(number, rule)| ((CEDAR, number), rule))
            .collect()
    }
}

impl fmt::Debug for PolicySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = self.0.rules.iter().map(|rule| &rule.id);
        f.debug_list().entries(ids).finish()
    }
}

const EXACT: u8 = 0;
const GLOB: u8 = 1;
const CEDAR: u8 = 2;
