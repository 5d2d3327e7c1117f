//! The tables, in Markdown, for the terminal and for RESULTS.md alike. Never rounds a missed goal into a met one.

use std::fmt::Write as _;

use crate::contender::Start;
use crate::figures::{Figure, Figures, Place, Spread, megabytes};
use crate::options::{Contender, Plan, Scenario};

/// All tables: one for each scenario and number of connections, then the goals.
pub(crate) fn tables(figures: &Figures, start: Option<Start>) -> String {
    let mut text = String::new();
    let mut last = None;
    for place in figures.places() {
        if last != Some((place.scenario, place.connections)) {
            last = Some((place.scenario, place.connections));
            let _ = write!(
                text,
                "\n### `{}`, {}\n\n{HEAD}",
                place.scenario.name(),
                connections(place.connections)
            );
        }
        text.push_str(&row(figures, place));
    }
    text.push_str(&changes(figures));
    text.push_str(&goals(figures, start));
    text
}

/// What became of the other build's figures, when there is one.
fn changes(figures: &Figures) -> String {
    let of = |place: Place, figure| figures.ratio(place, Contender::Before, figure);
    let rows = figures.places().into_iter().filter_map(|place| {
        let cpu = of(place, Figure::Cpu).filter(|_| place.contender == Contender::Gatewright)?;
        Some(format!(
            "| `{}`, {} | {} | {} | {} |\n",
            place.scenario.name(),
            connections(place.connections),
            shown(Some(cpu), 2),
            shown(of(place, Figure::Rate), 2),
            shown(of(place, Figure::P99), 2),
        ))
    });
    let rows: String = rows.collect();
    if rows.is_empty() {
        return rows;
    }
    format!("\n### Gatewright ÷ before\n\n| | CPU | requests/s | p99 |\n|---|---|---|---|\n{rows}")
}

const HEAD: &str = "| contender | requests/s | CPU µs per request | p50 µs | p99 µs | resident MB | CPU ÷ pass-through \
                    | requests/s ÷ pass-through | requests/s ÷ direct | added p50 ÷ pass-through's |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n";

fn connections(count: u16) -> String {
    if count == 1 {
        "1 connection".to_owned()
    } else {
        format!("{count} connections")
    }
}

fn row(figures: &Figures, place: Place) -> String {
    let name = place.contender.name();
    if let Some(why) = figures.voids().get(&place) {
        return format!(
            "| {name} | void: {} |  |  |  |  |  |  |  |  |\n",
            why.replace('|', "\\|").replace('\n', " ")
        );
    }
    let figure = |figure, digits| shown(figures.spread(place, figure), digits);
    let to = |other, figure| shown(figures.ratio(place, other, figure), 2);
    let cells = [
        figure(Figure::Rate, 0),
        figure(Figure::Cpu, 1),
        figure(Figure::P50, 0),
        figure(Figure::P99, 0),
        figure(Figure::Resident, 1),
        to(Contender::PassThrough, Figure::Cpu),
        to(Contender::PassThrough, Figure::Rate),
        to(Contender::Direct, Figure::Rate),
        shown(
            figures
                .added_latency(place)
                .filter(|_| place.contender != Contender::Direct),
            2,
        ),
    ];
    format!("| {name} | {} |\n", cells.join(" | "))
}

/// `median (least to most)`, or the median alone when there was one round.
fn shown(spread: Option<Spread>, digits: usize) -> String {
    let Some(Spread {
        median,
        least,
        most,
    }) = spread
    else {
        return "–".to_owned();
    };
    if least.total_cmp(&most).is_eq() {
        return format!("{median:.digits$}");
    }
    format!("{median:.digits$} ({least:.digits$} to {most:.digits$})")
}

