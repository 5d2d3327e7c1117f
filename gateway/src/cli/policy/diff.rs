//! `gatewright policy diff`: what a new policy changes, rule by rule, and for decisions that are on record. Never changes
//! anything.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::replay::{Changed, Pair, Replay, Turn};
use crate::cli::lines::visible;
use crate::cli::rules::{Change, Rule, changes, rules};
use crate::cli::{FAILED, Format, INVALID, complain, say, talk};
use crate::config::{Colour, Loaded, load, parse_duration, search};
use crate::model::{Clock, SystemClock};

/// Compares policies.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 compared; 1 something cannot be read, or `--fail-on` found it; 2 usage; 3 a configuration is invalid."
)]
pub(in crate::cli) struct Diff {
    /// The configuration before.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The configuration after.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Decide what is on record again under both: a folder of records, or how far to go back in the ledger that OLD
    /// names, like `7d`.
    #[arg(long, value_name = "LEDGER|TIME")]
    replay: Option<String>,
    /// End with 1 when a recorded decision turns: `gain` when something refused would be allowed, `loss` the other way,
    /// `any` for both.
    #[arg(long, value_name = "TURN", requires = "replay")]
    fail_on: Option<FailOn>,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailOn {
    Gain,
    Loss,
    Any,
}

pub(super) fn run(diff: &Diff, colour: Colour) -> u8 {
    compare(diff, colour).unwrap_or_else(|code| code)
}

fn compare(diff: &Diff, colour: Colour) -> Result<u8, u8> {
    let (old, new) = (loaded(&diff.old, colour)?, loaded(&diff.new, colour)?);
    let changed = changes(rules(&old), rules(&new));
    let pair = Pair {
        old: &old.settings,
        new: &new.settings,
    };
    let replay = match &diff.replay {
        Some(which) => Some(replayed(which, pair)?),
        None => None,
    };
    match diff.output {
        Format::Text => text(&changed, replay.as_ref())
            .iter()
            .for_each(|line| say(line)),
        Format::Json => say(&format!("{:#}", in_json(&changed, replay.as_ref()))),
    }
    Ok(code(diff.fail_on, replay.as_ref()))
}

fn loaded(path: &Path, colour: Colour) -> Result<Loaded, u8> {
    load::load_untested(path, &search::process_environment).map_err(|mistakes| {
        talk(&mistakes.render(colour));
        INVALID
    })
}

/// A folder that exists comes first, whatever its name.
fn replayed(which: &str, pair: Pair<'_>) -> Result<Replay, u8> {
    let folder = Path::new(which);
    let (ledger, since) = match span(which).filter(|_| !folder.exists()) {
        Some(back) => {
            let since = SystemClock.now().millis().saturating_sub(millis(back));
            let since = Timestamp::from_millisecond(i64::try_from(since).unwrap_or(i64::MAX));
            let since = since.unwrap_or(Timestamp::MAX);
            (pair.old.audit.directory.as_path(), since)
        }
        None => (folder, Timestamp::MIN),
    };
    let replay = Replay::of(ledger, since, pair).map_err(|(file, error)| {
        complain(&format!("cannot read `{}`: {error}", file.display()));
        FAILED
    })?;
    if replay.unreadable > 0 {
        complain(&format!(
            "records that cannot be read: {}",
            replay.unreadable
        ));
    }
    Ok(replay)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time to go back, as the configuration writes it, or in days.
fn span(text: &str) -> Option<Duration> {
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    match days {
        Some(days) => Some(Duration::from_secs(u64::from(u32::saturating_mul(
            days, DAY,
        )))),
        None => parse_duration(text),
    }
}

fn code(fail_on: Option<FailOn>, replay: Option<&Replay>) -> u8 {
    let Some(replay) = replay else { return 0 };
    let (gains, losses) = (replay.count(Turn::Gains), replay.count(Turn::Loses));
    let is_found = match fail_on {
        None => false,
        Some(FailOn::Gain) => gains > 0,
        Some(FailOn::Loss) => losses > 0,
        Some(FailOn::Any) => gains + losses > 0,
    };
    if is_found || replay.unreadable > 0 {
        FAILED
    } else {
        0
    }
}

fn text(changed: &[Change], replay: Option<&Replay>) -> Vec<String> {
    let mut lines: Vec<_> = changed.iter().flat_map(change_lines).collect();
    let count = |is: fn(&Change) -> bool| changed.iter().filter(|change| is(change)).count();
    lines.push(format!(
        "rules: {} new, {} gone, {} changed",
        count(|change| matches!(change, Change::Came(_))),
        count(|change| matches!(change, Change::Went(_))),
        count(|change| matches!(change, Change::Became(..))),
    ));
    if let Some(replay) = replay {
        lines.extend(replay_lines(replay));
    }
    lines
}

fn change_lines(change: &Change) -> Vec<String> {
    let line = |mark: char, rule: &Rule| {
        format!(
            "{mark} {}  {}  {}",
            rule.place,
            rule.id,
            visible(&rule.text)
        )
    };
    match change {
        Change::Came(rule) => vec![line('+', rule)],
        Change::Went(rule) => vec![line('-', rule)],
        Change::Became(old, new) => vec![line('-', old), line('+', new)],
    }
}

fn replay_lines(replay: &Replay) -> Vec<String> {
    let turned = |turn| {
        let agents = match replay.agents(turn) {
            0 => String::new(),
            1 => " (1 agent)".to_owned(),
            several => format!(" ({several} agents)"),
        };
        format!("{} {}{agents}", grouped(replay.count(turn)), arrow(turn))
    };
    let mut lines = vec![format!(
        "{} decisions: {}, {}",
        grouped(replay.decisions),
        turned(Turn::Loses),
        turned(Turn::Gains)
    )];
    if replay.unclear > 0 {
        lines.push(format!(
            "{} of them cannot be decided again: they depend on what is not on record",
            grouped(replay.unclear)
        ));
    }
    let largest = replay.largest_first();
    let shown = largest.iter().take(MOST_SHOWN);
    lines.extend(shown.map(|(changed, count)| changed_line(changed, *count)));
    if largest.len() > MOST_SHOWN {
        lines.push(format!(
            "  and {} more: `-o json` has all",
            largest.len() - MOST_SHOWN
        ));
    }
    lines
}

fn changed_line(changed: &Changed, count: u64) -> String {
    let who = match &changed.actor {
        Some(actor) => format!("{} via {}", visible(&changed.subject), visible(actor)),
        None => visible(&changed.subject),
    };
    format!(
        "{:>7}  {}  {who}  {}/{}  {}",
        grouped(count),
        arrow(changed.turn),
        visible(&changed.server),
        visible(&changed.name),
        changed.reason
    )
}

const fn arrow(turn: Turn) -> &'static str {
    match turn {
        Turn::Loses => "allow->deny",
        Turn::Gains => "deny->allow",
    }
}

/// `118 204`.
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

fn in_json(changed: &[Change], replay: Option<&Replay>) -> Value {
    let rule = |rule: &Rule| json!({ "id": rule.id, "place": rule.place, "text": rule.text });
    let rules = changed.iter().map(|change| match change {
        Change::Came(new) => json!({ "old": null, "new": rule(new) }),
        Change::Went(old) => json!({ "old": rule(old), "new": null }),
        Change::Became(old, new) => json!({ "old": rule(old), "new": rule(new) }),
    });
    let replay = replay.map(|replay| {
        let turns = replay.largest_first().into_iter().map(|(changed, count)| {
            json!({
                "turn": arrow(changed.turn), "count": count, "sub": changed.subject, "act": changed.actor,
                "resource": format!("{}/{}", changed.server, changed.name), "reason": changed.reason,
            })
        });
        json!({
            "decisions": replay.decisions,
            "allow_to_deny": { "count": replay.count(Turn::Loses), "agents": replay.agents(Turn::Loses) },
            "deny_to_allow": { "count": replay.count(Turn::Gains), "agents": replay.agents(Turn::Gains) },
            "undecided": replay.unclear,
            "unreadable": replay.unreadable,
            "changes": turns.collect::<Vec<_>>(),
        })
    });
    json!({ "rules": rules.collect::<Vec<_>>(), "replay": replay })
}

/// Seconds.
const DAY: u32 = 86_400;
/// Changes of decisions in a text: more would not be read.
const MOST_SHOWN: usize = 20;
