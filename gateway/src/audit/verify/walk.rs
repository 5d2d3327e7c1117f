//! The walk along the chain: every link of it, every checkpoint in it. Goes on after a fault, so that all of them are named.

use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Fault, FaultKind, Report, Sealed};
use super::files::{Lines, Piece, Segment};
use super::line::{Line, Tombstone};
use super::note::{Keyring, Note, shown_id};
use super::outside::Outside;
use crate::model::Digest;

/// Where the walk begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// At the first record that is there.
    First,
    /// Later: what is before was left out on purpose.
    Later,
}

/// The state between two records.
#[derive(Debug)]
pub(crate) struct Walk {
    pub(crate) report: Report,
    keyring: Keyring,
    outside: Outside,
    beginning: Beginning,
    file: PathBuf,
    line: u64,
    /// The number and the hash of the last record in order.
    before: Option<(u64, Digest)>,
    /// The number and the hash of what comes before the first record.
    base: Option<(u64, Digest)>,
    /// Lines since then that cannot be read.
    unreadable: u64,
    time: String,
}

impl Walk {
    pub(crate) fn new(
        keyring: Keyring,
        outside: Outside,
        beginning: Beginning,
        report: Report,
    ) -> Self {
        Self {
            report,
            keyring,
            outside,
            beginning,
            file: PathBuf::new(),
            line: 0,
            before: None,
            base: None,
            unreadable: 0,
            time: String::new(),
        }
    }

