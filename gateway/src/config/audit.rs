//! The settings of the audit record. Never touches the ledger's directory.

use std::time::Duration;

use crate::audit::settings::LedgerSettings;

use super::behaviour::{choose, filled_path};
use super::review::Review;
use super::section::Section;

/// `audit`.
pub(crate) fn audit(root: &Section<'_>, review: &mut Review<'_>) -> Option<LedgerSettings> {
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
    let queue_bytes = section.size("queue", GIBIBYTE, review);
    let wait = section.duration("wait", (MILLISECOND, MINUTE), review);
    Some(LedgerSettings {
        directory: review.resolve(&directory?),
        queue_bytes: queue_bytes?,
        wait: wait?,
    })
}

const GIBIBYTE: usize = 1 << 30;
const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
