//! Reads whole lines from the segments of a ledger, from a place on and over their ends. Blocks; never writes, never
//! reads past what the writer said is written.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};

use super::line::{Line, Place};
use super::settings::Bounds;
use crate::audit::segments::{SegmentFile, Segments};

/// Where one reader of the ledger is.
#[derive(Debug)]
pub(super) struct Tail {
    /// The ledger's directory, and where it spills to.
    directories: Vec<PathBuf>,
    place: Place,
    file: Option<File>,
    /// Whether the line that comes next has to follow `place`: it stems from an earlier process.
    in_doubt: bool,
}

impl Tail {
    /// Starts behind `place`; from the oldest record if there is none.
    pub(super) fn new(directories: Vec<PathBuf>, place: Option<Place>) -> Self {
        Self {
            directories,
            in_doubt: place.is_some(),
            place: place.unwrap_or_default(),
            file: None,
        }
    }

    /// The record that it starts behind, or that it read last.
    pub(super) fn seq(&self) -> u64 {
        self.place.seq
    }

    /// The next lines within `bounds`, up to the record `head`; none when there are none yet.
    pub(super) fn read(&mut self, bounds: Bounds, head: u64) -> io::Result<Vec<Line>> {
        loop {
            if self.file.is_none() && !self.open()? {
                return Ok(Vec::new());
            }
            // Before the read: what the writer put into a segment before it began the next one is there by now, and
            // what it did not get to the end there stands in the next one.
            let next = self.next_segment()?;
            let end = next
                .as_ref()
                .map_or(head, |next| next.first.saturating_sub(1).min(head));
            let lines = self.lines(bounds, end)?;
            if lines.is_empty()
                && let Some(next) = next.filter(|next| next.first <= head.saturating_add(1))
            {
                self.go_on_with(&next)?;
                continue;
            }
            let Some((first, last)) = lines.first().zip(lines.last()) else {
                return Ok(lines);
            };
            if self.in_doubt && !first.follows(&self.place) {
                self.restart()?;
                continue;
            }
            self.in_doubt = false;
            self.place = last.place.clone();
            return Ok(lines);
        }
    }

    /// Opens the segment of the place. One that is shorter than the place was cut since, by a crash of the machine: the
    /// place means nothing any more, and the whole segment comes again.
    fn open(&mut self) -> io::Result<bool> {
        let segments = self.segments()?;
        let home = segments
            .iter()
            .find(|segment| segment.first == self.place.segment && self.place.seq > 0);
        if let Some(home) = home {
            let file = File::open(&home.path)?;
            if file.metadata()?.len() >= self.place.offset {
                self.file = Some(file);
                return Ok(true);
            }
        }
        let next = self.place.seq.saturating_add(1);
        let before = segments.iter().rev().find(|segment| segment.first <= next);
        match before.or(segments.first()) {
            Some(segment) => self.enter(segment).map(|()| true),
            None => Ok(false),
        }
    }

    fn segments(&self) -> io::Result<Vec<SegmentFile>> {
        let mut found = Vec::new();
        for (index, directory) in self.directories.iter().enumerate() {
            match Segments::list(directory) {
                // Nothing was ever spilled.
                Err(error) if index > 0 && error.kind() == io::ErrorKind::NotFound => {}
                listed => found.extend(listed?),
            }
        }
        found.sort_by_key(|segment| segment.first);
        Ok(found)
    }

    /// Goes on at the start of `next`. Segments that are missing in between are waited for: their disk may come back.
    /// At the start of a gateway they are left out, for they may have been deleted while the sink was none.
    fn go_on_with(&mut self, next: &SegmentFile) -> io::Result<()> {
        if !self.in_doubt && next.first > self.place.seq.saturating_add(1) {
            return Err(io::Error::other("segments of the ledger are missing"));
        }
        self.enter(next)
    }

    /// The segment after the one that is open.
    fn next_segment(&self) -> io::Result<Option<SegmentFile>> {
        let later = |segment: &SegmentFile| segment.first > self.place.segment;
        Ok(self.segments()?.into_iter().find(later))
    }

    /// Goes on at the start of `segment`.
    fn enter(&mut self, segment: &SegmentFile) -> io::Result<()> {
        self.file = Some(File::open(&segment.path)?);
        self.place.segment = segment.first;
        self.place.offset = 0;
        Ok(())
    }

    /// The place is that of a record that was lost: what the ledger holds in its stead comes from the start of its
    /// segment. Nothing is left out so; some of it may come twice.
    fn restart(&mut self) -> io::Result<()> {
        self.in_doubt = false;
        let segments = self.segments()?;
        let seq = self.place.seq;
        let home = segments.iter().rev().find(|segment| segment.first <= seq);
        match home.or(segments.first()) {
            Some(segment) => self.enter(segment),
            None => Ok(()),
        }
    }

    /// The whole lines at the place.
    fn lines(&self, bounds: Bounds, head: u64) -> io::Result<Vec<Line>> {
        let Some(file) = &self.file else {
            return Ok(Vec::new());
        };
        let mut size = bounds.bytes;
        let mut bytes = Bytes::new();
        // A line that is longer than a batch still comes, alone.
        while size <= LONGEST_LINE.max(bounds.bytes) {
            bytes = read_at(file, self.place.offset, size)?;
            if bytes.len() < size || memchr::memchr(b'\n', &bytes).is_some() {
                break;
            }
            size = size.saturating_mul(2);
        }
        if bytes.len() >= LONGEST_LINE && memchr::memchr(b'\n', &bytes).is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a line of the ledger has no end",
            ));
        }
        Ok(self.whole_lines(bytes, bounds.lines, head))
    }

    fn whole_lines(&self, mut bytes: Bytes, most: usize, head: u64) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        while lines.len() < most
            && let Some(end) = memchr::memchr(b'\n', &bytes)
        {
            let text = bytes.split_to(end);
            // The line end itself.
            let _ = bytes.split_to(1);
            let start = lines.last().map_or(&self.place, |line| &line.place);
            let line = Line::read(text, start);
            if line.place.seq > head {
                break;
            }
            lines.push(line);
        }
        lines
    }
}

/// At most `size` bytes of `file` from `offset` on; less only at its end.
fn read_at(file: &File, offset: u64, size: usize) -> io::Result<Bytes> {
    let left = file.metadata()?.len().saturating_sub(offset);
    let size = usize::try_from(left).unwrap_or(usize::MAX).min(size);
    let mut bytes = BytesMut::zeroed(size);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match file.read_at(rest, at) {
            Ok(0) => break,
            Ok(read) => filled = filled.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    bytes.truncate(filled);
    Ok(bytes.freeze())
}

/// Bytes. No record comes near it.
const LONGEST_LINE: usize = 16 << 20;

#[cfg(test)]
mod tests;
