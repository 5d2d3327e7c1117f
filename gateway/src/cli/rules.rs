//! The rules of a policy as people name them: id, place and text; and what became of them from one file to another.
//! Never decides anything.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use gatewright_policies::{Access, PolicySet, Row, Tier};

/// A rule, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Its id, as records name it.
    pub(super) id: String,
    /// The file that it stands in.
    pub(super) file: PathBuf,
    /// The line there, from 1.
    pub(super) line: u32,
    /// What it is about: another rule about the same is the same rule, changed.
    about: String,
    /// What it says.
    pub(super) text: String,
}

impl Rule {
    /// `gatewright.yaml:26`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// Every rule of `policy`, which `file` configures, in its order.
pub(super) fn rules(policy: &PolicySet, file: &Path) -> Vec<Rule> {
    let mut positions: HashMap<(&str, &str), usize> = HashMap::new();
    let rows = policy.rows().iter();
    rows.map(|row| {
        let position = positions.entry((&row.role, &row.server)).or_default();
        let id = format!("roles.{}.{}[{position}]", row.role, row.server);
        *position += 1;
        Rule {
            id,
            file: file.to_owned(),
            line: row.line,
            about: format!("{}\n{}\n{}", row.role, row.server, target(row)),
            text: written(row),
        }
    })
    .collect()
}

/// A rule that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It is new.
    Came(Rule),
    /// It is there no more.
    Went(Rule),
    /// It says something else about the same.
    Became(Rule, Rule),
}

/// What turns `old` into `new`, in the order of `old`, new rules last.
pub(super) fn changes(old: Vec<Rule>, new: Vec<Rule>) -> Vec<Change> {
    let mut left = new;
    let mut gone = Vec::new();
    for rule in old {
        let is_same = |other: &Rule| other.about == rule.about && other.text == rule.text;
        match left.iter().position(is_same) {
            Some(at) => drop(left.remove(at)),
            None => gone.push(rule),
        }
    }
    let mut changes = Vec::new();
    for rule in gone {
        let found = left.iter().position(|other| other.about == rule.about);
        changes.push(match found {
            Some(at) => Change::Became(rule, left.remove(at)),
            None => Change::Went(rule),
        });
    }
    changes.extend(left.into_iter().map(Change::Came));
    changes
}

/// The row as its shortest YAML.
pub(super) fn written(row: &Row) -> String {
    let mut parts = vec![target(row)];
    if !row.scopes.is_empty() {
        parts.push(format!("scopes: [{}]", row.scopes.join(", ")));
    }
    if let Some(when) = &row.when {
        parts.push(format!("when: {when:?}"));
    }
    if let Some(details) = &row.details {
        parts.push(format!("details: {details}"));
    }
    if let Some(approval) = &row.approval {
        parts.push(match approval.by.as_str() {
            "" => "approval: {}".to_owned(),
            by => format!("approval: {{ by: {by} }}"),
        });
    }
    if let Some(tier) = row.tier {
        parts.push(format!("tier: {}", Tier::name(tier)));
    }
    if !row.limits.is_empty() {
        parts.push(format!("limit: {}", limits(row)));
    }
    format!("{{ {} }}", parts.join(", "))
}

fn limits(row: &Row) -> String {
    let each = row
        .limits
        .iter()
        .map(|limit| format!("{}/{}s", limit.most, limit.window.as_secs()));
    format!("[{}]", each.collect::<Vec<_>>().join(", "))
}

fn target(row: &Row) -> String {
    let kind = match row.access {
        Access::Tool => "tool",
        Access::Prompt => "prompt",
        Access::Resource => "resource",
    };
    format!("{kind}: {}", row.pattern)
}
