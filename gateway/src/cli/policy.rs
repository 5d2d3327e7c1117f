//! `gatewright policy`: what policies would do, and how a new one gets into force. One file per verb.

use crate::config::Colour;

mod diff;
mod junit;
mod place;
mod promote;
mod replay;
mod shadow;
mod test;

/// Work with policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Policy {
    /// What a new policy changes: rule by rule, and for decisions that are on record.
    Diff(diff::Diff),
    /// Let a running gateway ask a second policy without effect.
    #[command(subcommand)]
    Shadow(shadow::ShadowVerb),
    /// Bring a new policy into force: checked, tested, and nothing else changed with it.
    Promote(promote::Promote),
    /// Run the tests of the policy, those that `policy.tests` names.
    Test(test::Test),
}

pub(super) fn run(policy: Policy, colour: Colour) -> u8 {
    match policy {
        Policy::Diff(diff) => diff::run(&diff, colour),
        Policy::Shadow(verb) => shadow::run(verb),
        Policy::Promote(promote) => promote::run(promote, colour),
        Policy::Test(test) => test::run(test, colour),
    }
}