/// The goals that this run measured, each with what was found.
fn goals(figures: &Figures, start: Option<Start>) -> String {
    let cpu = |scenario| figures.ratio(gateway(scenario, 64), Contender::PassThrough, Figure::Cpu);
    let rate =
        |scenario| figures.ratio(gateway(scenario, 64), Contender::PassThrough, Figure::Rate);
    let added = figures.added_latency(gateway(Scenario::Call, 1));
    let resident = start.map(|start| megabytes(start.resident));
    let took = start.map(|start| start.took.as_secs_f64() * 1e3);
    let median = |spread: Option<Spread>| spread.map(|spread| spread.median);
    let rows = [
        at_most(
            1.15,
            median(cpu(Scenario::Call)),
            "P1 `call`, 64 connections: CPU ÷ pass-through",
        ),
        at_most(
            1.25,
            median(added),
            "P3 `call`, 1 connection: added p50 ÷ pass-through's",
        ),
        at_most(
            1.8,
            median(cpu(Scenario::List)),
            "P6 `list`, 64 connections: CPU ÷ pass-through",
        ),
        at_most(
            1.8,
            median(cpu(Scenario::ListSse)),
            "P6 `list-sse`, 64 connections: CPU ÷ pass-through",
        ),
        at_least(
            0.6,
            median(rate(Scenario::Large)),
            "P10 `large`, 64 connections: requests/s ÷ pass-through",
        ),
        at_most(20.0, resident, "P8 resident before the first request, MB"),
        at_most(150.0, took, "P11 start to `/readyz`, ms"),
    ];
    let rows: String = rows.into_iter().flatten().collect();
    if rows.is_empty() {
        return rows;
    }
    format!("\n### Goals\n\n| goal | bound | found | |\n|---|---|---|---|\n{rows}")
}

fn gateway(scenario: Scenario, connections: u16) -> Place {
    Place {
        scenario,
        connections,
        contender: Contender::Gatewright,
    }
}

fn at_most(bound: f64, found: Option<f64>, goal: &str) -> Option<String> {
    found.map(|found| {
        let met = if found <= bound { MET } else { MISSED };
        format!("| {goal} | ≤ {bound} | {found:.3} | {met} |\n")
    })
}

fn at_least(bound: f64, found: Option<f64>, goal: &str) -> Option<String> {
    found.map(|found| {
        let met = if found >= bound { MET } else { MISSED };
        format!("| {goal} | ≥ {bound} | {found:.3} | {met} |\n")
    })
}

const MET: &str = "met";
const MISSED: &str = "missed";

