//! `gatewright audit verify`: says whether a ledger is what was written, and where it is not. Never changes a file.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::lines::visible;
use super::{Configured, When, configured};
use crate::audit::settings::CheckpointSettings;
use crate::audit::verify::{Evidence, Fault, Report, VerifyingKey, verify};
use crate::cli::{FAILED, Format, complain, say, talk};
use crate::config::Colour;
use crate::model::{Clock, SystemClock, UnixTime};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Verify {
    #[command(flatten)]
    configured: Configured,
    /// The ledger, when it is not the one the configuration names; once more for where it was spilled to.
    #[arg(long, value_name = "DIR")]
    ledger: Vec<PathBuf>,
    /// The public keys, one a line; best a copy that was kept elsewhere. Else those beside the ledger.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The second place of checkpoints. Else the one that the configuration names, or the one beside the ledger.
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// Checkpoints that somebody kept; may be given several times.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// What is older need not be read: `24h`, `7d` or a time.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

pub(super) fn run(mut asked: Verify, colour: Colour) -> u8 {
    let (output, now) = (asked.output, SystemClock.now());
    let since = asked.since.map(|since| since.from(now));
    let kept = std::mem::take(&mut asked.checkpoint);
    let evidence = match evidence(asked, colour) {
        Ok(evidence) => Evidence {
            kept,
            since,
            ..evidence
        },
        Err(code) => return code,
    };
    let place = evidence.directories.first().cloned().unwrap_or_default();
    match verify(evidence) {
        Ok(report) => {
            show(&report, output, now);
            if report.is_good() { 0 } else { FAILED }
        }
        Err(error) => {
            complain(&format!("cannot read `{}`: {error}", place.display()));
            FAILED
        }
    }
}

fn evidence(asked: Verify, colour: Colour) -> Result<Evidence, u8> {
    let (directories, usual, second_place) = if let Some(first) = asked.ledger.first() {
        let usual = CheckpointSettings::beside(first);
        let found = usual.copy.exists().then(|| usual.copy.clone());
        (asked.ledger, usual, asked.checkpoints.or(found))
    } else {
        let settings = configured(asked.configured, colour)?;
        let directories = settings.directories().map(Path::to_path_buf).collect();
        let usual = settings
            .checkpoint
            .unwrap_or_else(|| CheckpointSettings::beside(&settings.directory));
        let second_place = asked.checkpoints.or(Some(usual.copy.clone()));
        (directories, usual, second_place)
    };
    if second_place.is_none() {
        talk(
            "warning: without a second place of checkpoints an end that was cut off does not show",
        );
    }
    Ok(Evidence {
        directories,
        keys: keys(&asked.keys.unwrap_or(usual.public_file))?,
        second_place,
        ..Evidence::default()
    })
}

fn keys(path: &Path) -> Result<Vec<VerifyingKey>, u8> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        complain(&format!("cannot read the keys in `{shown}`: {error}"));
        FAILED
    })?;
    match VerifyingKey::parse_all(&text) {
        Ok(keys) if !keys.is_empty() => Ok(keys),
        Ok(_) => {
            complain(&format!("`{shown}` holds no key"));
            Err(FAILED)
        }
        Err(line) => {
            complain(&format!("line {line} of `{shown}` is no key"));
            Err(FAILED)
        }
    }
}

fn show(report: &Report, output: Format, now: UnixTime) {
    match output {
        Format::Json => {
            let mut shown = json!(report);
            if let Some(members) = shown.as_object_mut() {
                members.insert("ok".to_owned(), report.is_good().into());
            }
            say(&format!("{shown:#}"));
        }
        Format::Text => {
            say(&sum(report, now));
            for line in notes(report).iter().chain(&faults(report)) {
                say(line);
            }
        }
    }
}

/// `ok  48 211 records, 0 gaps, 0 altered, last checkpoint 14:30 key 1a2b3c4d`
fn sum(report: &Report, now: UnixTime) -> String {
    let verdict = if report.is_good() { "ok" } else { "FAILED" };
    let last = report.last_checkpoint.as_ref().map_or_else(
        || "no checkpoint".to_owned(),
        |last| {
            let time = last.time.as_deref().unwrap_or("without a time");
            format!("last checkpoint {} key {}", minute(time, now), last.key)
        },
    );
    format!(
        "{verdict}  {}, {}, {} altered, {last}",
        counted(report.records, "record"),
        counted(report.gaps, "gap"),
        grouped(report.altered),
    )
}

/// What is no fault and good to know.
fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if report.unsealed > 0 {
        let records = counted(report.unsealed, "record");
        notes.push(format!(
            "    {records} after the last checkpoint: the chain alone holds them"
        ));
    }
    if let Some(last) = report.deleted_to {
        notes.push(format!(
            "    records up to {} were deleted in order",
            grouped(last)
        ));
    }
    if report.recovered > 0 {
        let times = counted(report.recovered, "start");
        notes.push(format!("    {times} after a crash"));
    }
    if report.torn > 0 {
        let files = counted(report.torn, "file");
        notes.push(format!("    {files} with half a line at the end"));
    }
    if report.clock_steps > 0 {
        let times = counted(report.clock_steps, "time");
        notes.push(format!("    the clock went back {times}"));
    }
    if report.too_old > 0 {
        let kept = counted(report.too_old, "kept checkpoint");
        notes.push(format!("    {kept} about records that were not read"));
    }
    notes
}

fn faults(report: &Report) -> Vec<String> {
    let mut lines: Vec<_> = report.faults.iter().map(line).collect();
    if report.more_faults > 0 {
        lines.push(format!("    and {} more", grouped(report.more_faults)));
    }
    lines
}

fn line(fault: &Fault) -> String {
    let mut place = visible(&fault.file.display().to_string());
    if fault.line > 0 {
        place = format!("{place}:{}", fault.line);
    }
    let record = fault
        .seq
        .map_or_else(String::new, |seq| format!(" record {seq}"));
    format!(
        "    {} {place}{record}: expected {}, found {}",
        fault.kind.name(),
        visible(&fault.expected),
        visible(&fault.found)
    )
}

/// `14:30`, or with its day when that is not today.
fn minute(time: &str, now: UnixTime) -> String {
    let now = now.to_string();
    match (time.get(..DAY), time.get(CLOCK)) {
        (Some(day), Some(clock)) if now.get(..DAY) == Some(day) => clock.to_owned(),
        (Some(day), Some(clock)) => format!("{day} {clock}"),
        _ => time.to_owned(),
    }
}

fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

/// `48 211`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Of a time as RFC 3339: its day, and its hour with the minute.
const DAY: usize = 10;
const CLOCK: std::ops::Range<usize> = 11..16;

#[cfg(test)]
mod tests {
    use super::{grouped, minute};
    use crate::model::UnixTime;

    #[test]
    fn numbers_are_grouped_by_three() {
        for (number, shown) in [(0, "0"), (999, "999"), (1000, "1 000"), (48_211, "48 211")] {
            assert_eq!(grouped(number), shown);
        }
        assert_eq!(grouped(1_234_567), "1 234 567");
    }

    #[test]
    fn a_day_is_shown_when_it_is_not_today() {
        let now = UnixTime::from_seconds(1_700_000_000);
        assert_eq!(minute("2023-11-14T14:30:59.000Z", now), "14:30");
        assert_eq!(minute("2023-11-13T14:30:59.000Z", now), "2023-11-13 14:30");
        assert_eq!(minute("late", now), "late");
    }
}
