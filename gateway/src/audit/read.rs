//! Reading records back, one line at a time, through all segments. Never changes a file, never holds more than a line, and
//! believes nothing: whether the lines are what was written is the verifier's question.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::segments::{SegmentFile, Segments};
use crate::model::UnixTime;

/// A ledger cannot be read.
#[derive(Debug, Error)]
#[error("cannot read `{}`", path.display())]
pub struct ReadError {
    path: PathBuf,
    source: io::Error,
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        error.source
    }
}

/// The records of a ledger, as far as they are written.
#[derive(Debug)]
pub struct Records {
    segments: VecDeque<SegmentFile>,
    lines: Option<Lines>,
}

impl Records {
    /// The records in `directories`, without the segments that hold nothing from `since` on. A directory that is not
    /// there holds none.
    ///
    /// # Errors
    /// A directory or a file cannot be read.
    pub fn open(directories: &[PathBuf], since: Option<UnixTime>) -> Result<Self, ReadError> {
        let mut segments = list(directories)?;
        let Some(since) = since.map(|since| since.to_string()) else {
            return Ok(Self {
                segments: segments.into(),
                lines: None,
            });
        };
        for at in (0..segments.len()).rev() {
            let Some(segment) = segments.get(at) else {
                break;
            };
            let mut first = Vec::new();
            Lines::open(&segment.path)?.next(&mut first)?;
            // The times are all of one form and length, so their order is that of their texts.
            if timestamp(&first).is_some_and(|time| *time <= *since) {
                segments.drain(..at);
                break;
            }
        }
        Ok(Self {
            segments: segments.into(),
            lines: None,
        })
    }

    /// Reads the next record into `line`, without its line end. `false` when there is none.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        loop {
            if let Some(lines) = &mut self.lines
                && lines.next(line)?
            {
                return Ok(true);
            }
            let Some(segment) = self.segments.pop_front() else {
                return Ok(false);
            };
            self.lines = Some(Lines::open(&segment.path)?);
        }
    }
}

/// The records of a ledger as they are written, over the ends of segments.
#[derive(Debug)]
pub struct Follower {
    directories: Vec<PathBuf>,
    current: Option<(u64, Lines)>,
}

impl Follower {
    /// From the first record on.
    pub const fn from_start(directories: Vec<PathBuf>) -> Self {
        Self {
            directories,
            current: None,
        }
    }

    /// From what is written from now on; before that, the last `count` records of the newest segment.
    ///
    /// # Errors
    /// A directory or a file cannot be read.
    pub fn from_end(
        directories: Vec<PathBuf>,
        count: usize,
    ) -> Result<(Self, VecDeque<Vec<u8>>), ReadError> {
        let mut follower = Self::from_start(directories);
        let mut last = VecDeque::new();
        if let Some(segment) = list(&follower.directories)?.pop() {
            let mut lines = Lines::open(&segment.path)?;
            let mut line = Vec::new();
            while lines.next(&mut line)? {
                last.push_back(line.clone());
                if last.len() > count {
                    last.pop_front();
                }
            }
            follower.current = Some((segment.first, lines));
        }
        Ok((follower, last))
    }

    /// Reads the next record into `line`, without its line end. `false` when it is not written yet.
    ///
    /// # Errors
    /// A directory or a file cannot be read.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        if let Some((_, lines)) = &mut self.current
            && lines.next(line)?
        {
            return Ok(true);
        }
        let now = self.current.as_ref().map_or(0, |(first, _)| *first);
        let segments = list(&self.directories)?;
        let Some(next) = segments.into_iter().find(|segment| segment.first > now) else {
            return Ok(false);
        };
        // Before the next segment was made the last line of this one was written.
        if let Some((_, lines)) = &mut self.current
            && lines.next(line)?
        {
            return Ok(true);
        }
        self.current = Some((next.first, Lines::open(&next.path)?));
        self.next(line)
    }
}

/// When the record in `line` was made: RFC 3339 in UTC with milliseconds.
pub fn timestamp(line: &[u8]) -> Option<&str> {
    let time = line.strip_prefix(TIME)?.get(..TIME_LENGTH)?;
    str::from_utf8(time).ok()
}

