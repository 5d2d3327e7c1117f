//! A verdict that nobody records decided nothing.
#![deny(unused_must_use)]
use gatewright::decision::{Action, Gate, Verdict};

pub fn judge(gate: &Gate<'_>, action: &Action<'_>) -> Verdict {
    gate.judge(action)
}

pub fn ignore(gate: &Gate<'_>, action: &Action<'_>) { gate.judge(action); } //~ unused_must_use
