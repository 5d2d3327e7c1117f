//! Which segment is past its time. Never the one under way, never one that somebody still has to read, never one whose
//! end is in doubt.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use serde::Deserialize;

use super::notice::{Notice, Tombstone};
use super::recovery;
use super::sealing::{Head, Note};
use super::segment::sync_folder;
use super::segments::Segments;
use super::settings::LedgerSettings;
use crate::model::UnixTime;

/// A segment that may go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Doomed {
    /// Its first record.
    pub(super) first: u64,
    /// Its last record.
    pub(super) last: u64,
    head: Head,
    path: PathBuf,
}

impl Doomed {
    /// The record that tells where it went.
    pub(super) fn tombstone(&self, note: Note) -> Notice {
        Notice::Tombstone(Tombstone {
            first: self.first,
            last: self.last,
            head: self.head.hash,
            note,
        })
    }

    /// Deletes it.
    pub(super) fn delete(&self) -> io::Result<()> {
        std::fs::remove_file(&self.path)?;
        sync_folder(&self.path)
    }
}

/// The oldest segment, if its last record is `kept_for` old at `now` and every sink has read it.
pub(super) fn oldest(
    settings: &LedgerSettings,
    kept_for: Duration,
    now: UnixTime,
) -> io::Result<Option<Doomed>> {
    let directories: Vec<_> = settings.directories().collect();
    let segments = Segments::list_all(&directories)?;
    let [oldest, next, ..] = segments.as_slice() else {
        return Ok(None);
    };
    if now.since(changed(&oldest.path)?) < kept_for {
        return Ok(None);
    }
    let last = next.first.saturating_sub(1);
    let found = recovery::tail(&oldest.path)?.filter(|tail| tail.head.seq == last);
    let Some(tail) = found else {
        return Ok(None);
    };
    let is_read = read_by_all(&settings.directory.join(CURSORS), last)?;
    Ok(is_read.then(|| Doomed {
        first: oldest.first,
        last,
        head: tail.head,
        path: oldest.path.clone(),
    }))
}

/// When the file was last written.
fn changed(path: &Path) -> io::Result<UnixTime> {
    let changed = std::fs::metadata(path)?.modified()?;
    let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(UnixTime::from_millis(0).plus(since))
}

/// Has every sink with a cursor in `folder` read record `last`? A cursor that cannot be read has read nothing.
fn read_by_all(folder: &Path, last: u64) -> io::Result<bool> {
    #[derive(Deserialize)]
    struct Cursor {
        seq: u64,
    }
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        let cursor = serde_json::from_slice::<Cursor>(&std::fs::read(path)?);
        if cursor.is_ok_and(|cursor| cursor.seq >= last) {
            continue;
        }
        return Ok(false);
    }
    Ok(true)
}

/// How often the oldest segment is looked at while no other begins.
pub(super) const PAUSE: Duration = Duration::from_secs(60);
const CURSORS: &str = "cursors";

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::oldest;
    use crate::audit::chain;
    use crate::audit::line::Line;
    use crate::audit::notice::Notice;
    use crate::audit::sealing::{Head, Note};
    use crate::audit::segments::Segments;
    use crate::audit::settings::LedgerSettings;
    use crate::model::UnixTime;

    #[derive(serde::Serialize)]
    struct Record {
        sub: &'static str,
        seq: u64,
        kind: &'static str,
    }

    /// Two segments of two records each.
    fn ledger(directory: &Path) -> LedgerSettings {
        let mut head = Head::START;
        for first in [1, 3] {
            let mut out = Vec::new();
            for _ in 0..2 {
                let (sub, kind) = ("alice", "decision");
                let line = Line::of(&Record { sub, seq: 0, kind }).unwrap();
                chain::link(&mut head, line.open(), &mut out);
            }
            std::fs::write(Segments::path(directory, first), out).unwrap();
        }
        LedgerSettings::new(directory.to_path_buf())
    }

    const LATE: UnixTime = UnixTime::from_seconds(4_000_000_000);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    #[test]
    fn a17_the_oldest_segment_goes_when_its_time_is_over_and_the_last_one_never() {
        let directory = tempfile::tempdir().unwrap();
        let settings = ledger(directory.path());
        let early = UnixTime::from_seconds(1);
        assert_eq!(oldest(&settings, DAY, early).unwrap(), None);
        let doomed = oldest(&settings, DAY, LATE).unwrap().unwrap();
        assert_eq!((doomed.first, doomed.last), (1, 2));
        let Notice::Tombstone(stone) = doomed.tombstone(Note("signed".to_owned())) else {
            panic!("a tombstone");
        };
        assert_eq!(
            (stone.first, stone.last, stone.head),
            (1, 2, doomed.head.hash)
        );
        doomed.delete().unwrap();
        assert_eq!(oldest(&settings, DAY, LATE).unwrap(), None);
        assert_eq!(Segments::list(directory.path()).unwrap().len(), 1);
    }

    #[test]
    fn a17_a_segment_that_a_sink_has_not_read_stays() {
        let directory = tempfile::tempdir().unwrap();
        let settings = ledger(directory.path());
        let cursors = directory.path().join("cursors");
        std::fs::create_dir(&cursors).unwrap();
        let cursor = cursors.join("siem.json");
        for unread in ["{\"seq\":1}", "", "{}"] {
            std::fs::write(&cursor, unread).unwrap();
            assert_eq!(oldest(&settings, DAY, LATE).unwrap(), None, "{unread}");
        }
        std::fs::write(&cursor, "{\"seq\":2,\"segment\":1}").unwrap();
        assert!(oldest(&settings, DAY, LATE).unwrap().is_some());
    }

    #[test]
    fn a17_a_segment_whose_end_is_in_doubt_stays() {
        let directory = tempfile::tempdir().unwrap();
        let settings = ledger(directory.path());
        let path = Segments::path(directory.path(), 1);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_eq!(oldest(&settings, DAY, LATE).unwrap(), None);
    }
}