/// The whole lines of a file.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    /// The begin of a line that is not whole yet.
    begun: Vec<u8>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(|source| failed(path, source))?;
        Ok(Self {
            path: path.to_path_buf(),
            reader: BufReader::with_capacity(BUFFER, file),
            begun: Vec::new(),
        })
    }

    fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, ReadError> {
        loop {
            let read = self
                .reader
                .by_ref()
                .take(LONGEST)
                .read_until(b'\n', &mut self.begun);
            if read.map_err(|source| failed(&self.path, source))? == 0 {
                return Ok(false);
            }
            if self.begun.pop_if(|last| *last == b'\n').is_some() {
                line.clear();
                std::mem::swap(line, &mut self.begun);
                return Ok(true);
            }
            // No record is as long: what is no record is nobody's to read.
            if self.begun.len() as u64 >= LONGEST {
                self.begun.clear();
            }
        }
    }
}

fn list(directories: &[PathBuf]) -> Result<Vec<SegmentFile>, ReadError> {
    let mut found = Vec::new();
    for directory in directories {
        match Segments::list(directory) {
            Ok(segments) => found.extend(segments),
            // Nothing was ever written there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed(directory, source)),
        }
    }
    found.sort_by_key(|segment| segment.first);
    Ok(found)
}

fn failed(path: &Path, source: io::Error) -> ReadError {
    ReadError {
        path: path.to_path_buf(),
        source,
    }
}

const TIME: &[u8] = br#"{"timestamp":""#;
/// Of `2026-11-21T09:30:00.000Z`.
const TIME_LENGTH: usize = 24;
const BUFFER: usize = 256 << 10;
/// No record is nearly as long, in bytes.
const LONGEST: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use super::{Follower, Records};
    use crate::audit::segments::Segments;
    use crate::model::UnixTime;

    fn write(directory: &Path, first: u64, text: &str) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(Segments::path(directory, first))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn all(directories: &[PathBuf], since: Option<UnixTime>) -> Vec<String> {
        let mut records = Records::open(directories, since).unwrap();
        let (mut line, mut found) = (Vec::new(), Vec::new());
        while records.next(&mut line).unwrap() {
            found.push(String::from_utf8(line.clone()).unwrap());
        }
        found
    }

    #[test]
    fn records_come_in_order_out_of_all_directories() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write(here.path(), 1, "one\n");
        write(there.path(), 2, "two\n");
        write(here.path(), 3, "three\nfo");
        let directories = [here.path().to_owned(), there.path().to_owned()];
        assert_eq!(all(&directories, None), ["one", "two", "three"]);
        assert!(all(&[here.path().join("nothing")], None).is_empty());
    }

    #[test]
    fn segments_from_before_are_not_read() {
        let folder = tempfile::tempdir().unwrap();
        for first in 1..=3_u64 {
            let time = UnixTime::from_seconds(1_700_000_000 + first * 100);
            write(
                folder.path(),
                first,
                &format!("{{\"timestamp\":\"{time}\"}}\n"),
            );
        }
        let since = |seconds: u64| {
            let since = UnixTime::from_seconds(1_700_000_000 + seconds);
            all(&[folder.path().to_owned()], Some(since)).len()
        };
        assert_eq!([since(0), since(100), since(250), since(900)], [3, 3, 2, 1]);
    }

    #[test]
    fn a16_a_follower_goes_on_in_the_next_segment_and_waits_for_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1, "one\ntwo\nthree\n");
        let directories = vec![folder.path().to_owned()];
        let (mut follower, last) = Follower::from_end(directories, 2).unwrap();
        assert_eq!(last, [b"two".to_vec(), b"three".to_vec()]);
        let mut line = Vec::new();
        write(folder.path(), 1, "fo");
        assert!(!follower.next(&mut line).unwrap());
        write(folder.path(), 1, "ur\n");
        write(folder.path(), 5, "five\n");
        for expected in ["four", "five"] {
            assert!(follower.next(&mut line).unwrap());
            assert_eq!(line, expected.as_bytes());
        }
        assert!(!follower.next(&mut line).unwrap());
    }
}
