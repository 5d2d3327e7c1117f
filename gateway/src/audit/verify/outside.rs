//! Checkpoints from outside the ledger: the second place that the gateway writes them to, and those that somebody kept.
//! Read beside the ledger in the same order, so that no number of them fills the memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::fault::{Fault, FaultKind, Report};
use super::files::{Lines, Piece};
use super::note::{Keyring, Note};
use crate::model::Digest;

/// Where in which file a note was found.
#[derive(Debug, Clone)]
struct Found {
    note: Note,
    file: PathBuf,
    line: u64,
}

/// All checkpoints from outside.
#[derive(Debug)]
pub(crate) struct Outside {
    second: Option<Second>,
    kept: BTreeMap<u64, Vec<Found>>,
}

#[derive(Debug)]
struct Second {
    notes: Notes,
    next: Option<Found>,
    /// The most records that one of them covers.
    reached: u64,
}

impl Outside {
    /// Opens the second place as long as it is now: whatever it holds is in the ledger already.
    pub(crate) fn open(
        second: Option<&Path>,
        kept: &[PathBuf],
        report: &mut Report,
    ) -> io::Result<Self> {
        let mut all = Self {
            second: None,
            kept: BTreeMap::new(),
        };
        for file in kept {
            let mut notes = Notes::open(file, u64::MAX)?;
            while let Some(found) = notes.next(Torn::IsANote, report)? {
                all.kept.entry(found.note.size).or_default().push(found);
            }
        }
        let Some(path) = second else {
            return Ok(all);
        };
        match File::open(path).and_then(|file| file.metadata()) {
            Ok(metadata) => {
                let notes = Notes::open(path, metadata.len())?;
                let mut second = Second {
                    notes,
                    next: None,
                    reached: 0,
                };
                second.next = second.notes.next(Torn::IsBeingWritten, report)?;
                all.second = Some(second);
            }
            Err(error) => report.add(fault(
                FaultKind::SecondPlace,
                (path, 0),
                None,
                ("checkpoints".to_owned(), error.to_string()),
            )),
        }
        Ok(all)
    }

    /// Compares everything that is about record `seq`, whose hash is `hash`, with it.
    pub(crate) fn compare(
        &mut self,
        (seq, hash): (u64, Digest),
        keyring: &Keyring,
        report: &mut Report,
    ) -> io::Result<()> {
        for found in self.kept.remove(&seq).unwrap_or_default() {
            found.compare(hash, keyring, report);
        }
        let Some(second) = &mut self.second else {
            return Ok(());
        };
        while let Some(found) = second.next.take_if(|found| found.note.size <= seq) {
            if found.note.size < second.reached {
                let expected = format!("a checkpoint of {} records or more", second.reached);
                let place = (found.file.as_path(), found.line);
                let told = (expected, format!("one of {}", found.note.size));
                report.add(fault(
                    FaultKind::SecondPlace,
                    place,
                    Some(found.note.size),
                    told,
                ));
            } else if found.note.size == seq {
                found.compare(hash, keyring, report);
            }
            second.reached = second.reached.max(found.note.size);
            second.next = second.notes.next(Torn::IsBeingWritten, report)?;
        }
        Ok(())
    }

    /// Whatever is left covers records that the ledger does not have; `last` is its last, `sealed` the last one with a
    /// checkpoint in the ledger.
    pub(crate) fn end(
        mut self,
        (last, sealed): (u64, u64),
        keyring: &Keyring,
        report: &mut Report,
    ) -> io::Result<()> {
        let older = self
            .kept
            .range(..=last)
            .map(|(_, found)| found.len() as u64);
        report.too_old = older.sum();
        let mut beyond: Vec<Found> = self.kept.into_values().flatten().collect();
        beyond.retain(|found| found.note.size > last);
        if let Some(mut second) = self.second.take() {
            beyond.extend(
                second
                    .furthest(report)?
                    .filter(|found| found.note.size > last),
            );
            second.finish(report)?;
            if second.reached < sealed {
                let told = (
                    format!("a checkpoint of {sealed} records, as the ledger has it"),
                    format!("none beyond {}", second.reached),
                );
                report.add(fault(
                    FaultKind::SecondPlace,
                    (&second.notes.file, 0),
                    None,
                    told,
                ));
            }
        }
        for found in beyond {
            if let Err(kind) = keyring.signer(&found.note) {
                found.bad(kind, report);
                continue;
            }
            let place = (found.file.as_path(), found.line);
            let told = (
                format!("{} records, as a signed checkpoint says", found.note.size),
                last.to_string(),
            );
            report.add(fault(FaultKind::Truncated, place, Some(last), told));
        }
        Ok(())
    }
}

