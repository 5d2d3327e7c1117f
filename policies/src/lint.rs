//! What a policy says and cannot mean: rules without effect, and rules with more effect than anybody wants. Decides nothing.

mod never;

use std::collections::HashMap;
use std::fmt;

use cedar_policy::{ActionConstraint, Policy, PrincipalConstraint, ResourceConstraint};
use never::Hours;

use crate::attribute::Type;

use crate::pattern::{Pattern, covers, is_plain};
use crate::question::Access;
use crate::roles::Row;
use crate::roomy::on_a_large_stack;
use crate::rule::{Effect, Place, Rule};
use crate::set::PolicySet;
use crate::slot::{Reading, Root};
use crate::tier::Tier;

/// Something that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// The rule, from 0: the rows first.
    pub rule: usize,
    /// What it is.
    pub kind: LintKind,
}

/// What is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LintKind {
    /// A row that allows everything of a kind, on no condition.
    AllowsEverything,
    /// A pattern that no name can match.
    MatchesNoName,
    /// A row that another one makes useless: that row, from 0.
    Shadowed(usize),
    /// The same row again: the first one, from 0.
    Repeated(usize),
    /// A condition that is never true.
    NeverTrue,
    /// A condition on the time that is never true.
    NeverThen,
}

impl LintKind {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AllowsEverything => "allows-everything",
            Self::MatchesNoName => "matches-no-name",
            Self::Shadowed(_) => "shadowed-rule",
            Self::Repeated(_) => "repeated-rule",
            Self::NeverTrue => "never-true",
            Self::NeverThen => "never-then",
        }
    }
}

impl fmt::Display for LintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AllowsEverything => "allows everything, on no condition",
            Self::MatchesNoName => "matches no name: wildcards stand for plain names only",
            Self::Shadowed(_) => "has no effect: another rule of the role allows the same for less",
            Self::Repeated(_) => "has no effect: it stands there twice",
            Self::NeverTrue => "has no effect: its condition is never true",
            Self::NeverThen => "has no effect: the hours that it asks for never come",
        })
    }
}

/// An argument that a condition reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name, and those within it.
    pub path: Vec<String>,
    /// What it must be; nothing when any type will do.
    pub kind: Option<Type>,
}

/// The arguments that the condition of `rule` reads.
pub fn arguments(policy: &PolicySet, rule: &Rule) -> Vec<Argument> {
    let slots = rule.program.iter().flat_map(|program| &program.slots);
    let read = slots.filter_map(|number| policy.slots().get(*number));
    read.filter(|slot| slot.root == Root::Arguments)
        .map(|slot| Argument {
            path: slot.path.clone(),
            kind: match slot.reading {
                None | Some(Reading::Present | Reading::Size) => None,
                Some(Reading::As(kind)) => Some(kind),
                Some(Reading::Path) => Some(Type::String),
            },
        })
        .collect()
}

/// What the rules of `policy` say and cannot mean, in their order.
pub fn lint(policy: &PolicySet) -> Vec<Lint> {
    on_a_large_stack(|| find(policy)).unwrap_or_default()
}

fn find(policy: &PolicySet) -> Vec<Lint> {
    let rows = policy.rows();
    let mut groups: HashMap<Group<'_>, Vec<usize>> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        groups.entry(group(row)).or_default().push(index);
    }
    let mut found: Vec<Lint> = groups
        .values()
        .flat_map(|members| useless(rows, members))
        .collect();
    for (rule, written) in rows.iter().enumerate() {
        if is_open(written) {
            let kind = LintKind::AllowsEverything;
            found.push(Lint { rule, kind });
        }
        if matches_nothing(written) {
            let kind = LintKind::MatchesNoName;
            found.push(Lint { rule, kind });
        }
    }
    let mut hours = Hours::default();
    for (number, rule) in policy.rules().iter().enumerate() {
        let everything = is_open_policy(rule);
        let kinds = [everything, hours.never(rule)].into_iter().flatten();
        found.extend(kinds.map(|kind| Lint { rule: number, kind }));
    }
    found.sort_by_key(|lint| lint.rule);
    found
}

