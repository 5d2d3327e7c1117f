//! A verdict that nobody records decided nothing.
#![deny(unused_must_use)]
use gatewright::decision::{Asked, Gate, Verdict};

pub fn judge(gate: &Gate<'_>, asked: &Asked<'_>) -> Verdict {
    gate.judge(asked)
}

pub fn ignore(gate: &Gate<'_>, asked: &Asked<'_>) { gate.judge(asked); } //~ unused_must_use
