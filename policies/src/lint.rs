//! What a policy says and cannot mean: rules without effect, and rules with more effect than anybody wants. Decides nothing.

use std::collections::HashMap;
use std::fmt;

use crate::pattern::{Pattern, covers, is_plain};
use crate::question::Access;
use crate::roles::Row;
use crate::set::PolicySet;

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

/// What the rows of `policy` say and cannot mean, in their order.
pub fn lint(policy: &PolicySet) -> Vec<Lint> {
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
    found.sort_by_key(|lint| lint.rule);
    found
}

/// Those of `names` that the pattern of this row matches.
pub fn matched<'n>(row: &Row, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let matches = |name: &&str| match Pattern::parse(row.access, &row.pattern) {
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
    let costs_nothing = row.limits.is_empty() && row.tier.is_none();
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
mod tests {
    use super::{LintKind, lint, matched};
    use crate::answer::Approval;
    use crate::question::Access;
    use crate::roles::Row;
    use crate::set::{PolicySet, PolicySource};

    fn found(rows: Vec<Row>) -> Vec<(usize, LintKind)> {
        let policy = PolicySet::build(PolicySource {
            rows,
            ..PolicySource::default()
        });
        let found = lint(&policy.unwrap());
        found
            .into_iter()
            .map(|lint| (lint.rule, lint.kind))
            .collect()
    }

    fn tool(pattern: &str) -> Row {
        Row::plain("a", "crm", Access::Tool, pattern)
    }

    fn scoped(pattern: &str, scopes: &[&str]) -> Row {
        Row {
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            ..tool(pattern)
        }
    }

    #[test]
    fn rows_that_mean_what_they_say_are_left_in_peace() {
        let approved = Row {
            approval: Some(Approval {
                by: "owners".to_owned(),
                ttl: None,
            }),
            ..tool("*")
        };
        let rows = vec![
            tool("get_*"),
            tool("put_*"),
            tool("x"),
            scoped("*", &["all"]),
            approved,
            Row::plain("b", "crm", Access::Tool, "get_*"),
            Row::plain("a", "other", Access::Tool, "get_*"),
            Row::plain("a", "crm", Access::Prompt, "get_*"),
            Row::plain("a", "crm", Access::Resource, "crm://customers/*"),
        ];
        assert_eq!(found(rows), []);
    }

    #[test]
    fn z01_a_row_that_allows_everything_is_found() {
        for row in [
            tool("*"),
            tool("**"),
            Row::plain("a", "crm", Access::Resource, "**"),
        ] {
            assert_eq!(found(vec![row]), [(0, LintKind::AllowsEverything)]);
        }
    }

    #[test]
    fn a_row_that_another_one_covers_is_found() {
        let approved = Row {
            approval: Some(Approval {
                by: "owners".to_owned(),
                ttl: None,
            }),
            ..tool("get_secret")
        };
        let rows = vec![
            tool("get_customer"),
            tool("get_*"),
            scoped("get_order", &["s"]),
            approved,
            scoped("put_*", &["s"]),
            tool("put_x"),
            scoped("put_y", &["t"]),
            tool("get_*"),
        ];
        assert_eq!(
            found(rows),
            [
                (0, LintKind::Shadowed(1)),
                (2, LintKind::Shadowed(1)),
                (3, LintKind::Shadowed(1)),
                (7, LintKind::Repeated(1)),
            ]
        );
    }

    #[test]
    fn z01_a_pattern_that_no_name_can_match_is_found() {
        let rows = vec![
            tool("get customer*"),
            tool("get customer"),
            Row::plain("a", "crm", Access::Resource, "crm://%2e/*"),
            Row::plain("a", "crm", Access::Prompt, "a b*"),
        ];
        assert_eq!(
            found(rows),
            [(0, LintKind::MatchesNoName), (2, LintKind::MatchesNoName)]
        );
    }

    #[test]
    fn z01_what_a_pattern_matches_can_be_listed() {
        let names = ["get_a", "Get_a", "get_", "xget_a", "get_a b"];
        assert_eq!(matched(&tool("get_*"), names), ["get_a", "get_"]);
        assert_eq!(matched(&tool("get_a b"), names), ["get_a b"]);
    }
}
