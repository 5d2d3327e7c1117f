//! Weighs the rules that could apply to one question and makes one answer of them. Doubt denies.

use std::cell::{Cell, OnceCell};

use cedar_policy::Request;

use crate::answer::{Answer, Cause, Denial, Grant, RuleId};
use crate::facts::Facts;
use crate::limit::{Charge, Limit, Measure};
use crate::program::{Holding, Program};
use crate::rule::{Effect, Rule};
use crate::scene::{Asked, Scene, Wanted};
use crate::slot::Slots;
use crate::tier::Tier;
use crate::wants::Wants;

/// Where a rule stands among those that could apply: exact names, globs, Cedar policies; then by its number.
pub(crate) type Rank = (u8, usize);

/// One question, the rules that could apply, and the facts when they are needed.
pub(crate) struct Court<'c, 'f, F> {
    rules: &'c [(Rank, &'c Rule)],
    slots: &'c Slots,
    asked: Asked<'c>,
    facts: Cell<Option<F>>,
    scene: OnceCell<Option<Scene<'f>>>,
}

/// How thoroughly rules are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// As far as the answer needs it.
    Enough,
    /// Every rule.
    Full,
}

/// A rule that was looked at.
#[derive(Debug)]
pub(crate) struct Finding<'c> {
    pub(crate) rank: Rank,
    pub(crate) rule: &'c Rule,
    /// How many of its scopes are missing.
    pub(crate) missing: usize,
    pub(crate) holding: Holding,
    /// `None` when they cannot be told.
    pub(crate) charges: Option<Vec<Charge>>,
}

impl Finding<'_> {
    /// Whether it has a say in the answer.
    pub(crate) const fn applies(&self) -> bool {
        match (self.rule.effect, self.holding) {
            (Effect::Permit, Holding::Holds | Holding::Open) => self.missing == 0,
            (Effect::Forbid, Holding::Holds | Holding::Errs) => true,
            (Effect::Permit, Holding::Fails | Holding::Errs)
            | (Effect::Forbid, Holding::Fails | Holding::Open) => false,
        }
    }
}

