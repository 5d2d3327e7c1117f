//! The verifier: reads a ledger as a stranger would and says whether anything in it was altered, dropped, inserted, moved or
//! cut off. Shares no code with the writer, trusts nothing but the keys it is given, and never changes a file.

mod fault;
mod files;
mod line;
pub(super) mod note;
mod outside;
mod walk;

use std::io;
use std::path::PathBuf;

pub use fault::{Fault, FaultKind, Report, Sealed};
pub use note::VerifyingKey;

use crate::model::UnixTime;
use files::{Lines, Piece, Segment};
use line::Line;
use note::Keyring;
use outside::Outside;
use walk::{Beginning, Walk};

/// What there is to go by.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The directories of the ledger: its own, and where it was spilled to.
    pub directories: Vec<PathBuf>,
    /// The keys that may sign.
    pub keys: Vec<VerifyingKey>,
    /// The second place of checkpoints, which must be there.
    pub second_place: Option<PathBuf>,
    /// Files with checkpoints that somebody kept.
    pub kept: Vec<PathBuf>,
    /// What is older need not be read.
    pub since: Option<UnixTime>,
}

/// Reads all of it. Takes as much memory for a large ledger as for a small one.
///
/// # Errors
/// A file or directory cannot be read. What can be read and is wrong is in the report.
pub fn verify(evidence: Evidence) -> io::Result<Report> {
    let mut report = Report::default();
    // Before the list of files: what this covers is in them.
    let outside = Outside::open(
        evidence.second_place.as_deref(),
        &evidence.kept,
        &mut report,
    )?;
    let all = files::segments(&evidence.directories)?;
    let skipped = match evidence.since {
        Some(since) => before(&all, since)?,
        None => 0,
    };
    let beginning = if skipped == 0 {
        Beginning::First
    } else {
        Beginning::Later
    };
    let mut walk = Walk::new(Keyring::new(evidence.keys), outside, beginning, report);
    for segment in all.iter().skip(skipped) {
        walk.segment(segment)?;
    }
    walk.end()
}

/// How many segments hold nothing from `since` on: those before the last that begins earlier.
fn before(all: &[Segment], since: UnixTime) -> io::Result<usize> {
    let since = since.to_string();
    for (at, segment) in all.iter().enumerate().rev() {
        let mut buffer = Vec::new();
        let piece = Lines::open(&segment.path, u64::MAX)?.next(&mut buffer)?;
        let line = Some(&buffer).filter(|_| piece == Piece::Whole);
        let line = line.and_then(|bytes| Line::parse(bytes));
        // The times are all of one form and length, so their order is that of their texts.
        if line.is_some_and(|line| *line.facts.timestamp <= *since) {
            return Ok(at);
        }
    }
    Ok(0)
}
