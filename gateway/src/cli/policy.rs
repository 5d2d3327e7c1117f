//! `gatewright policy`: what policies would do, and how a new one gets into force. One file per verb.

use std::path::PathBuf;

use crate::cli::{Configured, INVALID, check, complain, talk};
use crate::config::{Colour, Loaded, load, search};

mod diff;
mod findings;
mod junit;
pub(super) mod lint;
mod promote;
mod replay;
mod schema;
mod shadow;
mod test;
mod tools;

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
    /// Look for what the policy says and cannot mean.
    Lint(lint::Lint),
}

pub(super) fn run(policy: Policy, colour: Colour) -> u8 {
    match policy {
        Policy::Diff(diff) => diff::run(&diff, colour),
        Policy::Shadow(verb) => shadow::run(verb),
        Policy::Promote(promote) => promote::run(promote, colour),
        Policy::Test(test) => test::run(test, colour),
        Policy::Lint(lint) => lint::run(lint, colour),
    }
}

/// The configuration, whether its tests pass or not; or the exit code when there is none, which was said.
fn untested(configured: Configured, colour: Colour) -> Result<(PathBuf, Loaded), u8> {
    let path =
        search::find(configured.config, &search::process_environment).map_err(|nothing| {
            complain(&format!("{nothing}\n  = help: name one with `--config`"));
            INVALID
        })?;
    match load::load_untested(&path, &search::process_environment) {
        Ok(loaded) => Ok((path, loaded)),
        Err(mistakes) => {
            talk(&mistakes.render(colour));
            Err(check::refused(&mistakes))
        }
    }
}
