//! `gatewright policy`: what policies would do, and how a new one gets into force. One file per verb.

use crate::config::Colour;

mod diff;
mod replay;

/// Work with policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Policy {
    /// What a new policy changes: rule by rule, and for decisions that are on record.
    Diff(diff::Diff),
}

pub(super) fn run(policy: Policy, colour: Colour) -> u8 {
    match policy {
        Policy::Diff(diff) => diff::run(&diff, colour),
    }
}
