//! The settings of the audit record. Never touches the ledger's directory.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audit::settings::{CheckpointSettings, LedgerSettings};

use super::behaviour::{choose, filled_path};
use super::checked::ArgumentsRecord;
use super::review::Review;
use super::section::Section;
use super::tree::Text;

/// `audit`.
pub(crate) fn audit(
    root: &Section<'_>,
    review: &mut Review<'_>,
) -> Option<(LedgerSettings, ArgumentsRecord)> {
    let section = root.section("audit");
    let directory = section
        .text("ledger")
        .and_then(|text| filled_path(&text, review));
    choose(&section, "durability", &[("os", ())], &["disk"], review);
    choose(
        &section,
        "on_failure",
        &[("deny", ())],
        &["spill", "continue"],
        review,
    );
    let records = [
        ("none", ArgumentsRecord::None),
        ("digest", ArgumentsRecord::Digest),
    ];
    let arguments = choose(&section, "arguments", &records, &["fields"], review);
    let queue_bytes = section.size("queue", GIBIBYTE, review);
    let wait = section.duration("wait", (MILLISECOND, MINUTE), review);
    let directory = review.resolve(&directory?);
    let checkpoint = checkpoint(&section.section("checkpoint"), &directory, review);
    let ledger = LedgerSettings {
        checkpoint: checkpoint?,
        directory,
        queue_bytes: queue_bytes?,
        wait: wait?,
    };
    Some((ledger, arguments?))
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
    let key_file = beside(section.text("key_file"), ledger, review);
    let copy = beside(section.text("copy"), ledger, review);
    let usual = CheckpointSettings::beside(ledger);
    Some(CheckpointSettings {
        every: every?.into(),
        interval: interval?,
        origin: if named.is_some() { Some(origin?) } else { None },
        key_file: key_file?.unwrap_or(usual.key_file),
        public_file: usual.public_file,
        copy: copy?.unwrap_or(usual.copy),
    })
}

/// The path that is written, if any is. Whoever can change the ledger must not hold what proves it.
fn beside(
    written: Option<Text>,
    ledger: &Path,
    review: &mut Review<'_>,
) -> Option<Option<PathBuf>> {
    let Some(text) = written else {
        return Some(None);
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
    Some(Some(path))
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
