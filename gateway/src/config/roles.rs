//! The per-role allowlist: rows of the file become the policy's rows. Never decides anything itself.

use gatewright_policies::{Access, FaultKind, Origin, PolicySet, PolicySource, Row};

use crate::model::Digest;

use super::review::Review;
use super::scopes::scopes;
use super::section::{Section, as_text};
use super::servers::Servers;
use super::suggest;
use super::tree::{At, Node, Text, Value};

/// The policy and the digest of its rows.
#[derive(Debug)]
pub(crate) struct Policy {
    /// What may be asked; empty when it has a mistake.
    pub(crate) set: PolicySet,
    /// The digest of the rows, whatever their layout and comments.
    pub(crate) digest: Digest,
}

/// `policy.roles`.
pub(crate) fn policy(root: &Section<'_>, servers: &Servers, review: &mut Review<'_>) -> Policy {
    let section = root.section("policy");
    let mut rows = Vec::new();
    for (role, granted) in section.node("roles").map_or(&[][..], entries) {
        if role.value.trim().is_empty() {
            review.report(
                role.at,
                "empty-value",
                "a role has no name",
                "write the name that tokens carry",
            );
        }
        for (server, list) in entries(granted)
            .iter()
            .filter(|(key, _)| key.value != GRANT)
        {
            check_server(server, servers, review);
            let Value::List(items) = &list.value else {
                continue;
            };
            rows.extend(
                items
                    .iter()
                    .filter_map(|item| row(&role.value, &server.value, item, review)),
            );
        }
    }
    let (places, rows): (Vec<At>, Vec<Row>) = rows.into_iter().unzip();
    let digest = digest(&rows);
    let source = PolicySource {
        rows,
        ..PolicySource::default()
    };
    let set = PolicySet::build(source).unwrap_or_else(|faults| {
        for fault in faults {
            let at = match fault.origin {
                Origin::Row(index) | Origin::When(index, _) => places.get(index).copied(),
                Origin::Cedar(..) => None,
            };
            report_pattern(at.unwrap_or(section.at()), &fault.kind, review);
        }
        PolicySet::default()
    });
    Policy { set, digest }
}

pub(crate) fn entries(node: &Node) -> &[(Text, Node)] {
    if let Value::Map(entries) = &node.value {
        entries
    } else {
        &[]
    }
}

pub(crate) fn check_server(written: &Text, servers: &Servers, review: &mut Review<'_>) {
    // Without any server every name would be a mistake, and the list is the one to fix.
    let Some(names) = servers
        .names
        .as_ref()
        .filter(|names| !names.contains(&written.value))
    else {
        return;
    };
    let known: Vec<&str> = names.iter().map(String::as_str).collect();
    let help = suggest::help(&written.value, &known, "known here");
    review.report(
        written.at,
        "unknown-server",
        format!("no server is named `{}`", written.value),
        help,
    );
}

/// One row: a bare string is a tool's pattern.
fn row(role: &str, server: &str, item: &Node, review: &mut Review<'_>) -> Option<(At, Row)> {
    let (access, pattern, scopes) = match as_text(item) {
        Some(pattern) => (Access::Tool, pattern, Vec::new()),
        None => explicit_row(item, review)?,
    };
    let row = Row {
        scopes,
        line: u32::try_from(item.at.line).unwrap_or(u32::MAX),
        ..Row::plain(role, server, access, &pattern.value)
    };
    Some((pattern.at, row))
}

/// A row that says what its pattern is about.
fn explicit_row(item: &Node, review: &mut Review<'_>) -> Option<(Access, Text, Vec<String>)> {
    if !matches!(item.value, Value::Map(_)) {
        return None;
    }
    let section = Section::new(super::raw::ROW_KEYS, item);
    let scopes = scopes(&section, review);
    let kinds = [
        ("tool", Access::Tool),
        ("prompt", Access::Prompt),
        ("resource", Access::Resource),
    ];
    let named: Vec<_> = kinds
        .into_iter()
        .filter(|(key, _)| section.node(key).is_some())
        .collect();
    let [(key, access)] = named.as_slice() else {
        let message = if named.is_empty() {
            "the rule names nothing"
        } else {
            "the rule names more than one thing"
        };
        review.report(
            item.at,
            "ambiguous-rule",
            message,
            "write exactly one of `tool`, `prompt` and `resource`",
        );
        return None;
    };
    Some((*access, section.text(key)?, scopes?))
}

fn report_pattern(at: At, fault: &FaultKind, review: &mut Review<'_>) {
    let is_empty = matches!(fault, FaultKind::EmptyPattern);
    let code = if is_empty {
        "empty-pattern"
    } else {
        "bad-pattern"
    };
    let told = fault.to_string();
    let (message, help) = told
        .split_once(": ")
        .unwrap_or((&told, "write a name, or a pattern like `get_*`"));
    review.report(at, code, message, help);
}

/// One JSON array a row, in the order of the file, which is part of a rule's identity; layout and comments are not.
fn digest(rows: &[Row]) -> Digest {
    let lines: Vec<String> = rows.iter().map(canonical).collect();
    Digest::of(lines.join("\n").as_bytes())
}

fn canonical(row: &Row) -> String {
    let access = match row.access {
        Access::Tool => "tool",
        Access::Prompt => "prompt",
        Access::Resource => "resource",
    };
    serde_json::json!([row.role, row.server, access, row.pattern, row.scopes]).to_string()
}

/// The key of a role that is no server.
pub(crate) const GRANT: &str = "grant";
