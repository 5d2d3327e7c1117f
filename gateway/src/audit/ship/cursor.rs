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
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
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

/// Makes the cursors in `directory` those of the sinks `names`, for whoever deletes segments by them: a new sink gets
/// one at once, one that is not configured any more is put away and holds nothing back. Should it come back, it goes on
/// where it was.
pub(super) fn settle(directory: &Path, names: &[&str]) -> io::Result<()> {
    let folder = directory.join(FOLDER);
    for name in names {
        let cursor = CursorFile::of(directory, name);
        let away = cursor.path.with_extension(AWAY);
        if cursor.path.exists() {
            continue;
        }
        match std::fs::rename(&away, &cursor.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                cursor.save(&Place::default())?;
            }
            moved => moved?,
        }
    }
    let entries = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str());
        let is_cursor = path.extension().is_some_and(|end| end == "json");
        if is_cursor && name.is_none_or(|name| !names.contains(&name)) {
            std::fs::rename(&path, path.with_extension(AWAY))?;
        }
    }
    Ok(())
}

const FOLDER: &str = "cursors";
const AWAY: &str = "away";

#[cfg(test)]
mod tests {
    use super::{CursorFile, Found, Place, settle};

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
    fn each_sink_has_a_cursor_and_no_other_cursor_is_left() {
        let ledger = tempfile::tempdir().unwrap();
        let seq = |name| match CursorFile::of(ledger.path(), name).load() {
            Found::Place(place) => Some(place.seq),
            Found::Nothing => None,
            Found::Unreadable(error) => panic!("{error}"),
        };
        settle(ledger.path(), &[]).unwrap();
        settle(ledger.path(), &["old", "kept"]).unwrap();
        assert_eq!((seq("old"), seq("kept")), (Some(0), Some(0)));
        CursorFile::of(ledger.path(), "old")
            .save(&place(7))
            .unwrap();
        CursorFile::of(ledger.path(), "kept")
            .save(&place(8))
            .unwrap();

        settle(ledger.path(), &["kept", "new"]).unwrap();
        assert_eq!(
            (seq("old"), seq("kept"), seq("new")),
            (None, Some(8), Some(0))
        );

        settle(ledger.path(), &["old"]).unwrap();
        assert_eq!((seq("old"), seq("kept"), seq("new")), (Some(7), None, None));
    }
}