impl Second {
    /// The one that covers most of those that were there when the reading began.
    fn furthest(&mut self, report: &mut Report) -> io::Result<Option<Found>> {
        let mut furthest: Option<Found> = None;
        while let Some(found) = self.next.take() {
            self.reached = self.reached.max(found.note.size);
            if furthest
                .as_ref()
                .is_none_or(|most| most.note.size < found.note.size)
            {
                furthest = Some(found);
            }
            self.next = self.notes.next(Torn::IsBeingWritten, report)?;
        }
        Ok(furthest)
    }

    /// What was added while the ledger was read may be about records that were added too.
    fn finish(&mut self, report: &mut Report) -> io::Result<()> {
        self.notes.lines.unlimited();
        while let Some(found) = self.notes.next(Torn::IsBeingWritten, report)? {
            self.reached = self.reached.max(found.note.size);
        }
        Ok(())
    }
}

impl Found {
    fn compare(&self, hash: Digest, keyring: &Keyring, report: &mut Report) {
        match keyring.signer(&self.note) {
            Err(kind) => self.bad(kind, report),
            Ok(_) if self.note.head == hash => report.compared = report.compared.saturating_add(1),
            Ok(_) => {
                let told = (self.note.head.to_string(), hash.to_string());
                let place = (self.file.as_path(), self.line);
                report.add(fault(FaultKind::Forked, place, Some(self.note.size), told));
            }
        }
    }

    fn bad(&self, kind: FaultKind, report: &mut Report) {
        let told = (
            "a checkpoint of a known key".to_owned(),
            format!("one of {}", self.note.signers()),
        );
        let place = (self.file.as_path(), self.line);
        report.add(fault(kind, place, Some(self.note.size), told));
    }
}

/// What a note without an empty line behind it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Torn {
    /// The last of its file.
    IsANote,
    /// Not finished yet.
    IsBeingWritten,
}

/// The notes of a file, each with an empty line behind it.
#[derive(Debug)]
struct Notes {
    lines: Lines,
    file: PathBuf,
    buffer: Vec<u8>,
    /// What was read of a note that is not whole yet.
    text: String,
}

impl Notes {
    fn open(path: &Path, limit: u64) -> io::Result<Self> {
        Ok(Self {
            lines: Lines::open(path, limit)?,
            file: path.to_path_buf(),
            buffer: Vec::new(),
            text: String::new(),
        })
    }

    /// The next note that can be read; the others are faults.
    fn next(&mut self, torn: Torn, report: &mut Report) -> io::Result<Option<Found>> {
        loop {
            let is_over = !self.gather()?;
            if self.text.is_empty() || (is_over && torn == Torn::IsBeingWritten) {
                return Ok(None);
            }
            let text = std::mem::take(&mut self.text);
            let line = self
                .lines
                .number
                .saturating_sub(text.lines().count() as u64);
            let line = if is_over {
                line.saturating_add(1)
            } else {
                line
            };
            if let Some(note) = Note::parse(&text) {
                return Ok(Some(Found {
                    note,
                    file: self.file.clone(),
                    line,
                }));
            }
            let told = ("a signed note".to_owned(), "none".to_owned());
            report.add(fault(FaultKind::BadNote, (&self.file, line), None, told));
        }
    }

    /// Reads to the end of a note. Is it whole?
    fn gather(&mut self) -> io::Result<bool> {
        loop {
            let piece = self.lines.next(&mut self.buffer)?;
            match piece {
                Piece::End => return Ok(false),
                Piece::Whole | Piece::Rest | Piece::TooLong => {}
            }
            if self.buffer.is_empty() && self.text.contains("\n\n") {
                return Ok(true);
            }
            if self.buffer.is_empty() && self.text.is_empty() {
                continue;
            }
            self.text.push_str(&String::from_utf8_lossy(&self.buffer));
            if piece == Piece::Rest {
                return Ok(false);
            }
            self.text.push('\n');
            // More than a note can be is none; what follows may be one.
            if self.text.len() > LONGEST {
                return Ok(true);
            }
        }
    }
}

fn fault(
    kind: FaultKind,
    (file, line): (&Path, u64),
    seq: Option<u64>,
    (expected, found): (String, String),
) -> Fault {
    Fault {
        kind,
        file: file.to_path_buf(),
        line,
        seq,
        expected,
        found,
    }
}

/// No note is nearly as long, in bytes.
const LONGEST: usize = 32 << 10;
