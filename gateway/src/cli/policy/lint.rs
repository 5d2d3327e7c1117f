//! `gatewright policy lint`: what the policy says and cannot mean, and what its patterns match today. Changes nothing.

use serde_json::{Value, json};

use super::findings::{Finding, Level, findings};
use super::tools::Known;
use super::untested;
use crate::cli::check::OK;
use crate::cli::lines::visible;
use crate::cli::{Configured, FAILED, Format, USAGE, complain, say};
use crate::config::{Colour, Loaded};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Lint {
    #[command(flatten)]
    configured: Configured,
    /// A saved answer to `tools/list` of a server, as `FILE` when there is one server, else as `SERVER=FILE`. Without it
    /// the tools are known of servers that have pins.
    #[arg(long, value_name = "FILE")]
    tools: Vec<String>,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

pub(super) fn run(lint: Lint, colour: Colour) -> u8 {
    let (path, loaded) = match untested(lint.configured, colour) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let known = match Known::read(&loaded.settings, &lint.tools) {
        Ok(known) => known,
        Err(error) => {
            complain(&error);
            return USAGE;
        }
    };
    let found = findings(&loaded, &known);
    match lint.output {
        Format::Text => {
            for finding in &found {
                say(&line(finding));
            }
            let count = found
                .iter()
                .filter(|one| one.level == Level::Warning)
                .count();
            say(&format!(
                "{}: {count} warning{}",
                path.display(),
                if count == 1 { "" } else { "s" }
            ));
        }
        Format::Json => say(&format!(
            "{:#}",
            found.iter().map(to_json).collect::<Value>()
        )),
    }
    let is_clean = found.iter().all(|finding| finding.level == Level::Note);
    if is_clean { OK } else { FAILED }
}

/// The warnings of a checked configuration, each in a line.
pub(in crate::cli) fn warnings(loaded: &Loaded) -> Vec<String> {
    let known = Known::of_pins(&loaded.settings);
    let found = findings(loaded, &known).into_iter();
    let warnings = found.filter(|finding| finding.level == Level::Warning);
    warnings
        .map(|finding| visible(&format!("{}: {}", finding.place(), finding.message)))
        .collect()
}

fn line(finding: &Finding) -> String {
    visible(&format!(
        "{}  {}[{}]  {}",
        finding.place(),
        finding.level.name(),
        finding.code,
        finding.message
    ))
}

fn to_json(finding: &Finding) -> Value {
    json!({
        "level": finding.level.name(),
        "code": finding.code,
        "path": finding.path.display().to_string(),
        "line": finding.line,
        "rule": finding.rule.as_ref().map(gatewright_policies::RuleId::as_str),
        "message": finding.message,
    })
}
