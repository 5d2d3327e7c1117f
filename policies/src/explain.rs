//! Says of every rule that is about a thing why it applies or does not, and which rule would allow with the least
//! change. Decides nothing: the answer is the one of `decide`.

use std::borrow::Borrow;
use std::ops::Range;

use cedar_policy::Request;

use crate::answer::{Answer, RuleId};
use crate::court::{Care, Court, Finding};
use crate::facts::Facts;
use crate::pattern::{Pattern, is_plain};
use crate::program::{Clause, Holding, Leaf, Shape};
use crate::question::Question;
use crate::rule::{Effect, Rule};
use crate::scene::{Asked, Scene};
use crate::set::PolicySet;
use crate::slot::{Root, Slots};
use crate::value::Lack;

/// An answer and how it came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The answer.
    pub answer: Answer,
    /// Every rule about this server and this kind of thing, in the order of the set.
    pub considered: Vec<Considered>,
    /// Where in `considered` the rule stands that would allow with the least change, when no rule allows.
    pub nearest: Option<usize>,
}

/// A rule that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// Which.
    pub rule: RuleId,
    /// What it does.
    pub effect: Effect,
    /// Whether it had a say.
    pub applies: bool,
    /// What kept it from applying; empty when it applies.
    pub obstacles: Vec<Obstacle>,
}

/// What keeps a rule from applying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// It is about other names.
    Name {
        /// The pattern that does not match.
        pattern: String,
    },
    /// It is for another role.
    Role {
        /// That role.
        role: String,
    },
    /// The token has not all of its scopes.
    Scopes {
        /// Those that are missing.
        missing: Vec<String>,
    },
    /// The token has no `authorization_details` of its type.
    Details {
        /// That type.
        kind: String,
    },
    /// A part of its condition is false.
    Clause {
        /// The part, as its author wrote it.
        text: String,
        /// Where in the text of the rule.
        bytes: Range<usize>,
    },
    /// A part of its condition cannot be told.
    Unknown {
        /// The part, as its author wrote it.
        text: String,
        /// Where in the text of the rule.
        bytes: Range<usize>,
        /// What it looks at and does not find, as its author wrote it.
        lacks: Vec<(String, Lack)>,
    },
    /// A budget adds up an argument that is no whole number.
    Amount,
}

impl Explanation {
    /// The rules that had a say.
    pub fn applied(&self) -> impl Iterator<Item = &RuleId> {
        let applied = self.considered.iter().filter(|rule| rule.applies);
        applied.map(|rule| &rule.rule)
    }
}

impl PolicySet {
    /// Answers one question as [`PolicySet::decide`] does, and says why.
    pub fn explain<R: Borrow<str>, S: Borrow<str>>(
        &self,
        question: &Question<'_, R, S>,
        facts: &Facts<'_>,
    ) -> Explanation {
        let answer = self.decide(question, || facts.clone());
        let roles: Vec<_> = question.roles.iter().map(Borrow::borrow).collect();
        let scopes: Vec<_> = question.scopes.iter().map(Borrow::borrow).collect();
        let asked = Asked {
            server: question.server,
            access: question.access,
            name: question.name,
            roles: &roles,
            scopes: &scopes,
        };
        let about = |rule: &&Rule| {
            let server = rule.subject.server.as_ref();
            rule.subject.accesses.contains(&question.access)
                && server.is_none_or(|server| server == question.server)
        };
        let about_it = self.rules().iter().filter(about).enumerate();
        let ranked: Vec<_> = about_it.map(|(number, rule)| ((0, number), rule)).collect();
        let court = Court::new(&ranked, self.slots(), asked, || facts.clone());
        let mut findings = court.findings(Care::Full);
        findings.sort_by_key(|finding| finding.rank);
        let considered: Vec<_> = findings
            .iter()
            .map(|finding| considered(finding, &asked, court.scene(), self.slots()))
            .collect();
        let nearest = (!answer.is_allow()).then(|| nearest(&considered)).flatten();
        Explanation {
            answer,
            considered,
            nearest,
        }
    }
}

fn considered(
    finding: &Finding<'_>,
    asked: &Asked<'_>,
    scene: Option<&Scene<'_>>,
    slots: &Slots,
) -> Considered {
    let rule = finding.rule;
    let mut obstacles = of_subject(rule, asked);
    let applies = finding.applies() && obstacles.is_empty();
    if !applies {
        obstacles.extend(of_terms(finding, asked));
        if let Some(scene) = scene {
            obstacles.extend(of_condition(rule, scene, slots));
        }
    }
    Considered {
        rule: rule.id.clone(),
        effect: rule.effect,
        applies,
        obstacles,
    }
}

fn of_subject(rule: &Rule, asked: &Asked<'_>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    if !names(rule, asked) {
        obstacles.push(Obstacle::Name {
            pattern: rule.subject.pattern.clone().unwrap_or_default(),
        });
    }
    if let Some(role) = &rule.subject.role
        && !asked.roles.contains(&role.as_str())
    {
        obstacles.push(Obstacle::Role { role: role.clone() });
    }
    obstacles
}

