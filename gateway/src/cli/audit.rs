//! `gatewright audit`: reads the ledger and proves it. Never changes it, but for asking a running gateway for a new key.

use std::path::{Path, PathBuf};

use super::{Configured, INVALID, complain, talk};
use crate::audit::settings::LedgerSettings;
use crate::config::{Colour, load, search};

mod ecs;
mod export;
mod filter;
mod ocsf;
mod query;
mod record;
mod rotate;
mod subjects;
mod tail;
mod verify;
mod when;

pub(super) use record::Record;
pub(super) use when::When;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Audit {
    /// Look for records.
    Query(query::Query),
    /// Show records as they are written.
    Tail(tail::Tail),
    /// Write records in the words of other systems.
    Export(export::Export),
    /// Prove that nothing was altered, dropped, inserted, moved or cut off.
    Verify(verify::Verify),
    /// Make a running gateway sign with a new key, which the old one signs.
    RotateKey(rotate::RotateKey),
    /// Take a person out of the book of names, for good: records that name them by a pseudonym name nobody any more.
    Erase(subjects::EraseArgs),
    /// Say who is meant by pseudonyms, as long as the book of names says so.
    Reveal(subjects::RevealArgs),
}

pub(super) fn run(audit: Audit, colour: Colour) -> u8 {
    match audit {
        Audit::Query(query) => query::run(query, colour),
        Audit::Tail(tail) => tail::run(tail, colour),
        Audit::Export(export) => export::run(export, colour),
        Audit::Verify(verify) => verify::run(verify, colour),
        Audit::RotateKey(rotate) => rotate::run(rotate),
        Audit::Erase(erase) => subjects::erase(erase),
        Audit::Reveal(reveal) => subjects::reveal(&reveal),
    }
}

/// Which ledger is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    #[command(flatten)]
    configured: Configured,
    /// The ledger, when it is not the one the configuration names; once more for where it was spilled to.
    #[arg(long, value_name = "DIR")]
    ledger: Vec<PathBuf>,
}

impl Place {
    /// The directories of the ledger, or the exit code.
    pub(super) fn directories(self, colour: Colour) -> Result<Vec<PathBuf>, u8> {
        if !self.ledger.is_empty() {
            return Ok(self.ledger);
        }
        let settings = configured(self.configured, colour)?;
        Ok(settings.directories().map(Path::to_path_buf).collect())
    }
}

/// What the configuration says about the ledger, or the exit code.
fn configured(configured: Configured, colour: Colour) -> Result<LedgerSettings, u8> {
    let path =
        search::find(configured.config, &search::process_environment).map_err(|nothing| {
            complain(&nothing);
            INVALID
        })?;
    match load::load(&path, &search::process_environment) {
        Ok(settings) => Ok(settings.audit),
        Err(mistakes) => {
            talk(&mistakes.render(colour));
            Err(INVALID)
        }
    }
}
