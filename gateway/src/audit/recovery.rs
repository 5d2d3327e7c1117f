//! Finds where a ledger ends when a gateway starts. Reads no more than the end of the last segment; never deletes what
//! it finds.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::chain;
use super::notice::Recovered;
use super::sealing::Head;
use super::segment::sync_folder;
use super::segments::{SegmentFile, Segments};

/// Where a ledger ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// The last whole record.
    pub(super) head: Head,
    /// What there is to say about how it ended; nothing when it ended in order, or has no records.
    pub(super) recovered: Option<Recovered>,
}

/// Finds the end of the ledger in `directories` and sets aside what is behind the last whole record.
///
/// # Errors
/// A file cannot be read, or what is torn cannot be set aside.
pub(super) fn recover(directories: &[&Path]) -> io::Result<End> {
    let mut segments = Segments::list_all(directories)?;
    let mut aside = Aside::default();
    while let Some(last) = segments.pop() {
        let Some(tail) = tail(&last.path)? else {
            aside.whole(&last.path)?;
            continue;
        };
        aside.behind(&last.path, &tail)?;
        // Only where the chain went on elsewhere can a segment have more than the next one builds on.
        if let Some(before) = segments.last()
            && before.path.parent() != last.path.parent()
        {
            aside.overlap(before, last.first)?;
        }
        let is_torn = aside.file.is_some();
        let recovered = (is_torn || !tail.is_checkpoint).then_some(Recovered {
            head: tail.head.hash,
            bytes: aside.bytes,
            file: aside.file,
        });
        return Ok(End {
            head: tail.head,
            recovered,
        });
    }
    Ok(End {
        head: Head::START,
        recovered: aside.file.is_some().then_some(Recovered {
            head: Head::START.hash,
            bytes: aside.bytes,
            file: aside.file,
        }),
    })
}

/// The last whole record of a segment.
#[derive(Debug)]
pub(super) struct Tail {
    /// The record.
    pub(super) head: Head,
    is_checkpoint: bool,
    /// Where it ends, in bytes.
    end: u64,
    length: u64,
}

/// The last whole record in `path`; `None` when there is none.
pub(super) fn tail(path: &Path) -> io::Result<Option<Tail>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    for window in [WINDOW, u64::MAX] {
        let start = length.saturating_sub(window);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file)
            .take(length.saturating_sub(start))
            .read_to_end(&mut bytes)?;
        if let Some((at, head, is_checkpoint)) = last_whole(&bytes, |_| true) {
            return Ok(Some(Tail {
                head,
                is_checkpoint,
                end: start.saturating_add(at),
                length,
            }));
        }
        if start == 0 {
            break;
        }
    }
    Ok(None)
}

/// The last line of `bytes` that is a whole record with its true hash and a number that `fits`: where it ends, and
/// what it is. A line that is not is no reason to stop: a power cut can leave more than half a line.
fn last_whole(bytes: &[u8], fits: impl Fn(u64) -> bool) -> Option<(u64, Head, bool)> {
    let mut end = bytes.len();
    loop {
        let rest = bytes.get(..end)?;
        let newline = memchr::memrchr(b'\n', rest)?;
        let line_start =
            memchr::memrchr(b'\n', bytes.get(..newline)?).map_or(0, |at| at.saturating_add(1));
        let line = bytes.get(line_start..newline)?;
        if let Some((head, is_checkpoint)) = whole(line)
            && fits(head.seq)
        {
            let at = u64::try_from(newline.saturating_add(1)).ok()?;
            return Some((at, head, is_checkpoint));
        }
        end = newline;
    }
}

/// What a whole line says of itself.
fn whole(line: &[u8]) -> Option<(Head, bool)> {
    #[derive(Deserialize)]
    struct Says<'a> {
        seq: u64,
        kind: &'a str,
    }
    let hash = chain::hash_of(line)?;
    let Says { seq, kind } = serde_json::from_slice(line).ok()?;
    Some((Head { seq, hash }, kind == "checkpoint"))
}

/// What was set aside.
#[derive(Debug, Default)]
struct Aside {
    bytes: u64,
    file: Option<String>,
}

impl Aside {
    /// A segment without one whole record. An empty one has nothing to keep.
    fn whole(&mut self, path: &Path) -> io::Result<()> {
        let bytes = std::fs::metadata(path)?.len();
        if bytes == 0 {
            std::fs::remove_file(path)?;
            return sync_folder(path);
        }
        let to = place(path, 0)?;
        std::fs::rename(path, &to)?;
        self.note(bytes, &to);
        sync_folder(&to)?;
        sync_folder(path)
    }

    /// What stands behind the last whole record.
    fn behind(&mut self, path: &Path, tail: &Tail) -> io::Result<()> {
        if tail.end == tail.length {
            return Ok(());
        }
        let mut file = OpenOptions::new().read(true).write(true).open(path)?;
        file.seek(SeekFrom::Start(tail.end))?;
        let mut torn = Vec::new();
        file.read_to_end(&mut torn)?;
        let to = place(path, tail.end)?;
        let mut options = OpenOptions::new();
        let mut kept = options.create_new(true).write(true).mode(0o600).open(&to)?;
        kept.write_all(&torn)?;
        kept.sync_all()?;
        sync_folder(&to)?;
        // Only now, that there is a copy on the disk.
        file.set_len(tail.end)?;
        file.sync_all()?;
        self.note(tail.length.saturating_sub(tail.end), &to);
        Ok(())
    }

    /// Records of a segment that could not be written any more, from number `first` on: they were written again into
    /// the segment that went on elsewhere.
    fn overlap(&mut self, before: &SegmentFile, first: u64) -> io::Result<()> {
        if tail(&before.path)?.is_none_or(|tail| tail.head.seq < first && tail.end == tail.length) {
            return Ok(());
        }
        let bytes = std::fs::read(&before.path)?;
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let Some((end, head, is_checkpoint)) = last_whole(&bytes, |seq| seq < first) else {
            return Ok(());
        };
        let tail = Tail {
            head,
            is_checkpoint,
            end,
            length,
        };
        self.behind(&before.path, &tail)
    }

    fn note(&mut self, bytes: u64, to: &Path) {
        self.bytes = self.bytes.saturating_add(bytes);
        let name = to.file_name().unwrap_or_default();
        self.file = Some(name.to_string_lossy().into_owned());
    }
}

/// A new name in the folder `aside` beside `path`.
fn place(path: &Path, from: u64) -> io::Result<PathBuf> {
    let folder = path.with_file_name(ASIDE);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    for turn in 0..u32::MAX {
        let to = folder.join(format!("{name}-{from}-{turn}.torn"));
        if !to.try_exists()? {
            return Ok(to);
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

const ASIDE: &str = "aside";
/// The end of a segment that is read at first: room for a thousand records.
const WINDOW: u64 = 1 << 20;

#[cfg(test)]
mod tests;
