//! `gatewright pins`: what changed in the tools of a running gateway's servers, and the word that it may. Never shows text of
//! a server as it is.

use serde::Deserialize;

use super::lines::{Line, compare, visible};
use super::{FAILED, Format, Instance, USAGE, complain, instance, say, talk};
use crate::control::pins::{Approval, Ask};
use crate::mcp::definition;
use crate::model::Digest;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Pins {
    /// Every tool that is pinned, and whether it is still what it was.
    List(List),
    /// What changed in which tool, line by line.
    Diff(Diff),
    /// Approve what a tool has become: from now on that is what it must be.
    Approve(Approve),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    instance: Instance,
    /// Tools of this server alone.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Diff {
    #[command(flatten)]
    instance: Instance,
    /// Tools of this server alone.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Tools of this name alone.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Approve {
    #[command(flatten)]
    instance: Instance,
    /// The server of the tool.
    #[arg(long, value_name = "NAME")]
    server: String,
    /// The tool.
    #[arg(long, value_name = "NAME", required_unless_present = "all")]
    tool: Option<String>,
    /// Every tool of the server that changed.
    #[arg(long, conflicts_with_all = ["tool", "hash"])]
    all: bool,
    /// Only this definition, as `gatewright pins diff` shows it; refused when the tool changed again.
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
}

pub(super) fn run(pins: Pins) -> u8 {
    let done = match pins {
        Pins::List(list) => {
            let ask = Ask::List {
                server: list.server,
            };
            answer(list.instance, &ask, show_list)
        }
        Pins::Diff(diff) => {
            let ask = Ask::Diff {
                server: diff.server,
                tool: diff.tool,
            };
            answer(diff.instance, &ask, show_differences)
        }
        Pins::Approve(approve) => {
            approve_ask(&approve).and_then(|ask| answer(approve.instance, &ask, show_approved))
        }
    };
    done.err().unwrap_or(0)
}

fn approve_ask(approve: &Approve) -> Result<Ask, u8> {
    let hash = match approve.hash.as_deref() {
        None => None,
        Some(text) => Some(Digest::from_hex(text).ok_or_else(|| {
            complain(&"`--hash` takes the 64 digits that `gatewright pins diff` shows");
            USAGE
        })?),
    };
    let what = match &approve.tool {
        Some(tool) => Approval::Tool {
            tool: tool.clone(),
            hash,
        },
        None => Approval::All,
    };
    Ok(Ask::Approve {
        server: approve.server.clone(),
        what,
    })
}

/// Asks the gateway and shows what it answers.
fn answer<T: for<'a> Deserialize<'a>>(
    instance: Instance,
    ask: &Ask,
    show: fn(&T, &str),
) -> Result<(), u8> {
    let (format, place) = (instance.output, place(&instance));
    let (method, target) = ask.write();
    let answer = instance::send(instance, method, &target, FAILED)?;
    match (format, serde_json::from_str::<T>(&answer)) {
        (Format::Text, Ok(read)) => show(&read, &place),
        (Format::Text, Err(error)) => {
            complain(&format!("the gateway's answer cannot be read: {error}"));
            return Err(FAILED);
        }
        (Format::Json, _) => say(&answer),
    }
    Ok(())
}

/// The options that lead to the same gateway again.
fn place(instance: &Instance) -> String {
    let option = |name: &str, path: Option<&std::path::PathBuf>| {
        path.map_or_else(String::new, |path| {
            format!(" {name} {}", quoted(&path.display().to_string()))
        })
    };
    let config = option("--config", instance.config.as_ref());
    let socket = option("--socket", instance.socket.as_ref());
    format!("{config}{socket}")
}

#[derive(Debug, Deserialize)]
struct Listed {
    servers: Vec<ServerRow>,
}

#[derive(Debug, Deserialize)]
struct ServerRow {
    server: String,
    tools: Vec<ToolRow>,
}

#[derive(Debug, Deserialize)]
struct ToolRow {
    #[serde(default)]
    server: String,
    tool: String,
    state: String,
    first_seen: String,
    hash: String,
    #[serde(default)]
    definition: Option<String>,
    #[serde(default)]
    found: Option<Found>,
}

#[derive(Debug, Deserialize)]
struct Found {
    hash: String,
    seen: String,
    #[serde(default)]
    definition: Option<String>,
}

