//! One file of records under way. Never leaves half a line before a whole one, never writes into a file that is not its
//! own any more.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::settings::Durability;
use crate::model::UnixTime;

/// An append-only file of which the length is known to which it is good.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    file: File,
    inode: u64,
    good: u64,
    is_torn: bool,
    born: UnixTime,
}

/// What somebody else did to the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Disturbance {
    /// It is not there any more.
    Missing,
    /// Another file has its name.
    Replaced,
    /// Records were cut off.
    Shortened,
    /// Somebody else wrote into it.
    Lengthened,
}

impl Segment {
    /// Makes `path`, mode 0600, and brings its name to the disk. An error if something is there.
    pub(super) fn create(path: PathBuf, born: UnixTime) -> io::Result<Self> {
        let file = options().create_new(true).open(&path)?;
        let inode = file.metadata()?.ino();
        sync_folder(&path)?;
        Ok(Self {
            path,
            file,
            inode,
            good: 0,
            is_torn: false,
            born,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of whole records it has.
    pub(super) const fn len(&self) -> u64 {
        self.good
    }

    /// When it was begun.
    pub(super) const fn born(&self) -> UnixTime {
        self.born
    }

    /// Hands whole lines to the system, and to the disk if `durability` asks for it. After an error nothing of them
    /// counts: what the failed write left is cut off, now or before the next write.
    pub(super) fn write(&mut self, lines: &[u8], durability: Durability) -> io::Result<()> {
        if self.is_torn {
            self.mend()?;
        }
        // Until every byte is where it should be the end of the file is in doubt.
        self.is_torn = true;
        if let Err(error) = self.put(lines, durability) {
            // A system that failed to write may fail to cut as well; the next write tries again.
            self.is_torn = self.file.set_len(self.good).is_err();
            return Err(error);
        }
        self.is_torn = false;
        self.good = self
            .good
            .saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn put(&mut self, lines: &[u8], durability: Durability) -> io::Result<()> {
        self.file.write_all(lines)?;
        match durability {
            Durability::Os => Ok(()),
            Durability::Disk => self.file.sync_data(),
        }
    }

    /// Asks the system to bring everything to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Is there more in the file than records that count?
    pub(super) const fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// Opens the file anew and cuts off what a failed write left.
    pub(super) fn mend(&mut self) -> io::Result<()> {
        let file = options().open(&self.path)?;
        let found = file.metadata()?;
        if found.ino() != self.inode || found.len() < self.good {
            return Err(io::ErrorKind::NotFound.into());
        }
        file.set_len(self.good)?;
        self.file = file;
        self.is_torn = false;
        Ok(())
    }

    /// What somebody else did to the file since the last write, and how long it is now.
    pub(super) fn disturbance(&self) -> Option<(Disturbance, u64)> {
        match std::fs::metadata(&self.path) {
            Ok(found) => Some((self.change(&found)?, found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Some((Disturbance::Missing, 0))
            }
            // Whether the file can be written is for the write to find out.
            Err(_) => None,
        }
    }

    fn change(&self, found: &Metadata) -> Option<Disturbance> {
        if found.ino() != self.inode {
            return Some(Disturbance::Replaced);
        }
        if found.len() < self.good {
            return Some(Disturbance::Shortened);
        }
        (found.len() > self.good && !self.is_torn).then_some(Disturbance::Lengthened)
    }
}

/// Brings the names in the folder of `path` to the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Disturbance, Segment};
    use crate::audit::settings::Durability;
    use crate::model::UnixTime;

    fn segment(path: &Path) -> Segment {
        Segment::create(path.to_path_buf(), UnixTime::from_millis(0)).unwrap()
    }

    #[test]
    fn half_a_line_is_cut_off_before_the_next_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut segment = segment(&path);
        segment.write(b"one\n", Durability::Disk).unwrap();
        // What a write that failed in the middle leaves.
        std::io::Write::write_all(&mut segment.file, b"tw").unwrap();
        segment.is_torn = true;
        segment.write(b"two\n", Durability::Os).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a16_what_others_do_to_the_file_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let other = directory.path().join("other");
        let mut segment = segment(&path);
        segment.write(b"one\n", Durability::Os).unwrap();
        assert_eq!(segment.disturbance(), None);
        std::fs::write(&path, b"one\nmore\n").unwrap();
        let seen = |segment: &Segment| segment.disturbance().map(|(what, _)| what);
        assert_eq!(seen(&segment), Some(Disturbance::Lengthened));
        std::fs::write(&path, b"o").unwrap();
        assert_eq!(segment.disturbance(), Some((Disturbance::Shortened, 1)));
        std::fs::rename(&path, &other).unwrap();
        assert_eq!(seen(&segment), Some(Disturbance::Missing));
        std::fs::write(&path, b"one\n").unwrap();
        assert_eq!(seen(&segment), Some(Disturbance::Replaced));
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        drop(segment(&path));
        assert!(Segment::create(path, UnixTime::from_millis(0)).is_err());
    }
}