/// Whether the rule is about this name, as the index sees it.
fn names(rule: &Rule, asked: &Asked<'_>) -> bool {
    let is_plain = is_plain(asked.access, asked.name);
    let Some(pattern) = &rule.subject.pattern else {
        return is_plain || rule.effect == Effect::Forbid;
    };
    if rule.is_cedar() {
        return pattern == asked.name;
    }
    match Pattern::parse(asked.access, pattern) {
        Ok(Pattern::Glob(glob)) => {
            let tail = asked.name.strip_prefix(glob.prefix());
            is_plain && tail.is_some_and(|tail| glob.matches_after_prefix(tail))
        }
        Ok(Pattern::Exact) | Err(_) => pattern == asked.name,
    }
}

fn of_terms(finding: &Finding<'_>, asked: &Asked<'_>) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    let missing: Vec<_> = finding.rule.missing(asked.scopes).cloned().collect();
    if !missing.is_empty() {
        obstacles.push(Obstacle::Scopes { missing });
    }
    if finding.charges.is_none() {
        obstacles.push(Obstacle::Amount);
    }
    obstacles
}

fn of_condition(rule: &Rule, scene: &Scene<'_>, slots: &Slots) -> Vec<Obstacle> {
    let Some(program) = &rule.program else {
        return Vec::new();
    };
    let ask = |request: &Request| -> Vec<Obstacle> {
        let mut parts = Vec::new();
        for part in program.conditions() {
            conjuncts(part, &mut parts);
        }
        let failing = parts.into_iter();
        failing
            .filter_map(|part| of_part(rule, part, part.holding(request, scene), scene, slots))
            .collect()
    };
    match &rule.terms.details {
        None => scene.plain().map(ask).unwrap_or_default(),
        Some(kind) => scene
            .with_details(kind, slots, &program.slots)
            .map(|request| ask(&request))
            .min_by_key(Vec::len)
            .unwrap_or_else(|| vec![Obstacle::Details { kind: kind.clone() }]),
    }
}

fn conjuncts<'c>(clause: &'c Clause, parts: &mut Vec<&'c Clause>) {
    match &clause.shape {
        Shape::All(inner) => inner.iter().for_each(|part| conjuncts(part, parts)),
        Shape::Leaf(_) | Shape::Any(_) | Shape::Not(_) => parts.push(clause),
    }
}

fn of_part(
    rule: &Rule,
    part: &Clause,
    holding: Holding,
    scene: &Scene<'_>,
    slots: &Slots,
) -> Option<Obstacle> {
    let text = rule
        .text
        .get(part.bytes.clone())
        .unwrap_or_default()
        .to_owned();
    let bytes = part.bytes.clone();
    match holding {
        Holding::Holds | Holding::Open => None,
        Holding::Fails => Some(Obstacle::Clause { text, bytes }),
        Holding::Errs => {
            let mut read = Vec::new();
            leaves(part, &mut read);
            let mut numbers: Vec<_> = read.into_iter().flat_map(Leaf::slots).collect();
            numbers.sort_unstable();
            numbers.dedup();
            Some(Obstacle::Unknown {
                text,
                bytes,
                lacks: numbers
                    .into_iter()
                    .filter_map(|number| lack(number, rule, scene, slots))
                    .collect(),
            })
        }
    }
}

fn lack(number: usize, rule: &Rule, scene: &Scene<'_>, slots: &Slots) -> Option<(String, Lack)> {
    let slot = slots.get(number)?;
    let lack = match (slot.root, &rule.terms.details) {
        (Root::Details, Some(kind)) => scene.detail_lack(kind, slot),
        (Root::Details, None) => Some(Lack::Missing),
        (Root::Arguments | Root::Claims, _) => scene.lack(number),
    };
    lack.map(|lack| (slot.to_string(), lack))
}

fn leaves<'c>(clause: &'c Clause, found: &mut Vec<&'c Leaf>) {
    match &clause.shape {
        Shape::Leaf(leaf) => found.push(leaf),
        Shape::Not(inner) => leaves(inner, found),
        Shape::All(parts) | Shape::Any(parts) => {
            for part in parts {
                leaves(part, found);
            }
        }
    }
}

/// The rule about this name with the fewest obstacles; of those, the one with the fewest missing scopes.
fn nearest(considered: &[Considered]) -> Option<usize> {
    let is_candidate = |rule: &(usize, &Considered)| {
        let other_name = |obstacle: &Obstacle| matches!(obstacle, Obstacle::Name { .. });
        rule.1.effect == Effect::Permit && !rule.1.obstacles.iter().any(other_name)
    };
    considered
        .iter()
        .enumerate()
        .filter(is_candidate)
        .min_by_key(|(place, rule)| {
            let scopes = rule.obstacles.iter().map(|obstacle| match obstacle {
                Obstacle::Scopes { missing } => missing.len(),
                Obstacle::Name { .. }
                | Obstacle::Role { .. }
                | Obstacle::Details { .. }
                | Obstacle::Clause { .. }
                | Obstacle::Unknown { .. }
                | Obstacle::Amount => 0,
            });
            (rule.obstacles.len(), scopes.sum::<usize>(), *place)
        })
        .map(|(place, _)| place)
}

#[cfg(test)]
mod tests;
