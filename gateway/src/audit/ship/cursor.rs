//! Where a sink is, on disk: written to the side and moved into place, so that a crash leaves the old one or the new
//! one. Never ahead of what the sink acknowledged.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::line::Place;

/// The file that holds the place of one sink.
#[derive(Debug, Clone)]
pub(super) struct CursorFile {
    path: PathBuf,
}

/// What a cursor file said.
#[derive(Debug)]
pub(super) enum Found {
    /// The sink is new.
    Nothing,
    /// It goes on here.
    Place(Place),
    /// It cannot be read: the sink starts anew, at the oldest record.
    Unreadable(io::Error),
}

impl CursorFile {
    /// The cursor of the sink `name` in the ledger at `directory`.
    pub(super) fn of(directory: &Path, name: &str) -> Self {
        Self {
            path: directory.join(FOLDER).join(format!("{name}.json")),
        }
    }

    /// What it says.
    pub(super) fn load(&self) -> Found {
        match std::fs::read(&self.path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(place) => Found::Place(place),
                Err(error) => Found::Unreadable(error.into()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(error) => Found::Unreadable(error),
        }
    }

    /// Puts `place` there, and on the disk.
    pub(super) fn save(&self, place: &Place) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let beside = self.path.with_extension("json.new");
        let mut file: File = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(&serde_json::to_vec(place)?)?;
        file.sync_data()?;
        std::fs::rename(&beside, &self.path)
    }
}

/// The last record that every one of `sinks` has acknowledged, for whoever deletes segments: nothing behind it may go.
/// `None` when there are no sinks and all may go; a sink that has no place yet, or none that can be read, holds back
/// everything.
pub(crate) fn acknowledged_by_all<'n>(
    directory: &Path,
    sinks: impl IntoIterator<Item = &'n str>,
) -> Option<u64> {
    let seq = |name| match CursorFile::of(directory, name).load() {
        Found::Place(place) => place.seq,
        Found::Nothing | Found::Unreadable(_) => 0,
    };
    sinks.into_iter().map(seq).min()
}

const FOLDER: &str = "cursors";

#[cfg(test)]
mod tests {
    use super::{CursorFile, Found, Place, acknowledged_by_all};

    fn place(seq: u64) -> Place {
        Place {
            seq,
            segment: 1,
            offset: 7,
            hash: Some("ab".into()),
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_saved() {
        let ledger = tempfile::tempdir().unwrap();
        let cursor = CursorFile::of(ledger.path(), "siem");
        assert!(matches!(cursor.load(), Found::Nothing));
        for seq in [3, 4] {
            cursor.save(&place(seq)).unwrap();
            assert!(matches!(cursor.load(), Found::Place(found) if found == place(seq)));
        }
        let names: Vec<_> = std::fs::read_dir(ledger.path().join("cursors"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["siem.json"], "nothing is left beside it");
    }

    #[test]
    fn half_a_cursor_is_told_from_none() {
        let ledger = tempfile::tempdir().unwrap();
        let cursor = CursorFile::of(ledger.path(), "siem");
        cursor.save(&place(3)).unwrap();
        std::fs::write(ledger.path().join("cursors/siem.json"), b"{\"seq\":3").unwrap();
        assert!(matches!(cursor.load(), Found::Unreadable(_)));
    }

    #[test]
    fn the_slowest_sink_says_what_may_be_deleted() {
        let ledger = tempfile::tempdir().unwrap();
        CursorFile::of(ledger.path(), "fast").save(&place(90)).unwrap();
        CursorFile::of(ledger.path(), "slow").save(&place(20)).unwrap();
        let all = |names: &[&'static str]| acknowledged_by_all(ledger.path(), names.iter().copied());
        assert_eq!(all(&["fast", "slow"]), Some(20));
        assert_eq!(all(&["fast"]), Some(90), "a sink that is no more holds nothing back");
        assert_eq!(all(&["fast", "new"]), Some(0));
        assert_eq!(all(&[]), None);
    }
}
