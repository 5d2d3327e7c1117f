//! The per-role allowlist: rows of the file become the policy's rows. Never decides anything itself.

use super::review::Review;
use super::row::{WrittenRow, row};
use super::section::Section;
use super::suggest;
use super::tree::{Node, Text, Value};

/// The rows of `roles` in the section of a policy. `servers` are the names of all servers, if there is any.
pub(crate) fn rows(
    policy: &Section<'_>,
    servers: Option<&[String]>,
    review: &mut Review<'_>,
) -> Vec<WrittenRow> {
    let mut rows = Vec::new();
    for (role, granted) in policy.node("roles").map_or(&[][..], entries) {
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
            let place = (role.value.as_str(), server.value.as_str());
            rows.extend(items.iter().filter_map(|item| row(place, item, review)));
        }
    }
    rows
}

pub(crate) fn entries(node: &Node) -> &[(Text, Node)] {
    if let Value::Map(entries) = &node.value {
        entries
    } else {
        &[]
    }
}

/// Reports the name of a server that nobody has.
pub(crate) fn check_server(written: &Text, servers: Option<&[String]>, review: &mut Review<'_>) {
    // Without any server every name would be a mistake, and the list is the one to fix.
    let Some(names) = servers.filter(|names| !names.contains(&written.value)) else {
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

/// The key of a role that is no server.
pub(crate) const GRANT: &str = "grant";