impl<'c, 'f, F: FnOnce() -> Facts<'f>> Court<'c, 'f, F> {
    pub(crate) fn new(
        rules: &'c [(Rank, &'c Rule)],
        slots: &'c Slots,
        asked: Asked<'c>,
        facts: F,
    ) -> Self {
        Self {
            rules,
            slots,
            asked,
            facts: Cell::new(Some(facts)),
            scene: OnceCell::new(),
        }
    }

    /// Looks at the rules: those that forbid, then those that allow without conditions, then the others.
    pub(crate) fn findings(&self, care: Care) -> Vec<Finding<'c>> {
        let mut found: Vec<Finding<'c>> = Vec::with_capacity(self.rules.len());
        let mut is_allowed = false;
        for step in STEPS {
            let of_step = self.rules.iter().filter(|(_, rule)| step.is_of(rule));
            for (rank, rule) in of_step {
                let is_settled = is_allowed && step == Step::Conditional && !rule.adds_terms();
                if is_settled && care == Care::Enough {
                    continue;
                }
                let finding = self.finding(*rank, rule);
                is_allowed |=
                    finding.applies() && rule.effect == Effect::Permit && rule.ask().is_none();
                found.push(finding);
            }
            let is_forbidden = step == Step::Forbid && found.iter().any(Finding::applies);
            if is_forbidden && care == Care::Enough {
                break;
            }
        }
        found
    }

    /// The answer that follows from them.
    pub(crate) fn answer(&self, findings: &[Finding<'c>]) -> Answer {
        let forbidding = Self::forbidding(findings);
        if let Some(denial) = forbidding {
            return Answer::Deny(denial);
        }
        let applying = || {
            let found = findings.iter().filter(|found| found.applies());
            found.filter(|found| found.rule.effect == Effect::Permit)
        };
        let free: Vec<_> = applying()
            .filter(|found| found.rule.ask().is_none())
            .collect();
        if let Some(grant) = grant(&free) {
            return Answer::Allow(grant);
        }
        let asking = applying().min_by_key(|found| found.rank);
        Answer::Deny(match asking {
            Some(found) => approval(found),
            None => self.nearest(findings),
        })
    }

    fn forbidding(findings: &[Finding<'_>]) -> Option<Denial> {
        let mut forbidding: Vec<_> = findings
            .iter()
            .filter(|found| found.rule.effect == Effect::Forbid && found.applies())
            .collect();
        forbidding.sort_by_key(|found| found.rank);
        let first = forbidding.first()?;
        Some(Denial::Forbidden {
            cause: all_that_it_reads(first.rule),
            rules: forbidding
                .iter()
                .map(|found| found.rule.id.clone())
                .collect(),
        })
    }

    fn nearest(&self, findings: &[Finding<'_>]) -> Denial {
        let permits = || {
            findings
                .iter()
                .filter(|found| found.rule.effect == Effect::Permit)
        };
        let holds = |found: &&Finding<'_>| match found.holding {
            Holding::Holds | Holding::Open => true,
            Holding::Fails | Holding::Errs => false,
        };
        let key = |found: &&Finding<'_>| (found.missing, found.rank);
        if let Some(found) = permits().filter(holds).min_by_key(key) {
            let missing = found.rule.missing(self.asked.scopes);
            return Denial::ScopeMissing {
                missing: missing.cloned().collect(),
                rule: found.rule.id.clone(),
            };
        }
        match permits().min_by_key(key) {
            Some(found) => Denial::Unmet {
                rule: found.rule.id.clone(),
                cause: self.cause(found.rule),
            },
            None => Denial::NoRule,
        }
    }

    fn finding(&self, rank: Rank, rule: &'c Rule) -> Finding<'c> {
        let charges = self.charges(rule);
        let holding = match &charges {
            // What is to be added up is not there: it cannot be within the budget.
            None => Holding::Fails,
            Some(_) => self.holding(rule),
        };
        Finding {
            rank,
            rule,
            missing: rule.missing(self.asked.scopes).count(),
            holding,
            charges,
        }
    }

    pub(crate) fn scene(&self) -> Option<&Scene<'f>> {
        let scene = self.scene.get_or_init(|| {
            let facts = self.facts.take()?();
            let programs = || {
                self.rules
                    .iter()
                    .filter_map(|(_, rule)| rule.program.as_ref())
            };
            let mut slots: Vec<usize> = programs()
                .flat_map(|program| program.slots.clone())
                .collect();
            slots.sort_unstable();
            slots.dedup();
            let wants =
                programs().fold(Wants::default(), |wants, program| wants.and(program.wants));
            let wanted = Wanted {
                slots: &slots,
                wants,
            };
            Scene::new(facts, &self.asked, self.slots, wanted)
        });
        scene.as_ref()
    }

    fn holding(&self, rule: &Rule) -> Holding {
        let Some(program) = &rule.program else {
            return Holding::Holds;
        };
        let Some(scene) = self.scene() else {
            return Holding::Errs;
        };
        let best = self.requests(rule, program, scene, |request| {
            program.holding(request, scene)
        });
        best.unwrap_or(Holding::Errs)
    }

    /// What `ask` says of the request, or of the detail that serves the rule best.
    fn requests(
        &self,
        rule: &Rule,
        program: &Program,
        scene: &Scene<'_>,
        ask: impl Fn(&Request) -> Holding,
    ) -> Option<Holding> {
        match &rule.terms.details {
            None => scene.plain().map(ask),
            Some(kind) => scene
                .with_details(kind, self.slots, &program.slots)
                .map(|request| ask(&request))
                .max_by_key(|holding| weight(rule.effect, *holding)),
        }
    }

    /// What the part is about that kept the rule from applying.
    fn cause(&self, rule: &Rule) -> Cause {
        let sums = |limit: &Limit| matches!(limit.measure, Measure::Sum(_));
        if rule.terms.limits.iter().any(sums) && self.charges(rule).is_none() {
            return Cause::Arguments;
        }
        let (Some(program), Some(scene)) = (&rule.program, self.scene()) else {
            return Cause::Other;
        };
        match &rule.terms.details {
            None => scene.plain().map_or(Cause::Other, |request| {
                program.clause.deciding(request, scene).reads.cause()
            }),
            Some(kind) => scene
                .with_details(kind, self.slots, &program.slots)
                .last()
                .map_or(Cause::Other, |request| {
                    program.clause.deciding(&request, scene).reads.cause()
                }),
        }
    }

    /// What a call takes from the budgets of a rule; `None` when that cannot be told. A list takes nothing.
    fn charges(&self, rule: &Rule) -> Option<Vec<Charge>> {
        let limits = rule.terms.limits.iter();
        limits
            .filter_map(|limit| {
                let amount = match &limit.measure {
                    Measure::Calls => Some(1),
                    Measure::Sum(_) if self.scene().is_some_and(Scene::is_open) => return None,
                    Measure::Sum(path) => self.amount(path),
                };
                Some(amount.map(|amount| Charge {
                    rule: rule.id.clone(),
                    limit: limit.clone(),
                    amount,
                }))
            })
            .collect()
    }

    fn amount(&self, path: &str) -> Option<u64> {
        let keys: Vec<_> = path.split('.').map(str::to_owned).collect();
        self.scene()?.amount(&keys)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Forbid,
    Plain,
    Conditional,
}

impl Step {
    const fn is_of(self, rule: &Rule) -> bool {
        match (self, rule.effect) {
            (Self::Forbid, Effect::Forbid) => true,
            (Self::Plain, Effect::Permit) => !rule.is_conditional(),
            (Self::Conditional, Effect::Permit) => rule.is_conditional(),
            (Self::Forbid, Effect::Permit) | (Self::Plain | Self::Conditional, Effect::Forbid) => {
                false
            }
        }
    }
}

const STEPS: [Step; 3] = [Step::Forbid, Step::Plain, Step::Conditional];

/// Of several details the one counts that serves the rule best: to allow, or to forbid.
const fn weight(effect: Effect, holding: Holding) -> u8 {
    match (effect, holding) {
        (_, Holding::Holds) => 3,
        (Effect::Forbid, Holding::Errs) | (Effect::Permit, Holding::Open) => 2,
        (Effect::Forbid, Holding::Open) | (Effect::Permit, Holding::Errs) => 1,
        (_, Holding::Fails) => 0,
    }
}

fn all_that_it_reads(rule: &Rule) -> Cause {
    let program = rule.program.as_ref();
    program.map_or(Cause::Other, |program| program.clause.reads.cause())
}

fn grant(free: &[&Finding<'_>]) -> Option<Grant> {
    let first = free.iter().min_by_key(|found| found.rank)?;
    let tiers = free.iter().map(|found| found.rule.terms.tier);
    Some(Grant {
        rule: first.rule.id.clone(),
        scopes: first.rule.terms.scopes.clone(),
        tier: tiers.max().unwrap_or(Tier::Low),
        charges: free
            .iter()
            .filter_map(|found| found.charges.clone())
            .flatten()
            .collect(),
    })
}

fn approval(found: &Finding<'_>) -> Denial {
    let rule: RuleId = found.rule.id.clone();
    match (found.rule.ask(), grant(&[found])) {
        (Some(ask), Some(grant)) => Denial::ApprovalRequired {
            rule,
            ask,
            grant: Box::new(grant),
        },
        (None, _) | (_, None) => Denial::NoRule,
    }
}
