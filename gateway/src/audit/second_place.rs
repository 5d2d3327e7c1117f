//! The second place of checkpoints: a file that only grows, apart from the ledger. Never forgets a note because the disk was full
//! for a while.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// The file, and what is still to be written to it.
#[derive(Debug)]
pub(super) struct SecondPlace {
    path: PathBuf,
    /// What every note begins with.
    origin: String,
    file: Option<File>,
    pending: Vec<u8>,
}

impl SecondPlace {
    pub(super) fn new(path: PathBuf, origin: &str) -> Self {
        Self {
            path,
            origin: origin.to_owned(),
            file: None,
            pending: Vec::new(),
        }
    }

    /// Appends `note` and an empty line. Is everything written?
    pub(super) fn write(&mut self, note: &str) -> bool {
        // What does not fit is in the ledger all the same; the newest are those that matter.
        if self.pending.len() > MOST_PENDING {
            self.pending.clear();
        }
        self.pending.extend_from_slice(note.as_bytes());
        self.pending.push(b'\n');
        self.flush().is_ok()
    }

    /// Writes what could not be written before. Was there anything, and is it written?
    pub(super) fn retry(&mut self) -> bool {
        !self.pending.is_empty() && self.flush().is_ok()
    }

    fn flush(&mut self) -> io::Result<()> {
        // Who moved the file away wants a new one.
        let file = self.file.take().filter(|_| self.path.exists());
        let mut file = match file {
            Some(file) => file,
            None => self.open()?,
        };
        // After an error the file is opened anew, which cuts off what was written in part.
        file.write_all(&self.pending)?;
        self.pending.clear();
        self.file = Some(file);
        Ok(())
    }

    /// Opens the file and cuts off half a note at its end.
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true).mode(0o644);
        let mut file = options.open(&self.path)?;
        let length = file.metadata()?.len();
        let from = length.saturating_sub(LONGEST);
        file.seek(SeekFrom::Start(from))?;
        let mut end = Vec::new();
        (&file).take(LONGEST).read_to_end(&mut end)?;
        let (whole, rest) = split(&end);
        if !rest.is_empty() {
            self.must_be_half_a_note(rest)?;
            file.set_len(from.saturating_add(u64::try_from(whole.len()).unwrap_or_default()))?;
        }
        Ok(file)
    }

    /// A file that is somebody else's must not be cut.
    fn must_be_half_a_note(&self, rest: &[u8]) -> io::Result<()> {
        let origin = self.origin.as_bytes();
        if rest.starts_with(origin) || origin.starts_with(rest) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it holds something else than checkpoints",
        ))
    }
}

/// Whole notes, up to the last empty line behind a signature, and what follows.
fn split(end: &[u8]) -> (&[u8], &[u8]) {
    let mut whole = 0_usize;
    let mut position = 0_usize;
    let mut is_signature = false;
    for line in end.split_inclusive(|byte| *byte == b'\n') {
        position = position.saturating_add(line.len());
        if line == b"\n" && is_signature {
            whole = position;
        }
        is_signature = line.starts_with("\u{2014} ".as_bytes());
    }
    end.split_at_checked(whole).unwrap_or((end, &[]))
}

/// More than the last note and half of another, in bytes.
const LONGEST: u64 = 64 << 10;
/// Some thousand notes, in bytes.
const MOST_PENDING: usize = 1 << 20;
