//! Which files a ledger is made of, and their lines, one at a time. Never holds more than one line, never changes a file.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A file of a ledger, named after its first record.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) first: u64,
    pub(crate) path: PathBuf,
}

/// Every segment in `directories`, by the number in its name.
pub(crate) fn segments(directories: &[PathBuf]) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for directory in directories {
        for entry in std::fs::read_dir(directory)? {
            let path = entry?.path();
            found.extend(number(&path).map(|first| Segment { first, path }));
        }
    }
    found.sort_by(|one, other| (one.first, &one.path).cmp(&(other.first, &other.path)));
    Ok(found)
}

fn number(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let is_segment = path
        .extension()
        .is_some_and(|extension| extension == "jsonl")
        && stem.len() == DIGITS
        && stem.bytes().all(|byte| byte.is_ascii_digit());
    stem.parse().ok().filter(|_| is_segment)
}

/// What was read of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A line with its end, which was taken off.
    Whole,
    /// The rest of the file, without an end of line.
    Rest,
    /// More than a line can be.
    TooLong,
    /// The file is over.
    End,
}

/// The lines of a file.
#[derive(Debug)]
pub(crate) struct Lines {
    reader: BufReader<io::Take<File>>,
    /// The line that was read last, from 1.
    pub(crate) number: u64,
}

impl Lines {
    /// The lines in the first `limit` bytes of the file at `path`.
    pub(crate) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        Ok(Self {
            reader: BufReader::with_capacity(BUFFER, File::open(path)?.take(limit)),
            number: 0,
        })
    }

    /// The rest of the file, however long it became.
    pub(crate) fn unlimited(&mut self) {
        self.reader.get_mut().set_limit(u64::MAX);
    }

    /// Reads the next line into `line`, which is emptied first.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Piece> {
        line.clear();
        let length = self.reader.by_ref().take(LONGEST).read_until(b'\n', line)?;
        if length == 0 {
            return Ok(Piece::End);
        }
        self.number = self.number.saturating_add(1);
        if line.pop_if(|last| *last == b'\n').is_some() {
            return Ok(Piece::Whole);
        }
        if (length as u64) < LONGEST {
            return Ok(Piece::Rest);
        }
        while line.last() != Some(&b'\n') {
            line.clear();
            if self.reader.by_ref().take(LONGEST).read_until(b'\n', line)? == 0 {
                break;
            }
        }
        Ok(Piece::TooLong)
    }
}

const DIGITS: usize = 20;
const BUFFER: usize = 256 << 10;
/// No line is nearly as long, in bytes.
const LONGEST: u64 = 1 << 20;
