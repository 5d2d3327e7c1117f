//! What a decision costs: rows that the index answers alone, conditions, and Cedar by itself beside them. Prints two
//! tables; never opens a socket.

mod floor;
mod measure;
mod scene;

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
    let small = of(&build(scene::plain(10))?, Asked::plain(), size)?;
    let large = of(&build(scene::plain(size.rows))?, Asked::plain(), size)?;
    let one = of(&build(scene::conditions(1))?, Asked::refund(), size)?;
    let few = of(&build(scene::conditions(50))?, Asked::refund(), size)?;
    let many = of(&build(scene::conditions(size.rows))?, Asked::refund(), size)?;
    let all = of(&build(scene::forbids(50))?, Asked::refund(), size)?;
    let floor_one = Floor::new(0)?;
    let floor_all = Floor::new(50)?;
    let bare_one = cost(size.rounds, size.batch, || floor_one.is_allowed())?;
    let bare_all = cost(size.rounds, size.batch, || floor_all.is_allowed())?;
    let scene_alone = cost(size.rounds, size.batch, || floor_one.is_allowed_anew())?;
    let rows = [
        (
            "a row, among 10".to_owned(),
            small,
            met(small.nanos() < STATIC_NANOS),
        ),
        (
            format!("a row, among {}", size.rows),
            large,
            met(large.nanos() < STATIC_NANOS && large.nanos() < GROWTH * small.nanos()),
        ),
        (
            "a condition on an argument, alone".to_owned(),
            one,
            String::new(),
        ),
        (
            "the same, among 50 of which one could apply".to_owned(),
            few,
            met(few.nanos() < GROWTH * one.nanos()),
        ),
        (
            format!("the same, among {} of which one could apply", size.rows),
            many,
            met(many.nanos() < GROWTH * one.nanos()),
        ),
        (
            "50 policies that forbid, all of which could apply, and a row".to_owned(),
            all,
            String::new(),
        ),
        (
            "Cedar alone: one policy, request and entities made before".to_owned(),
            bare_one,
            String::new(),
        ),
        (
            "Cedar alone: one policy, request and entities made for it".to_owned(),
            scene_alone,
            String::new(),
        ),
        (
            "Cedar alone: 51 policies, request and entities made before".to_owned(),
            bare_all,
            String::new(),
        ),
    ];
    let lines =
        rows.map(|(name, cost, goal)| format!("| {name} | {:.0} | {goal} |\n", cost.nanos()));
    Ok(lines.concat())
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
        text.push_str(&format!(
            "| {} rows {name} | {:.2} | {} |\n",
            size.rows,
            taken.as_secs_f64(),
            met(taken < LOAD)
        ));
    }
    Ok(text)
}

fn build(source: PolicySource) -> Result<PolicySet, Failure> {
    PolicySet::build(source).map_err(|faults| format!("{faults:?}").into())
}

fn of(policy: &PolicySet, asked: Asked, size: Size) -> Result<Cost, Failure> {
    cost(size.rounds, size.batch, || asked.is_allowed(policy))
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
