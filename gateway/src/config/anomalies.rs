//! What is unusual for a principal, in numbers. Never watches anybody.

use std::time::Duration;

use super::hours::{Hours, hours};
use super::review::Review;
use super::section::Section;

/// What is unusual for a principal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnomalySettings {
    /// How long a principal is watched before a tool or a scope that is new is unusual.
    pub learning: Duration,
    /// Within which refusals and uses are counted.
    pub window: Duration,
    /// How many refusals of a principal within it are unusual; 0 means that none are.
    pub denials: u32,
    /// How many uses of a token within it after its end are unusual; 0 means that none are.
    pub expired: u32,
    /// How many uses of a token within it are usual in any case; 0 means that all are.
    pub calls: u32,
    /// How many times as many uses as before are unusual.
    pub factor: u32,
    /// How long the same is not told again of the same principal.
    pub quiet: Duration,
    /// How many principals, and how many tokens, are remembered.
    pub principals: u32,
    /// The hours of work; absent means that all are.
    pub hours: Option<Hours>,
}

impl Default for AnomalySettings {
    /// What holds where the configuration says nothing.
    fn default() -> Self {
        Self {
            learning: 24 * HOUR,
            window: MINUTE,
            denials: 20,
            expired: 5,
            calls: 120,
            factor: 10,
            quiet: HOUR,
            principals: 10_000,
            hours: None,
        }
    }
}

/// `hours` and `anomalies` of `audit`.
pub(crate) fn anomalies(audit: &Section<'_>, review: &mut Review<'_>) -> Option<AnomalySettings> {
    let hours = match audit.node("hours") {
        Some(_) => Some(hours(audit, review)?),
        None => None,
    };
    let section = audit.section("anomalies");
    let span = (MILLISECOND, 30 * 24 * HOUR);
    let learning = section.duration("learning", span, review);
    let window = section.duration("window", (MILLISECOND, 24 * HOUR), review);
    let denials = section.count("denials", (0, u32::MAX), review);
    let expired = section.count("expired", (0, u32::MAX), review);
    let calls = section.count("calls", (0, u32::MAX), review);
    let factor = section.count("factor", (2, 1000), review);
    let quiet = section.duration("quiet", span, review);
    let principals = section.count("principals", (1, 1_000_000), review);
    Some(AnomalySettings {
        learning: learning?,
        window: window?,
        denials: denials?,
        expired: expired?,
        calls: calls?,
        factor: factor?,
        quiet: quiet?,
        principals: principals?,
        hours,
    })
}

const MILLISECOND: Duration = Duration::from_millis(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