    /// Walks through one file.
    pub(crate) fn segment(&mut self, segment: &Segment) -> io::Result<()> {
        let mut lines = match Lines::open(&segment.path, u64::MAX) {
            Ok(lines) => lines,
            // Retention may have come first.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.before.is_none() => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.file.clone_from(&segment.path);
        self.line = 0;
        self.report.segments = self.report.segments.saturating_add(1);
        let mut buffer = Vec::new();
        loop {
            let piece = lines.next(&mut buffer)?;
            self.line = lines.number;
            match piece {
                Piece::End => break,
                Piece::Whole => self.record(&buffer, segment.first)?,
                Piece::TooLong => self.no_record("a longer line than there can be"),
                // It is being written, or the disk took no more of it. Nothing follows from it.
                Piece::Rest => self.report.torn = self.report.torn.saturating_add(1),
            }
        }
        Ok(())
    }

    fn no_record(&mut self, found: &str) {
        self.report.records = self.report.records.saturating_add(1);
        self.report.altered = self.report.altered.saturating_add(1);
        self.unreadable = self.unreadable.saturating_add(1);
        let seq = self
            .before
            .map(|(seq, _)| seq.saturating_add(self.unreadable));
        self.fault(FaultKind::NotARecord, seq, ("a record", found));
    }

    fn record(&mut self, bytes: &[u8], first: u64) -> io::Result<()> {
        let Some(line) = Line::parse(bytes) else {
            self.no_record(&format!("{} other bytes", bytes.len()));
            return Ok(());
        };
        let seq = line.facts.seq;
        self.report.records = self.report.records.saturating_add(1);
        if self.line == 1 {
            self.first_of_file(&line, first);
        }
        if line.hash != line.real {
            self.report.altered = self.report.altered.saturating_add(1);
            let told = (line.hash.to_string(), line.real.to_string());
            self.fault(FaultKind::Altered, Some(seq), (&told.0, &told.1));
        }
        if self.before.is_none() {
            self.begin(seq, line.prev)?;
        }
        if !self.follows(&line) {
            return Ok(());
        }
        self.unreadable = 0;
        self.before = Some((seq, line.hash));
        self.report.last = Some(seq);
        self.look_at(&line);
        self.outside
            .compare((seq, line.hash), &self.keyring, &mut self.report)
    }

    /// The first line that can be read; unreadable ones before it were records too.
    fn begin(&mut self, seq: u64, prev: Digest) -> io::Result<()> {
        let first = seq.saturating_sub(self.unreadable);
        self.report.first = Some(first);
        let base = (first.saturating_sub(1), prev);
        if self.unreadable == 0 {
            self.base = Some(base);
            self.outside
                .compare(base, &self.keyring, &mut self.report)?;
        }
        if first == 1 && self.unreadable == 0 && prev != ZEROS {
            let found = prev.to_string();
            self.fault(FaultKind::Unlinked, Some(seq), (&ZEROS.to_string(), &found));
        }
        Ok(())
    }

    fn first_of_file(&mut self, line: &Line<'_>, first: u64) {
        let named = line.facts.segment.as_ref().map(|segment| segment.first);
        let is_good = line.is_lifecycle(SEGMENT) && named == Some(first) && line.facts.seq == first;
        if !is_good {
            let expected = format!("the segment of record {first}");
            let found = format!("record {}", line.facts.seq);
            self.fault(
                FaultKind::BadSegment,
                Some(line.facts.seq),
                (&expected, &found),
            );
        }
    }

    /// Whether the record stands where it should or, after a gap, at least later than the one before.
    fn follows(&mut self, line: &Line<'_>) -> bool {
        let Some((before, hash)) = self.before else {
            return true;
        };
        let seq = line.facts.seq;
        let expected = before.saturating_add(1).saturating_add(self.unreadable);
        if seq < expected {
            let told = (expected.to_string(), seq.to_string());
            self.fault(FaultKind::OutOfOrder, Some(seq), (&told.0, &told.1));
            return false;
        }
        if seq > expected {
            let missing = seq.saturating_sub(expected);
            self.report.gaps = self.report.gaps.saturating_add(1);
            self.report.missing = self.report.missing.saturating_add(missing);
            let told = (expected.to_string(), seq.to_string());
            self.fault(FaultKind::Missing, Some(expected), (&told.0, &told.1));
        } else if self.unreadable == 0 && line.prev != hash {
            let told = (hash.to_string(), line.prev.to_string());
            self.fault(FaultKind::Unlinked, Some(seq), (&told.0, &told.1));
        }
        true
    }

    fn look_at(&mut self, line: &Line<'_>) {
        if *line.facts.timestamp < *self.time {
            self.report.clock_steps = self.report.clock_steps.saturating_add(1);
        }
        self.time.clear();
        self.time.push_str(&line.facts.timestamp);
        if line.is_lifecycle(RECOVERED) {
            self.report.recovered = self.report.recovered.saturating_add(1);
        }
        if line.facts.kind != "checkpoint" {
            return;
        }
        match (&line.facts.checkpoint, &line.facts.tombstone) {
            (Some(checkpoint), None) => drop(self.seal(line, &checkpoint.note)),
            (None, Some(tombstone)) => self.bury(line, tombstone),
            (Some(_), Some(_)) | (None, None) => {
                self.fault(
                    FaultKind::BadNote,
                    Some(line.facts.seq),
                    ("one note", "none"),
                );
            }
        }
    }

    /// Judges the note of record `line`. It counts when a known key signed exactly what stands before it.
    fn seal(&mut self, line: &Line<'_>, note: &str) -> Option<Note> {
        let seq = line.facts.seq;
        let Some(note) = Note::parse(note) else {
            self.fault(
                FaultKind::BadNote,
                Some(seq),
                ("a signed note", "another text"),
            );
            return None;
        };
        let key = match self.keyring.advance(&note) {
            Ok(key) => shown_id(key),
            Err(kind) => {
                self.fault(kind, Some(seq), (EXPECTED_KEY, &note.signers()));
                return None;
            }
        };
        if note.size != seq.saturating_sub(1) {
            let told = (seq.saturating_sub(1).to_string(), note.size.to_string());
            self.fault(FaultKind::WrongSize, Some(seq), (&told.0, &told.1));
            return None;
        }
        if note.head != line.prev {
            let since = self
                .report
                .last_checkpoint
                .as_ref()
                .map_or(0, |last| last.seq);
            let expected = format!("{} (records after {since} were replaced)", note.head);
            let found = line.prev.to_string();
            self.fault(FaultKind::WrongHead, Some(seq), (&expected, &found));
            return None;
        }
        self.report.checkpoints = self.report.checkpoints.saturating_add(1);
        self.report.last_checkpoint = Some(Sealed {
            seq: note.size,
            time: note.time.clone(),
            key,
        });
        Some(note)
    }

    fn bury(&mut self, line: &Line<'_>, tombstone: &Tombstone<'_>) {
        let Some(note) = self.seal(line, &tombstone.note) else {
            return;
        };
        let range = (tombstone.first, tombstone.last);
        if note.deleted != Some(range) {
            let expected = format!("{}-{} under a signature", range.0, range.1);
            self.fault(
                FaultKind::BadNote,
                Some(line.facts.seq),
                (&expected, "another range"),
            );
            return;
        }
        let head = Digest::from_hex(&tombstone.head);
        if self
            .base
            .is_some_and(|(last, hash)| last == range.1 && Some(hash) == head)
        {
            self.report.deleted_to = Some(range.1);
        }
    }

    /// What can only be said at the end.
    pub(crate) fn end(mut self) -> io::Result<Report> {
        let sealed = self.report.last_checkpoint.as_ref().map(|last| last.seq);
        let last = self.report.last.unwrap_or(0);
        // The record with the checkpoint is one of those that it does not cover.
        let covered = sealed.map_or(0, |seq| seq.saturating_add(1));
        self.report.unsealed = last.saturating_sub(covered);
        if sealed.is_none() {
            self.line = 0;
            self.fault(FaultKind::Unsigned, None, ("a signed checkpoint", "none"));
        }
        let first = self.report.first.unwrap_or(1);
        if self.beginning == Beginning::First && first > 1 && self.report.deleted_to.is_none() {
            let expected = format!(
                "records 1 to {}, or their tombstone",
                first.saturating_sub(1)
            );
            self.line = 0;
            self.fault(FaultKind::NoTombstone, Some(first), (&expected, "neither"));
        }
        self.outside
            .end((last, sealed.unwrap_or(0)), &self.keyring, &mut self.report)?;
        Ok(self.report)
    }

    fn fault(&mut self, kind: FaultKind, seq: Option<u64>, (expected, found): (&str, &str)) {
        let file: &Path = &self.file;
        self.report.add(Fault {
            kind,
            file: file.to_path_buf(),
            line: self.line,
            seq,
            expected: expected.to_owned(),
            found: found.to_owned(),
        });
    }
}

const ZEROS: Digest = Digest::from_bytes([0; 32]);
const SEGMENT: &str = "ledger/segment";
const RECOVERED: &str = "ledger/recovered";
const EXPECTED_KEY: &str = "a signature of the key in force";
