//! `gatewright policy`: what policies would do, and how a new one gets into force. One file per verb.

use crate::config::Colour;

mod junit;
mod place;
mod test;

/// Work with policies.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Policy {
    /// Run the tests of the policy, those that `policy.tests` names.
    Test(test::Test),
}

pub(super) fn run(policy: Policy, colour: Colour) -> u8 {
    match policy {
        Policy::Test(test) => test::run(test, colour),
    }
}
