//! The settings of the audit record. Never touches the ledger's directory.

use std::path::PathBuf;
use std::time::Duration;

use crate::audit::settings::{Durability, LedgerSettings, OnFailure, SegmentSettings};

use super::behaviour::{choose, filled_path};
use super::checked::ArgumentsRecord;
use super::review::Review;
use super::section::Section;

/// `audit`.
pub(crate) fn audit(
    root: &Section<'_>,
    review: &mut Review<'_>,
) -> Option<(LedgerSettings, ArgumentsRecord)> {
    let section = root.section("audit");
    let ledger = ledger(&section, review);
    let records = [
        ("none", ArgumentsRecord::None),
        ("digest", ArgumentsRecord::Digest),
    ];
    let arguments = choose(&section, "arguments", &records, &["fields"], review);
    Some((ledger?, arguments?))
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
    Some(LedgerSettings {
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

const GIBIBYTE: usize = 1 << 30;
const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const YEAR: Duration = Duration::from_secs(8_784 * 3600);
const CENTURY: Duration = Duration::from_secs(878_400 * 3600);
