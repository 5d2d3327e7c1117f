//! `gatewright report`: sums over the audit record. Never changes anything.

use crate::config::Colour;

mod keys;
mod scopes;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Report {
    /// Every API key: whose it is, how often and when it was last used, and which were never used.
    Keys(keys::KeysReport),
    /// Every client: the scopes that its tokens grant, and those that it used.
    Scopes(scopes::ScopesReport),
}

pub(super) fn run(report: Report, colour: Colour) -> u8 {
    match report {
        Report::Keys(keys) => keys::run(keys, colour),
        Report::Scopes(scopes) => scopes::run(scopes, colour),
    }
}

/// One line for each row, each column as wide as its widest value.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths);
        let padded: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
