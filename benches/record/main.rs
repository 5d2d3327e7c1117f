//! What the record costs a call: `durability: os` and `disk`, no record at all, and the bare disk beside them. Prints
//! one table; never opens a socket.

mod floor;
mod sample;
mod scene;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use gatewright::audit::settings::Durability;
use scene::{Run, run};

/// `disk` reaches this part of the calls that `os` reaches, under load (PERFORMANCE P7).
const THROUGHPUT: f64 = 0.7;
/// Alone, a call waits for the disk and this part more (PERFORMANCE P7).
const LATENCY: f64 = 1.2;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "record: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Failure> {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    if has("--write") && cfg!(debug_assertions) {
        return Err("figures of a debug build are not written down".into());
    }
    let (rounds, time) = if has("--quick") {
        (1, Duration::from_millis(100))
    } else {
        (7, Duration::from_millis(700))
    };
    let folder = folder()?;
    let mut taken = Vec::new();
    for _ in 0..rounds {
        taken.push(Round::take(&folder, time)?);
    }
    let page = page(&taken);
    io::stdout().write_all(page.as_bytes())?;
    if has("--write") {
        std::fs::write(PAGE, page)?;
    }
    Ok(())
}

/// Beside this program: on the disk of the build, which is none of memory.
fn folder() -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("this program is nowhere")?;
    Ok(folder.to_owned())
}

/// Every contender once, one after the other.
struct Round {
    floor: Duration,
    runs: Vec<(Contender, Run)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Contender {
    durability: Option<Durability>,
    connections: usize,
}

impl Round {
    fn take(folder: &Path, time: Duration) -> Result<Self, Failure> {
        let floor = floor::of(folder, time)?;
        let mut runs = Vec::new();
        for connections in CONNECTIONS {
            for durability in [None, Some(Durability::Os), Some(Durability::Disk)] {
                let contender = Contender {
                    durability,
                    connections,
                };
                runs.push((contender, run(folder, contender, time)?));
            }
        }
        Ok(Self { floor, runs })
    }
}

/// What is in the middle, and the ends.
struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

fn spread(mut figures: Vec<f64>) -> Spread {
    figures.sort_by(f64::total_cmp);
    let at = |index: usize| figures.get(index).copied().unwrap_or_default();
    Spread {
        least: at(0),
        median: at(figures.len() / 2),
        most: at(figures.len().saturating_sub(1)),
    }
}

/// The figure of one contender over all rounds.
fn of(rounds: &[Round], contender: Contender, figure: fn(&Run) -> f64) -> Spread {
    let runs = rounds.iter().flat_map(|round| &round.runs);
    let runs = runs.filter(|(one, _)| *one == contender);
    spread(runs.map(|(_, run)| figure(run)).collect())
}

fn page(rounds: &[Round]) -> String {
    let mut page = format!("{HEAD}\n");
    for connections in CONNECTIONS {
        for (name, durability) in NAMES {
            let contender = Contender {
                durability,
                connections,
            };
            let calls = of(rounds, contender, |run| run.calls_per_second);
            let half = of(rounds, contender, |run| micros(run.half));
            let most = of(rounds, contender, |run| micros(run.most));
            let _ = writeln!(
                page,
                "| {name} | {connections} | {:.0} | {:.0} to {:.0} | {:.0} | {:.0} |",
                calls.median, calls.least, calls.most, half.median, most.median
            );
        }
    }
    page.push_str(&judgement(rounds));
    page
}

/// The figures beside what they are to be.
fn judgement(rounds: &[Round]) -> String {
    let floors = rounds.iter().map(|round| micros(round.floor)).collect();
    let floor = spread(floors);
    let under_load = |durability| {
        let contender = Contender {
            durability: Some(durability),
            connections: 64,
        };
        of(rounds, contender, |run| run.calls_per_second).median
    };
    let alone = Contender {
        durability: Some(Durability::Disk),
        connections: 1,
    };
    let throughput = under_load(Durability::Disk) / under_load(Durability::Os);
    let latency = of(rounds, alone, |run| micros(run.half)).median / floor.median;
    format!(
        "\nThe bare disk, one record and `fdatasync`: {:.0} µs ({:.0} to {:.0}).\n\n\
         - 64 connections: `disk` has {:.0} % of the calls of `os`; at least {:.0} % are wanted: {}.\n\
         - One connection: `disk` waits {latency:.2} times as long as the bare disk; at most {LATENCY:.2} are wanted: {}.\n",
        floor.median,
        floor.least,
        floor.most,
        throughput * 100.0,
        THROUGHPUT * 100.0,
        met(throughput >= THROUGHPUT),
        met(latency <= LATENCY),
    )
}

fn met(holds: bool) -> &'static str {
    match (cfg!(debug_assertions), holds) {
        (true, _) => "debug build",
        (false, true) => "met",
        (false, false) => "missed",
    }
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

const CONNECTIONS: [usize; 2] = [1, 64];
const NAMES: [(&str, Option<Durability>); 3] = [
    ("no record", None),
    ("`os`", Some(Durability::Os)),
    ("`disk`", Some(Durability::Disk)),
];
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RECORD.md");
const HEAD: &str = "\
# What the record costs a call

Written by `target/release/record --write`; do not edit. A call here is 30 µs of work on one core, which is what the proxy does for one, a decision that is \
waited for, and an outcome that is not; connections take turns on that core, the writer has its own thread. Added is how long the decision was waited for, in microseconds. Medians of \
the rounds, in which all took turns.

| record | connections | calls/s | least to most | added p50 | added p99 |
|---|---|---|---|---|---|";
