//! `gatewright policy shadow`: lets a running gateway ask a second policy without effect, and says what it would have decided otherwise.

use std::path::PathBuf;

use hyper::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::diff::grouped;
use super::promote::ask;
use crate::cli::lines::visible;
use crate::cli::{FAILED, Format, Instance, USAGE, complain, instance, say};
use crate::config::parse_duration;
use crate::control::shadow::Ask;
use crate::model::{Clock, SystemClock};

/// Asks a second policy.
#[derive(Debug, clap::Subcommand)]
pub(in crate::cli) enum ShadowVerb {
    /// Let the gateway ask the policy of FILE too, without effect.
    Start(Start),
    /// Let it ask no other policy any more.
    Stop(Stop),
    /// Show what the policy without effect would have decided otherwise.
    Report(Report),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Start {
    /// A configuration, of which the policy alone counts.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// For how long, like `72h`; a restart ends it too.
    #[arg(long = "for", value_name = "TIME", default_value = "72h")]
    time: String,
    #[command(flatten)]
    instance: Instance,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Stop {
    #[command(flatten)]
    instance: Instance,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Report {
    #[command(flatten)]
    instance: Instance,
}

/// What the gateway counted.
#[derive(Debug, Deserialize)]
pub(super) struct Shadow {
    mode: String,
    #[serde(rename = "shadow")]
    digest: Option<String>,
    since: Option<String>,
    decisions: u64,
    pub(super) disagreements: u64,
    others: u64,
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    subject: String,
    server: String,
    name: String,
    from: String,
    to: String,
    reason: String,
    count: u64,
}

impl Shadow {
    /// Whether what was counted is about the policy of this digest.
    pub(super) fn is_of(&self, digest: &str) -> bool {
        self.digest.as_deref() == Some(digest)
    }

    /// For how long it counts, in the largest whole unit.
    pub(super) fn age(&self) -> String {
        let since = self.since.as_ref().and_then(|since| since.parse().ok());
        let now = i64::try_from(SystemClock.now().seconds()).unwrap_or(i64::MAX);
        let seconds = since.map_or(0, |since: Timestamp| {
            now.saturating_sub(since.as_second()).max(0)
        });
        match seconds {
            0..=59 => format!("{seconds}s"),
            60..=3599 => format!("{}m", seconds / 60),
            _ => format!("{}h", seconds / 3600),
        }
    }
}

pub(super) fn run(verb: ShadowVerb) -> u8 {
    let done = match verb {
        ShadowVerb::Start(start) => begin(start),
        ShadowVerb::Stop(stop) => send(stop.instance, &Ask::Stop),
        ShadowVerb::Report(report) => show(report.instance),
    };
    done.err().unwrap_or(0)
}

fn begin(start: Start) -> Result<(), u8> {
    let Some(time) = parse_duration(&start.time).filter(|time| !time.is_zero()) else {
        complain(&format!("`{}` is no time: write it like `72h`", start.time));
        return Err(USAGE);
    };
    // The gateway may run in another folder.
    let file = std::path::absolute(&start.file).ok();
    let Some(file) = file.as_ref().and_then(|file| file.to_str()) else {
        complain(&format!(
            "the path of `{}` cannot be written down",
            start.file.display()
        ));
        return Err(USAGE);
    };
    let ask = Ask::Start {
        file: file.to_owned(),
        time,
    };
    send(start.instance, &ask)
}

fn send(instance: Instance, ask: &Ask) -> Result<(), u8> {
    let format = instance.output;
    let (method, target) = ask.write();
    let answer = instance::send(instance, method, &target, FAILED)?;
    let read = serde_json::from_str::<Value>(&answer).unwrap_or_default();
    match (format, read.get("told").and_then(Value::as_str)) {
        (Format::Text, Some(told)) => say(told),
        (Format::Text | Format::Json, _) => say(&answer),
    }
    Ok(())
}

fn show(instance: Instance) -> Result<(), u8> {
    match instance.output {
        Format::Json => say(&instance::send(instance, Method::GET, "/shadow", FAILED)?),
        Format::Text => lines(&ask(instance, "/shadow")?)
            .iter()
            .for_each(|line| say(line)),
    }
    Ok(())
}

fn lines(shadow: &Shadow) -> Vec<String> {
    let (Some(digest), Some(since)) = (&shadow.digest, &shadow.since) else {
        return vec!["no policy is asked without effect".to_owned()];
    };
    let short = digest.get(..SHOWN).unwrap_or(digest);
    let top = shadow.rows.first().map_or_else(String::new, |row| {
        format!(
            "   top: {} {} {}->{}",
            visible(&row.subject),
            visible(&row.name),
            row.from,
            row.to
        )
    });
    let mut lines = vec![
        format!("disagreements {}{top}", grouped(shadow.disagreements)),
        format!(
            "policy sha256:{short}, mode {}, {} decisions since {since}",
            shadow.mode,
            grouped(shadow.decisions)
        ),
    ];
    lines.extend(shadow.rows.iter().map(|row| {
        format!(
            "{:>7}  {}->{}  {}  {}/{}  {}",
            grouped(row.count),
            row.from,
            row.to,
            visible(&row.subject),
            visible(&row.server),
            visible(&row.name),
            row.reason
        )
    }));
    if shadow.others > 0 {
        lines.push(format!(
            "{:>7}  of others, for whom there was no room",
            grouped(shadow.others)
        ));
    }
    lines
}

/// Digits of a digest that are shown.
const SHOWN: usize = 12;
