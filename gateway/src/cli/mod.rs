//! The verbs of the command line, one file each. Never decides what a verb works on.

pub mod check;
