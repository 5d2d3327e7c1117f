//! The settings of the audit record. Never touches the ledger's directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::settings::{
    CheckpointSettings, Durability, LedgerSettings, OnFailure, SegmentSettings,
};

use super::behaviour::{choose, filled_path};
use super::review::Review;
use super::section::Section;
use super::tree::Text;

/// `audit`.
pub(crate) fn audit(root: &Section<'_>, review: &mut Review<'_>) -> Option<LedgerSettings> {
    ledger(&root.section("audit"), review)
}

/// Where records are written, and how.
fn ledger(section: &Section<'_>, review: &mut Review<'_>) -> Option<LedgerSettings> {
    let directory = directory(section, "ledger", review);
    let durabilities = [("os", Durability::Os), ("disk", Durability::Disk)];
    let durability = choose(section, "durability", &durabilities, &[], review);
    let on_failure = on_failure(section, review);
    let queue_bytes = section.size("queue", GIBIBYTE, review);
    let wait = section.duration("wait", (MILLISECOND, MINUTE), review);
    let parts = section.section("segment");
    let size = parts.size("size", GIBIBYTE, review);
    let age = parts.duration("age", (SECOND, YEAR), review);
    let retention = section.duration("retention", (Duration::ZERO, CENTURY), review);
    let directory = directory?;
    let on_failure = on_failure?;
    if let OnFailure::Spill {
        directory: spill, ..
    } = &on_failure
        && *spill == directory
    {
        review.report(
            section.at(),
            "no-effect",
            "`spill` and `ledger` are the same directory",
            "write a directory on another disk",
        );
        return None;
    }
    let checkpoint = checkpoint(&section.section("checkpoint"), &directory, review);
    Some(LedgerSettings {
        checkpoint: Some(checkpoint?),
        directory,
        durability: durability?,
        on_failure,
        queue_bytes: queue_bytes?,
        wait: wait?,
        segment: SegmentSettings {
            size: u64::try_from(size?).ok()?,
            age: age?,
        },
        retention: retention.map(|kept_for| (!kept_for.is_zero()).then_some(kept_for))?,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Deny,
    Spill,
    Continue,
}

fn on_failure(section: &Section<'_>, review: &mut Review<'_>) -> Option<OnFailure> {
    let modes = [
        ("deny", Mode::Deny),
        ("spill", Mode::Spill),
        ("continue", Mode::Continue),
    ];
    let mode = choose(section, "on_failure", &modes, &[], review);
    let limit = section.duration("failure_limit", (SECOND, YEAR), review);
    let spill = directory(section, "spill", review);
    let (mode, limit) = (mode?, limit?);
    if section.node("spill").is_some() && mode != Mode::Spill {
        let help = "write `on_failure: spill`, or remove `spill`";
        review.report(section.at(), "no-effect", "`spill` is never used", help);
        return None;
    }
    match (mode, spill) {
        (Mode::Deny, _) => Some(OnFailure::Deny),
        (Mode::Continue, _) => Some(OnFailure::Continue { limit }),
        (Mode::Spill, Some(directory)) => Some(OnFailure::Spill { directory, limit }),
        (Mode::Spill, None) => {
            if section.node("spill").is_none() {
                let help = "write `spill: DIR`, a directory on another disk";
                let message = "`on_failure: spill` needs `spill`";
                review.report(section.at(), "missing-key", message, help);
            }
            None
        }
    }
}

fn directory(section: &Section<'_>, key: &str, review: &mut Review<'_>) -> Option<PathBuf> {
    let written = section.text(key)?;
    let path = filled_path(&written, review)?;
    Some(review.resolve(&path))
}

/// `audit.checkpoint`: what is not named is beside the ledger.
fn checkpoint(
    section: &Section<'_>,
    ledger: &Path,
    review: &mut Review<'_>,
) -> Option<CheckpointSettings> {
    let every = section.count("every", (1, MILLION), review);
    let interval = section.duration("interval", (SECOND, HOUR), review);
    let named = section.text("origin");
    let origin = match &named {
        Some(text) => origin(text, review),
        None => None,
    };
    let usual = CheckpointSettings::beside(ledger);
    let key_file = outside((section, "key_file"), (ledger, usual.key_file), review);
    let copy = outside((section, "copy"), (ledger, usual.copy), review);
    Some(CheckpointSettings {
        every: every?.into(),
        interval: interval?,
        origin: if named.is_some() { Some(origin?) } else { None },
        key_file: key_file?,
        public_file: usual.public_file,
        copy: copy?,
    })
}

/// The path that is written, or the usual one. Whoever can change the ledger must not hold what proves it.
fn outside(
    (section, key): (&Section<'_>, &str),
    (ledger, usual): (&Path, PathBuf),
    review: &mut Review<'_>,
) -> Option<PathBuf> {
    let Some(text) = section.text(key) else {
        return Some(usual);
    };
    let written = filled_path(&text, review)?;
    let path = review.resolve(&written);
    if path.starts_with(ledger) {
        review.report(
            text.at,
            "inside-ledger",
            "this file is inside the ledger that it is to prove",
            "write a path outside `audit.ledger`, best one that only the gateway can write",
        );
        return None;
    }
    Some(path)
}

/// C2SP signed-note: the name of a key.
fn origin(written: &Text, review: &mut Review<'_>) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_graphic() && byte != b'+';
    let name = &written.value;
    if !name.is_empty() && name.len() <= LONGEST_ORIGIN && name.bytes().all(is_name) {
        return Some(name.clone());
    }
    review.report(
        written.at,
        "bad-ledger-name",
        "this cannot be the name of a ledger",
        "write up to 128 visible ASCII characters without spaces and without `+`",
    );
    None
}

const MILLION: u32 = 1_000_000;
const LONGEST_ORIGIN: usize = 128;
const GIBIBYTE: usize = 1 << 30;
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const YEAR: Duration = Duration::from_secs(8_784 * 3600);
const CENTURY: Duration = Duration::from_secs(878_400 * 3600);
