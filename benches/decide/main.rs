//! What a decision costs: rows that the index answers alone, conditions, and Cedar by itself beside them. Prints two
//! tables; never opens a socket.

mod floor;
mod measure;
mod scene;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gatewright_policies::{PolicySet, PolicySource};

use floor::Floor;
use measure::{Cost, cost};
use scene::Asked;

/// A static decision may cost this much (PERFORMANCE P9).
const STATIC_NANOS: f64 = 300.0;
/// Ten thousand rows may take this long to load.
const LOAD: Duration = Duration::from_secs(2);
/// A decision among ten thousand rows may cost this many times one among ten.
const GROWTH: f64 = 2.0;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "decide: {error}");
            ExitCode::FAILURE
        }
    }
}

type Failure = Box<dyn std::error::Error>;

fn run() -> Result<(), Failure> {
    let has = |flag: &str| std::env::args().any(|argument| argument == flag);
    if has("--write") && cfg!(debug_assertions) {
        return Err("figures of a debug build are not written down".into());
    }
    let size = if has("--quick") { QUICK } else { FULL };
    let page = format!("{HEAD}\n{}\n{LOADS}\n{}", decisions(size)?, loads(size)?);
    io::stdout().write_all(page.as_bytes())?;
    if has("--write") {
        std::fs::write(PAGE, page)?;
    }
    Ok(())
}

/// How often and how much.
#[derive(Debug, Clone, Copy)]
struct Size {
    rounds: usize,
    batch: usize,
    rows: usize,
}

fn decisions(size: Size) -> Result<String, Failure> {
    let of = |source: PolicySource, asked: Asked| -> Result<Cost, Failure> {
        let policy = build(source)?;
        cost(size.rounds, size.batch, || asked.is_allowed(&policy))
    };
    let grown = |cost: Cost, alone: Cost| met(cost.nanos() < GROWTH * alone.nanos());
    let rows = size.rows;
    let mut table = Table::default();
    let small = of(scene::plain(10), Asked::plain())?;
    table.row("a row, among 10", small, &met(small.nanos() < STATIC_NANOS));
    let large = of(scene::plain(rows), Asked::plain())?;
    table.row(&format!("a row, among {rows}"), large, &grown(large, small));
    let one = of(scene::conditions(1), Asked::refund())?;
    table.row("a condition on an argument, alone", one, "");
    for number in [50, rows] {
        let among = of(scene::conditions(number), Asked::refund())?;
        let name = format!("the same, among {number} of which one could apply");
        table.row(&name, among, &grown(among, one));
    }
    let all = of(scene::forbids(50), Asked::refund())?;
    table.row(
        "a row, and 50 policies that forbid, all of which could apply",
        all,
        "",
    );
    floors(size, &mut table)?;
    Ok(table.text)
}

fn floors(size: Size, table: &mut Table) -> Result<(), Failure> {
    for (name, forbids) in [("one policy", 0), ("51 policies", 50)] {
        let floor = Floor::new(forbids)?;
        let ready = cost(size.rounds, size.batch, || floor.is_allowed())?;
        table.row(
            &format!("Cedar alone, {name}, request and entities ready"),
            ready,
            "",
        );
        let anew = cost(size.rounds, size.batch, || floor.is_allowed_anew())?;
        table.row(
            &format!("Cedar alone, {name}, request and entities made anew"),
            anew,
            "",
        );
    }
    Ok(())
}

#[derive(Default)]
struct Table {
    text: String,
}

impl Table {
    fn row(&mut self, name: &str, cost: Cost, goal: &str) {
        let _ = writeln!(self.text, "| {name} | {:.0} | {goal} |", cost.nanos());
    }
}

fn loads(size: Size) -> Result<String, Failure> {
    let mut text = String::new();
    for (name, source) in [
        ("without conditions", scene::plain(size.rows)),
        ("with a condition each", scene::conditions(size.rows)),
    ] {
        let started = Instant::now();
        build(source)?;
        let taken = started.elapsed();
        let _ = writeln!(
            text,
            "| {} rows {name} | {:.2} | {} |",
            size.rows,
            taken.as_secs_f64(),
            met(taken < LOAD)
        );
    }
    Ok(text)
}

fn build(source: PolicySource) -> Result<PolicySet, Failure> {
    PolicySet::build(source).map_err(|faults| format!("{faults:?}").into())
}

fn met(holds: bool) -> String {
    let word = match (cfg!(debug_assertions), holds) {
        (true, _) => "debug build",
        (false, true) => "met",
        (false, false) => "missed",
    };
    word.to_owned()
}

const FULL: Size = Size {
    rounds: 15,
    batch: 20_000,
    rows: 10_000,
};
const QUICK: Size = Size {
    rounds: 3,
    batch: 100,
    rows: 200,
};
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/DECIDE.md");
const HEAD: &str = "\
# What a decision costs

Written by `target/release/decide --write`; do not edit. Nanoseconds of one core, the median of the rounds. Goals: a row costs less than 300 ns, and nothing more than twice as much among 10,000 rows as alone.

| decision | ns | goal |
|---|---|---|";
const LOADS: &str = "\
| load | s | goal (2 s) |
|---|---|---|";
