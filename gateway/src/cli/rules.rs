//! The rules of a policy as people name them: id, place and text; and what became of them from one file to another.
//! Never decides anything.

use gatewright_policies::{Access, Place, Row, Tier};

use crate::config::Loaded;

/// A rule, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Its id, as records name it.
    pub(super) id: String,
    /// Where it stands: `gatewright.yaml:26`.
    pub(super) place: String,
    /// What it is about: another rule about the same is the same rule, changed.
    about: String,
    /// What it says.
    pub(super) text: String,
}

/// Every rule of a policy, in its order.
pub(super) fn rules(loaded: &Loaded) -> Vec<Rule> {
    let policy = &loaded.settings.policy;
    let rules = policy.rules().iter().zip(loaded.places.all());
    rules
        .map(|(rule, place)| {
            let row = match &rule.place {
                Place::Row { index, .. } => policy.rows().get(*index),
                Place::Cedar { .. } => None,
            };
            let id = rule.id.to_string();
            Rule {
                about: row.map_or_else(|| id.clone(), about),
                text: row.map_or_else(|| one_line(&rule.text), written),
                place: place.at(),
                id,
            }
        })
        .collect()
}

fn about(row: &Row) -> String {
    format!("{}\n{}\n{}", row.role, row.server, target(row))
}

/// A Cedar policy without its layout.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