/// Those of `names` that the pattern of this row matches.
pub fn matched<'n>(row: &Row, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let pattern = Pattern::parse(row.access, &row.pattern);
    let matches = |name: &&str| match &pattern {
        Ok(Pattern::Exact) => row.pattern == **name,
        Ok(Pattern::Glob(glob)) => {
            is_plain(row.access, name)
                && name
                    .strip_prefix(glob.prefix())
                    .is_some_and(|tail| glob.matches_after_prefix(tail))
        }
        Err(_) => false,
    };
    names.into_iter().filter(matches).collect()
}

type Group<'r> = (&'r str, &'r str, Access);

fn group(row: &Row) -> Group<'_> {
    (&row.role, &row.server, row.access)
}

/// The members of one group that others make useless.
fn useless(rows: &[Row], members: &[usize]) -> Vec<Lint> {
    let pick = |index: &usize| Some((*index, rows.get(*index)?));
    let mut by_prefix: HashMap<&str, Vec<(usize, &Row)>> = HashMap::new();
    let plain = members.iter().filter_map(pick);
    for (index, row) in plain.filter(|(_, row)| is_unconditional(row)) {
        let prefix = literal_prefix(&row.pattern);
        by_prefix.entry(prefix).or_default().push((index, row));
    }
    let find = |(index, row): (usize, &Row)| {
        // What matches all that this row matches starts with a part of what this row's names start with.
        let prefix = literal_prefix(&row.pattern);
        let borders = (0..=prefix.len()).filter_map(|end| prefix.get(..end));
        let mut candidates = borders.filter_map(|prefix| by_prefix.get(prefix)).flatten();
        let (other, outer) = candidates.find(|(other, outer)| {
            *other != index && replaces(outer, row) && (*other < index || !replaces(row, outer))
        })?;
        let kind = if **outer == with_line_of(row, outer) {
            LintKind::Repeated(*other)
        } else {
            LintKind::Shadowed(*other)
        };
        Some(Lint { rule: index, kind })
    };
    members.iter().filter_map(pick).filter_map(find).collect()
}

/// Whether all that `row` allows is allowed by `outer`, which has no conditions, with no more scopes.
fn replaces(outer: &Row, row: &Row) -> bool {
    // Terms count whichever rule allows, but those of a rule that waits for a human do not: it is passed over.
    let asks = row.approval.is_some() || row.tier == Some(Tier::High);
    let costs_nothing = asks || (row.limits.is_empty() && row.tier != Some(Tier::Medium));
    is_unconditional(outer)
        && costs_nothing
        && outer.scopes.iter().all(|scope| row.scopes.contains(scope))
        && covers(row.access, &outer.pattern, &row.pattern)
}

fn is_unconditional(row: &Row) -> bool {
    row.when.is_none()
        && row.details.is_none()
        && row.approval.is_none()
        && row.limits.is_empty()
        && row.tier.is_none()
}

fn with_line_of(row: &Row, other: &Row) -> Row {
    Row {
        line: other.line,
        ..row.clone()
    }
}

fn is_open(row: &Row) -> bool {
    is_unconditional(row) && row.scopes.is_empty() && covers(row.access, &row.pattern, "*")
}

/// A Cedar policy that allows anybody anything.
fn is_open_policy(rule: &Rule) -> Option<LintKind> {
    let is_cedar = matches!(rule.place, Place::Cedar { .. });
    let asks_nothing = rule.terms.scopes.is_empty() && rule.terms.approval.is_none();
    if !is_cedar || rule.effect != Effect::Permit || !asks_nothing {
        return None;
    }
    // One with a condition of ours may be no Cedar, and is not open.
    let policy: Policy = rule.text.parse().ok()?;
    let is_anybody = matches!(
        policy.principal_constraint(),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_)
    );
    let is_anything = matches!(policy.action_constraint(), ActionConstraint::Any)
        && matches!(policy.resource_constraint(), ResourceConstraint::Any);
    (is_anybody && is_anything && !policy.has_non_scope_constraint())
        .then_some(LintKind::AllowsEverything)
}

/// A glob matches plain names only; what stands in it literally must be able to stand in one.
fn matches_nothing(row: &Row) -> bool {
    if literal_prefix(&row.pattern) == row.pattern {
        return false;
    }
    let shortest = row.pattern.replace('*', "").replace('?', "a");
    let sample = row.pattern.replace("**", "a").replace(['*', '?'], "a");
    !is_plain(row.access, &shortest) && !is_plain(row.access, &sample)
}

fn literal_prefix(pattern: &str) -> &str {
    pattern.split(['*', '?']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
