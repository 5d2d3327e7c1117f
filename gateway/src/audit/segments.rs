//! Which files make up a ledger: segments, each named after its first record. Never opens one, never changes one.

use std::io;
use std::path::{Path, PathBuf};

/// One segment of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentFile {
    /// The number of its first record.
    pub(crate) first: u64,
    /// Where it is.
    pub(crate) path: PathBuf,
}

/// The segments of a ledger, however many directories it has.
pub(crate) struct Segments;

impl Segments {
    /// The segments in `directory`, by their first record. Files with other names are left out.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub(crate) fn list(directory: &Path) -> io::Result<Vec<SegmentFile>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            if let Some(first) = first_of(&path) {
                found.push(SegmentFile { first, path });
            }
        }
        found.sort_by_key(|segment| segment.first);
        Ok(found)
    }

    /// The segments in all `directories`, by their first record: a ledger that was spilled goes on elsewhere.
    ///
    /// # Errors
    /// A directory cannot be read.
    pub(crate) fn list_all(directories: &[&Path]) -> io::Result<Vec<SegmentFile>> {
        let mut found = Vec::new();
        for directory in directories {
            found.extend(Self::list(directory)?);
        }
        found.sort_by_key(|segment| segment.first);
        Ok(found)
    }

    /// Where the segment that begins with record `first` is in `directory`.
    pub(crate) fn path(directory: &Path, first: u64) -> PathBuf {
        directory.join(format!("{first:020}.{EXTENSION}"))
    }
}

/// The number in a name such as `00000000000000000001.jsonl`.
fn first_of(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(".jsonl")?;
    let is_number = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok())?
}

const EXTENSION: &str = "jsonl";
const DIGITS: usize = 20;

#[cfg(test)]
mod tests {
    use super::Segments;

    #[test]
    fn segments_come_by_number_and_other_files_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        for first in [21, 1, 300] {
            std::fs::write(Segments::path(here, first), b"").unwrap();
        }
        for other in [
            "lock",
            "1.jsonl",
            "gatewright-2026.jsonl",
            "+0000000000000000001.jsonl",
        ] {
            std::fs::write(here.join(other), b"").unwrap();
        }
        let found: Vec<_> = Segments::list(here).unwrap();
        let numbers: Vec<_> = found.iter().map(|segment| segment.first).collect();
        assert_eq!(numbers, [1, 21, 300]);
        assert_eq!(found[1].path, here.join("00000000000000000021.jsonl"));
    }

    #[test]
    fn segments_of_two_places_are_one_ledger() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (directory, first) in [(&here, 1), (&there, 5), (&here, 9)] {
            std::fs::write(Segments::path(directory.path(), first), b"").unwrap();
        }
        let found = Segments::list_all(&[here.path(), there.path()]).unwrap();
        let numbers: Vec<_> = found.iter().map(|segment| segment.first).collect();
        assert_eq!(numbers, [1, 5, 9]);
    }
}
