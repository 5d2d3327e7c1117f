//! The bare disk: one record after the other, each brought to the disk. Nothing that keeps records that way is faster.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::sample::BYTES;

/// How long one record takes, in the middle of all that fit into `time`.
pub(crate) fn of(folder: &Path, time: Duration) -> Result<Duration, Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.path().join("floor"))?;
    let record = vec![b'x'; BYTES];
    let mut taken = Vec::new();
    let began = Instant::now();
    while began.elapsed() < time {
        let before = Instant::now();
        file.write_all(&record)?;
        file.sync_data()?;
        taken.push(before.elapsed());
    }
    taken.sort_unstable();
    Ok(taken.get(taken.len() / 2).copied().unwrap_or_default())
}