fn show_list(listed: &Listed, _: &str) {
    let mut rows = vec![HEADINGS.map(str::to_owned)];
    for server in &listed.servers {
        rows.extend(server.tools.iter().map(|tool| {
            let found = tool.found.as_ref().map_or("-", |found| short(&found.hash));
            [
                visible(&server.server),
                visible(&tool.tool),
                tool.state.clone(),
                seconds(&tool.first_seen).to_owned(),
                short(&tool.hash).to_owned(),
                found.to_owned(),
            ]
        }));
    }
    match (listed.servers.is_empty(), rows.len()) {
        (true, _) => talk("no server has `pins: warn` or `pins: block`"),
        (false, 1) => talk("nothing is pinned yet: tools are pinned when they are first listed"),
        (false, _) => table(&rows).iter().for_each(|line| say(line)),
    }
}

fn table(rows: &[[String; HEADINGS.len()]]) -> Vec<String> {
    let mut widths = [0; HEADINGS.len()];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; HEADINGS.len()]| {
        let cells = row.iter().zip(widths);
        let padded: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[derive(Debug, Deserialize)]
struct Differences {
    differences: Vec<ToolRow>,
}

fn show_differences(shown: &Differences, place: &str) {
    if shown.differences.is_empty() {
        talk("every tool is what is pinned");
    }
    for (index, tool) in shown.differences.iter().enumerate() {
        if index > 0 {
            say("");
        }
        if let Some(found) = &tool.found {
            show_difference(tool, found, place);
        }
    }
}

fn show_difference(tool: &ToolRow, found: &Found, place: &str) {
    let name = format!("{}/{}", visible(&tool.server), visible(&tool.tool));
    say(&format!("{name} is {}", tool.state));
    say(&format!(
        "  pinned {}, first seen {}",
        tool.hash,
        seconds(&tool.first_seen)
    ));
    say(&format!(
        "  found  {}, since {}",
        found.hash,
        seconds(&found.seen)
    ));
    match (&tool.definition, &found.definition) {
        (Some(old), Some(new)) => show_members(old, new),
        _ => say("  one of them was too large to be kept: compare it at the server"),
    }
    say(&format!(
        "  to approve it: gatewright pins approve{place} --server {} --tool {} --hash {}",
        quoted(&tool.server),
        quoted(&tool.tool),
        found.hash
    ));
}

fn show_members(old: &str, new: &str) {
    let members = |text: &str| definition::members(text).unwrap_or_default();
    let (old, new) = (members(old), members(new));
    let value = |all: &[(String, String)], key: &str| {
        let member = all.iter().find(|(known, _)| known == key);
        member.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut keys: Vec<&String> = old.iter().chain(&new).map(|(key, _)| key).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (before, after) = (value(&old, key), value(&new, key));
        if before == after {
            continue;
        }
        say(&format!("  {}", visible(key)));
        for line in compare(&before, &after) {
            say(&match line {
                Line::Same(text) => format!("      {}", visible(&text)),
                Line::Gone(text) => format!("    - {}", visible(&text)),
                Line::New(text) => format!("    + {}", visible(&text)),
                Line::Left => "      …".to_owned(),
            });
        }
    }
}

#[derive(Debug, Deserialize)]
struct Approved {
    approved: Vec<ApprovedRow>,
}

#[derive(Debug, Deserialize)]
struct ApprovedRow {
    server: String,
    tool: String,
    from: String,
    to: String,
}

fn show_approved(approved: &Approved, _: &str) {
    if approved.approved.is_empty() {
        talk("every tool is what is pinned: there was nothing to approve");
    }
    for row in &approved.approved {
        say(&format!(
            "approved {}/{}: {} is now {}",
            visible(&row.server),
            visible(&row.tool),
            short(&row.from),
            short(&row.to)
        ));
    }
}

/// One word of a shell, whatever it says.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let shown = visible(text);
    if shown != text || text.starts_with('-') {
        // No spelling of it is both safe to look at and right to type.
        return "…".to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

fn seconds(time: &str) -> &str {
    time.get(..SECONDS).unwrap_or(time)
}

const HEADINGS: [&str; 6] = ["SERVER", "TOOL", "STATE", "FIRST SEEN", "PINNED", "FOUND"];
/// Digits of a hash that tell one from another at a glance. An approval takes all of them.
const SHORT: usize = 12;
/// How much of a time is its seconds: `2026-11-21T09:30:00`.
const SECONDS: usize = 19;

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_name_is_one_word_of_a_shell() {
        for (name, word) in [
            ("get_customer", "get_customer"),
            ("a b", "'a b'"),
            ("a'; rm -rf ~", r"'a'\''; rm -rf ~'"),
            ("$(id)", "'$(id)'"),
            ("--all", "…"),
            ("a\u{202e}b", "…"),
            ("", "''"),
        ] {
            assert_eq!(quoted(name), word);
        }
    }
}
