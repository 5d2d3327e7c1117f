//! Measures the whole gateway against the upstream alone, a raw pingora pass-through and nginx, interleaved in one
//! run on this machine. Prints tables; never says faster or slower about figures of different runs.

mod contender;
mod figures;
mod generator;
mod issuer;
mod judge;
mod machine;
mod options;
mod process;
mod report;
mod run;
mod settings;

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use crate::options::Options;

fn main() -> ExitCode {
    match start(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(io::stderr(), "load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Succeeds only if no cell is void.
fn start(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    if options.write && cfg!(debug_assertions) {
        return Err("figures of a dev build are not worth keeping: build with `--release`".into());
    }
    let findings = run::run(options)?;
    writeln!(io::stdout(), "{}", findings.tables)?;
    if findings.voids > 0 {
        writeln!(io::stderr(), "load: {} cells are void", findings.voids)?;
        return Ok(ExitCode::FAILURE);
    }
    if options.write {
        std::fs::write(RESULTS, findings.page)?;
    }
    Ok(ExitCode::SUCCESS)
}

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RESULTS.md");