/// RESULTS.md: how it was measured, on what, and the tables.
pub(crate) fn page(
    plan: &Plan,
    machine: &[(&'static str, String)],
    pinning: &str,
    tables: &str,
) -> String {
    let machine: Vec<String> = machine
        .iter()
        .map(|(name, value)| format!("| {name} | {value} |\n"))
        .collect();
    let machine = machine.concat();
    let command = command(plan);
    let (rounds, seconds) = (plan.rounds, plan.measured.as_secs());
    format!(
        "# Results\n\n\
         What Gatewright costs, beside the upstream alone, a raw pingora pass-through and nginx. Written by `load`; do \
         not edit.\n\n\
         ```sh\ncargo build --release -p gatewright -p gatewright-benches --bins\n{command}\n```\n\n\
         ## Method\n\n\
         - {rounds} rounds; in each, every cell is measured for {seconds} s after 0.5 s of warming up, and the contenders \
           take turns, each round beginning with another one. Cells hold the median over the rounds and, in brackets, \
           the least and the most. Ratios are taken within a round. Absolute figures do not carry over to other machines.\n\
         - Closed loop over HTTP/1.1 keep-alive: every connection has one request under way. Requests are those of a \
           client of revision 2026-07-28 with an ES256 token of about 600 bytes, 64 tokens in turn, and a fresh id each.\n\
         - Every byte of every answer is checked: status, id, text, and which tools a list holds. One error voids the cell.\n\
         - Gatewright verifies the token (remembered after its first use), reads the body strictly, checks the role, writes \
           the audit record before it dispatches, and in `list` and `list-sse` filters the 60 tools (40 KB) to the 30 of the \
           role. The others pass everything on unread.\n\
         - Gatewright logs warnings only and nginx has no access log; the audit record is written in full.\n\
         - CPU is user and system time of all threads of the contender's process, to the nanosecond, over the measured time. \
           It is the robust figure on a noisy machine.\n\
         - The pass-through has Gatewright's pingora settings: one thread, an upstream keep-alive pool of 512, the same \
           build profile and allocator.\n\
         - {pinning}\n\n\
         ## Machine\n\n| | |\n|---|---|\n{machine}\n\
         ## Figures\n{tables}"
    )
}

fn command(plan: &Plan) -> String {
    let scenarios: Vec<&str> = plan
        .scenarios
        .iter()
        .map(|scenario| scenario.name())
        .collect();
    let connections: Vec<String> = plan.connections.iter().map(u16::to_string).collect();
    let has_other = plan.contenders.contains(&Contender::Before);
    let before = if has_other { " --before FILE" } else { "" };
    format!(
        "target/release/load{before} --scenario {} --connections {} --rounds {} --seconds {} --write",
        scenarios.join(","),
        connections.join(","),
        plan.rounds,
        plan.measured.as_secs()
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{page, tables};
    use crate::contender::Start;
    use crate::figures::tests::{figures, sample};
    use crate::options::{Contender, Plan, Scenario};

    #[test]
    fn a_row_shows_median_extremes_and_ratios() {
        let (figures, _) = figures();
        let text = tables(&figures, None);
        assert!(text.contains("### `call`, 64 connections"), "{text}");
        assert!(
            text.contains(
                "| gatewright | 100 (50 to 150) | 36.0 (33.0 to 39.0) | 70 (60 to 80) | 140 (120 to 160) | 12.0 \
                 | 1.20 (1.10 to 1.30) | 0.50 | 0.25 | 1.50 (1.25 to 1.75) |"
            ),
            "{text}"
        );
        assert!(text.contains("| direct | 400 (200 to 600) | – |"), "{text}");
    }

    #[test]
    fn goals_are_judged_by_the_median() {
        let (figures, _) = figures();
        let text = tables(
            &figures,
            Some(Start {
                took: Duration::from_millis(120),
                resident: 19_000_000,
            }),
        );
        assert!(
            text.contains("CPU ÷ pass-through | ≤ 1.15 | 1.200 | missed |"),
            "{text}"
        );
        assert!(
            text.contains("`/readyz`, ms | ≤ 150 | 120.000 | met |"),
            "{text}"
        );
        assert!(
            !text.contains("P10"),
            "a goal that was not measured has no row"
        );
    }

    #[test]
    fn a_change_is_told_as_a_ratio_where_another_build_took_part() {
        let (mut figures, place) = figures();
        assert!(!tables(&figures, None).contains("before"));
        for round in 1..=3 {
            figures.add(
                place.with(Contender::Before),
                sample(50 * round, 60, Some(30)),
            );
        }
        let text = tables(&figures, None);
        let row = "| `call`, 64 connections | 1.20 (1.10 to 1.30) | 2.00 | 1.17 (1.00 to 1.33) |";
        assert!(text.contains(row), "{text}");
    }

    #[test]
    fn a_void_cell_says_why_and_has_no_figures() {
        let (mut figures, place) = figures();
        figures.void(place, "wrong answer: a|b".into());
        let text = tables(&figures, None);
        assert!(
            text.contains("| gatewright | void: wrong answer: a\\|b |"),
            "{text}"
        );
        assert!(!text.contains("P1 "), "{text}");
    }

    #[test]
    fn the_page_names_the_command_that_wrote_it() {
        let plan = Plan {
            scenarios: vec![Scenario::Call, Scenario::ListSse],
            contenders: Contender::ALL.to_vec(),
            connections: vec![1, 64],
            rounds: 5,
            measured: Duration::from_secs(3),
        };
        let text = page(
            &plan,
            &[("Kernel", "6.1".to_owned())],
            "Pinned.",
            "\ntables\n",
        );
        let command = "target/release/load --before FILE --scenario call,list-sse --connections 1,64 --rounds 5 --seconds 3 --write";
        assert!(
            text.contains(command) && text.contains("| Kernel | 6.1 |"),
            "{text}"
        );
    }
}
