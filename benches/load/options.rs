//! The command line. Never decides how anything is measured, only what and how long.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use gatewright_benches::content::{Ask, JSON_PATH, SSE_PATH};

/// Measures Gatewright against the upstream alone, a raw pingora pass-through and nginx, interleaved in one run.
#[derive(Debug, Parser)]
#[command(
    name = "load",
    version,
    after_help = "Gatewright writes its records to TMPDIR: a few GB in a full run."
)]
pub(crate) struct Options {
    /// What the agents ask.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "call")]
    pub(crate) scenario: Vec<Scenario>,
    /// How many connections, each a cell of its own.
    #[arg(long, value_delimiter = ',', default_value = "1,64,256", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) connections: Vec<u16>,
    /// How often every cell is measured; the contenders take turns.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// How long a cell is measured, in seconds.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) seconds: u16,
    /// A contender to leave out.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(crate) without: Vec<Contender>,
    /// One round of one second with 1 and 64 connections: does everything still work?
    #[arg(long, conflicts_with_all = ["connections", "rounds", "seconds", "write"])]
    pub(crate) quick: bool,
    /// Write the tables to `benches/RESULTS.md`.
    #[arg(long)]
    pub(crate) write: bool,
    /// Another build of Gatewright to measure beside it, for what a change costs.
    #[arg(long, value_name = "FILE")]
    pub(crate) before: Option<PathBuf>,
    /// The gateway to measure; by default the one built beside this program.
    #[arg(long, env = "GATEWRIGHT_BIN", value_name = "FILE")]
    pub(crate) gatewright: Option<PathBuf>,
}

/// What the agents ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scenario {
    /// `tools/call` with about 300 bytes each way.
    Call,
    /// `tools/list` with 60 tools, 40 KB of JSON; the role sees half of them.
    List,
    /// The same as an event stream.
    ListSse,
    /// `tools/call` with an argument of 1 MiB.
    Large,
}

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::List => "list",
            Self::ListSse => "list-sse",
            Self::Large => "large",
        }
    }

    pub(crate) fn ask(self) -> Ask {
        match self {
            Self::Call => Ask::Call,
            Self::List | Self::ListSse => Ask::List,
            Self::Large => Ask::LargeCall,
        }
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::ListSse => SSE_PATH,
            Self::Call | Self::List | Self::Large => JSON_PATH,
        }
    }
}

/// Who answers the agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Contender {
    /// The upstream itself, with nothing in front of it.
    Direct,
    /// pingora that does nothing but pass on.
    PassThrough,
    /// nginx as a reverse proxy.
    Nginx,
    /// Another build of Gatewright, which `--before` names.
    Before,
    /// Gatewright: token, role, record, then the call.
    Gatewright,
}

impl Contender {
    pub(crate) const ALL: [Self; 5] = [
        Self::Direct,
        Self::PassThrough,
        Self::Nginx,
        Self::Before,
        Self::Gatewright,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::PassThrough => "pass-through",
            Self::Nginx => "nginx",
            Self::Before => "before",
            Self::Gatewright => "gatewright",
        }
    }
}

/// What is run: the options with `--quick` and repetitions resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) connections: Vec<u16>,
    pub(crate) rounds: u16,
    pub(crate) measured: Duration,
}

impl Options {
    pub(crate) fn plan(&self) -> Plan {
        let contenders = Contender::ALL
            .into_iter()
            .filter(|contender| !self.without.contains(contender))
            .filter(|contender| *contender != Contender::Before || self.before.is_some())
            .collect();
        let scenarios: BTreeSet<_> = self.scenario.iter().copied().collect();
        let connections: BTreeSet<_> = self.connections.iter().copied().collect();
        let plan = Plan {
            scenarios: scenarios.into_iter().collect(),
            contenders,
            connections: connections.into_iter().collect(),
            rounds: self.rounds,
            measured: Duration::from_secs(self.seconds.into()),
        };
        if self.quick {
            return Plan {
                connections: vec![1, 64],
                rounds: 1,
                measured: Duration::from_secs(1),
                ..plan
            };
        }
        plan
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Contender, Options, Scenario};

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }

    #[test]
    fn quick_is_one_second_with_one_and_64_connections() {
        let plan = Options::parse_from([
            "load",
            "--quick",
            "--without",
            "nginx",
            "--scenario",
            "list,call,list",
        ])
        .plan();
        assert_eq!(
            plan.contenders,
            [
                Contender::Direct,
                Contender::PassThrough,
                Contender::Gatewright
            ]
        );
        assert_eq!(plan.scenarios, [Scenario::Call, Scenario::List]);
        assert_eq!(
            (plan.connections, plan.rounds, plan.measured.as_secs()),
            (vec![1, 64], 1, 1)
        );
    }

    #[test]
    fn another_build_takes_part_when_it_is_named() {
        let plan = |line: &[&str]| Options::parse_from(line).plan();
        let named = plan(&["load", "--before", "old/gatewright"]);
        assert_eq!(named.contenders, Contender::ALL);
        assert!(!plan(&["load"]).contenders.contains(&Contender::Before));
    }

    #[test]
    fn quick_figures_are_never_written() {
        assert!(Options::try_parse_from(["load", "--quick", "--write"]).is_err());
    }
}
