//! The record file and the thread that writes it. Never leaves half a line before a whole one, never gives up.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use super::lane::Lane;

/// An append-only file of which the length is known to which it is good.
#[derive(Debug)]
pub(super) struct RecordFile {
    path: PathBuf,
    file: File,
    good: u64,
    torn: bool,
}

impl RecordFile {
    /// Opens `path` for appending, mode 0600; makes it if it is missing.
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = options().create(true).open(&path)?;
        let good = file.metadata()?.len();
        Ok(Self {
            path,
            file,
            good,
            torn: false,
        })
    }

    /// Makes `path`, mode 0600. An error if something is there.
    pub(super) fn create(path: PathBuf) -> io::Result<Self> {
        let file = options().create_new(true).open(&path)?;
        Ok(Self {
            path,
            file,
            good: 0,
            torn: false,
        })
    }

    /// Hands whole lines to the system. After an error the next call opens the file anew and cuts off what the
    /// failed one left of a line.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.torn {
            self.mend()?;
        }
        // Until every byte is written the end of the file is in doubt.
        self.torn = true;
        self.file.write_all(lines)?;
        self.torn = false;
        self.good = self
            .good
            .saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Asks the system to bring everything to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn mend(&mut self) -> io::Result<()> {
        let opened = Self::open(self.path.clone())?;
        // Shorter means another file, or one that somebody cut: what is there now stays.
        let good = self.good.min(opened.good);
        if good < opened.good {
            opened.file.set_len(good)?;
        }
        *self = Self { good, ..opened };
        Ok(())
    }
}

/// Writes what comes through `lane` into `file` until the lane is closed and empty.
pub(super) fn run(lane: &Lane, mut file: RecordFile) {
    let _gone = Gone(lane);
    let mut lines = Vec::new();
    while let Some(batch) = lane.take(&mut lines) {
        let mut tries_left = true;
        while let Err(error) = file.write(&lines) {
            lane.failed(error.kind());
            if !tries_left {
                return;
            }
            tries_left = lane.pause(RETRY);
        }
        lane.written(&batch);
        lines.clear();
        lines.shrink_to(KEPT);
    }
    // The process ends: there is nobody left to tell if the disk fails now.
    let _ = file.sync();
}

/// Tells the lane when the thread ends, however it ends.
struct Gone<'a>(&'a Lane);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.0.writer_gone();
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).mode(0o600);
    options
}

const RETRY: Duration = Duration::from_millis(250);
const KEPT: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::RecordFile;

    #[test]
    fn a_file_that_takes_no_bytes_is_an_error_and_the_next_write_opens_it_anew() {
        let directory = tempfile::tempdir().unwrap();
        let (link, full, good) = (
            directory.path().join("link"),
            PathBuf::from("/dev/full"),
            directory.path().join("good"),
        );
        symlink(full, &link).unwrap();
        let mut file = RecordFile::open(link.clone()).unwrap();
        assert_eq!(
            file.write(b"one\n").unwrap_err().kind(),
            std::io::ErrorKind::StorageFull
        );
        assert!(file.write(b"one\n").is_err());
        std::fs::remove_file(&link).unwrap();
        symlink(&good, &link).unwrap();
        file.write(b"one\n").unwrap();
        file.write(b"two\n").unwrap();
        assert_eq!(std::fs::read(&good).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn half_a_line_is_cut_off_before_the_next_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let mut file = RecordFile::open(path.clone()).unwrap();
        file.write(b"one\n").unwrap();
        // What a write that failed in the middle leaves.
        std::io::Write::write_all(&mut file.file, b"tw").unwrap();
        file.torn = true;
        file.write(b"two\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
    }
}
