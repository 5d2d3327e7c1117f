//! The command line: one file per verb. Data goes to stdout, talk to stderr.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{Colour, search};
use crate::telemetry::logs;

mod audit;
pub mod check;
mod config;
mod dev;
mod explain;
mod instance;
mod keys;
mod lines;
mod pins;
mod policy;
mod records;
mod report;
mod rules;
mod run;
mod supposed;
mod token;

/// The operation failed.
const FAILED: u8 = 1;
/// The command line asks for something that is not to be had.
const USAGE: u8 = 2;
/// The configuration or the policy is invalid.
const INVALID: u8 = 3;
/// The instance cannot be reached.
const UNREACHABLE: u8 = 5;

/// The gateway that makes MCP servers safe to hand to AI agents.
///
/// Exit codes: 0 ok; 1 the operation failed or a check found a problem; 2 usage; 3 configuration or policy
/// invalid; 4 tests of the policy failed; 5 the instance cannot be reached.
#[derive(Debug, Parser)]
#[command(name = "gatewright", version, max_term_width = 100)]
struct Cli {
    /// No colours in the output.
    #[arg(long, global = true)]
    no_color: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Try it: an issuer, an MCP server and the gateway in front of it, on loopback, without configuration.
    Dev(dev::Dev),
    /// Serve.
    Run(Configured),
    /// Say everything that is wrong with a configuration, without starting anything.
    Check(Check),
    /// Look at a configuration.
    #[command(subcommand)]
    Config(config::Config),
    /// Test policies, compare them, and bring a new one into force.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Say what would be decided, by which rule, and what is missing; or what was decided.
    Explain(Box<explain::Explain>),
    /// Make a running gateway read its configuration again; a bad one changes nothing.
    Reload(Instance),
    /// Show what a running gateway is serving.
    Status(Instance),
    /// Look at a token as the gateway would.
    #[command(subcommand)]
    Token(Token),
    /// Make API keys for agents that cannot get tokens yet.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// See what changed in the tools of servers that have `pins`, and approve it.
    #[command(subcommand)]
    Pins(pins::Pins),
    /// Read the audit record, and prove that it is what was written.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Sum up the audit record.
    #[command(subcommand)]
    Report(report::Report),
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Judge a token that is read from stdin: every check, with what was expected and what is there.
    Inspect(token::Inspect),
}

#[derive(Debug, clap::Args)]
struct Configured {
    /// The configuration; without it GATEWRIGHT_CONFIG, ./gatewright.yaml,
    /// $XDG_CONFIG_HOME/gatewright/config.yaml and /etc/gatewright/config.yaml are tried.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Check {
    #[command(flatten)]
    configured: Configured,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, clap::Args)]
struct Instance {
    /// The file that names the admin socket. The gateway reads the file that it was started with.
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How the answer is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    /// The admin socket, when it is not the one the configuration names.
    #[arg(long, value_name = "FILE")]
    socket: Option<PathBuf>,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let colour = colour(cli.no_color);
    let code = match cli.verb {
        Verb::Dev(dev) => dev::run(&dev),
        Verb::Run(configured) => run::run(configured.config, colour),
        Verb::Check(check) => {
            let output = match check.output {
                Format::Text => check::Output::Text,
                Format::Json => check::Output::Json,
            };
            check::run(check.configured.config, output, colour)
        }
        Verb::Config(config::Config::Show(show)) => config::show(show, colour),
        Verb::Explain(explain) => explain::run(&explain, colour),
        Verb::Reload(instance) => instance::reload(instance),
        Verb::Status(instance) => instance::status(instance),
        Verb::Token(Token::Inspect(inspect)) => token::inspect(inspect, colour),
        Verb::Keys(keys::Keys::New(new)) => keys::new(new, colour),
        Verb::Pins(pins) => pins::run(pins),
        Verb::Policy(policy) => policy::run(policy, colour),
        Verb::Audit(audit) => audit::run(audit, colour),
        Verb::Report(report) => report::run(report, colour),
    };
    ExitCode::from(code)
}

fn colour(refused: bool) -> Colour {
    let no_color = search::process_environment("NO_COLOR").is_some_and(|value| !value.is_empty());
    if refused || no_color || !std::io::stderr().is_terminal() {
        Colour::Off
    } else {
        Colour::On
    }
}

/// Says on stderr what went wrong.
fn complain(what: &dyn std::fmt::Display) {
    talk(&format!("error: {what}"));
}

/// Says on stderr what went wrong, and what that comes from.
fn complain_of(error: &dyn std::error::Error) {
    complain(&logs::chain(error));
}

/// Writes to stderr; a reader that went away is no error of ours.
fn talk(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Writes data to stdout; a reader that went away is no error of ours.
fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
