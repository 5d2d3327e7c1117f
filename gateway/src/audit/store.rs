//! The chain on the disk: which segment it is in, when that ends, and where it goes on. Never acknowledges what is not
//! where `durability` wants it, never gives a number twice.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use tokio::sync::watch;

use super::batch::Failure;
use super::chain;
use super::line::{Line, Lines};
use super::notice::{Disturbed, Lapsed, Mode, Notice, Speaker};
use super::outage::{Lapse, Outage};
use super::place::Places;
use super::recovery::End;
use super::retention::{self, Doomed};
use super::sealing::{Head, Note, Occasion, Sealer};
use super::segment::Segment;
use super::segments::Segments;
use super::settings::LedgerSettings;

/// What the writer's thread has.
#[derive(Debug)]
pub(super) struct Store {
    settings: LedgerSettings,
    speaker: Speaker,
    sealer: Sealer,
    places: Places,
    head: Head,
    segment: Option<Segment>,
    /// Whether the segment has records about requests.
    is_used: bool,
    /// What must be on record before anything else.
    untold: Vec<Notice>,
    written: watch::Sender<Head>,
    buffer: Vec<u8>,
    /// When retention was last looked at; never since the segment began.
    swept: Option<Instant>,
}

impl Store {
    /// A store that goes on behind `end`, with a segment of its own.
    ///
    /// # Errors
    /// The segment cannot be made.
    pub(super) fn start(
        settings: LedgerSettings,
        (speaker, sealer): (Speaker, Sealer),
        end: End,
        is_away: Arc<AtomicBool>,
    ) -> io::Result<Self> {
        let mut store = Self {
            places: Places::new(&settings, is_away),
            settings,
            speaker,
            sealer,
            head: end.head,
            segment: None,
            is_used: false,
            untold: end.recovered.map(Notice::Recovered).into_iter().collect(),
            written: watch::channel(end.head).0,
            buffer: Vec::new(),
            swept: None,
        };
        store.prepare()?;
        Ok(store)
    }

    /// Who wants to know what is written.
    pub(super) fn watchers(&self) -> watch::Sender<Head> {
        self.written.clone()
    }

    /// Writes `lines` as the next records. After an error none of them counts, and the same lines must come again.
    pub(super) fn write(&mut self, lines: &Lines) -> io::Result<()> {
        self.return_home();
        if self.places.is_overdue() {
            return Err(io::ErrorKind::QuotaExceeded.into());
        }
        match self.attempt(lines) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.spill(&error)?;
                self.attempt(lines)
            }
        }
    }

    /// What is due when records were written: a checkpoint, once in a while what retention asks for. What fails here
    /// fails again, and is told, with the next record.
    pub(super) fn attend(&mut self) {
        let _ = self.seal(Occasion::Passing);
        let is_recent = |swept: Instant| swept.elapsed() < retention::PAUSE;
        if !self.swept.is_some_and(is_recent) {
            self.swept = Some(Instant::now());
            let _ = self.sweep();
        }
    }

    /// What is due when no records come: the same, and the end of a segment that is old or not there any more.
    ///
    /// # Errors
    /// The next record could not be written.
    pub(super) fn idle(&mut self) -> io::Result<()> {
        self.return_home();
        match self.prepare() {
            Ok(()) => {}
            Err(error) => {
                self.spill(&error)?;
                self.prepare()?;
            }
        }
        self.attend();
        Ok(())
    }

    /// Puts on record what an outage let pass. Without a disk for it, it stands before the next record.
    pub(super) fn tell_of(&mut self, outage: Option<Outage>) {
        if let Some(lapse) = outage.and_then(|outage| outage.end()) {
            self.untold.push(continued(lapse));
            let _ = self.prepare();
        }
    }

    /// Ends the segment in order and brings it to the disk.
    pub(super) fn close(&mut self) {
        let _ = self.end_segment();
    }

    fn attempt(&mut self, lines: &Lines) -> io::Result<()> {
        self.prepare()?;
        let mut head = self.head;
        self.buffer.clear();
        for line in lines.iter() {
            chain::link(&mut head, line, &mut self.buffer);
        }
        self.put(head)?;
        self.is_used = true;
        Ok(())
    }

    /// Sees to it that there is a segment for the next record, and that all is told that comes before it.
    fn prepare(&mut self) -> io::Result<()> {
        if let Some(segment) = &self.segment {
            if let Some((found, bytes)) = segment.disturbance() {
                let name = segment.path().file_name().unwrap_or_default();
                self.untold.push(Notice::Disturbed(Disturbed {
                    file: name.to_string_lossy().into_owned(),
                    found,
                    expected_bytes: segment.len(),
                    bytes,
                }));
                self.segment = None;
            } else if self.is_full(segment) {
                self.end_segment()?;
            }
        }
        if self.segment.is_none() {
            self.begin_segment()?;
        }
        while let Some(notice) = self.untold.first().cloned() {
            self.tell(&notice)?;
            self.untold.remove(0);
        }
        Ok(())
    }

    fn is_full(&self, segment: &Segment) -> bool {
        let age = self.speaker.now().since(segment.born());
        segment.len() >= self.settings.segment.size
            || (self.is_used && age >= self.settings.segment.age)
    }

    fn begin_segment(&mut self) -> io::Result<()> {
        let first = self.head.seq.saturating_add(1);
        let path = Segments::path(self.places.directory(), first);
        self.segment = Some(Segment::create(path.clone(), self.speaker.now())?);
        self.is_used = false;
        self.swept = None;
        if let Err(error) = self.tell(&Notice::Segment { first }) {
            self.segment = None;
            // Without its first record it is none, and its name is wanted.
            let _ = std::fs::remove_file(path);
            return Err(error);
        }
        Ok(())
    }

    fn end_segment(&mut self) -> io::Result<()> {
        self.seal(Occasion::End)?;
        if let Some(segment) = self.segment.take() {
            segment.sync()?;
        }
        Ok(())
    }

    fn seal(&mut self, occasion: Occasion) -> io::Result<()> {
        if let Some(note) = self.note(occasion) {
            self.tell(&Notice::Checkpoint { note })?;
            self.sealer.kept();
        }
        Ok(())
    }

    fn note(&mut self, occasion: Occasion) -> Option<Note> {
        self.sealer.seal(self.head, self.speaker.now(), occasion)
    }

    fn tell(&mut self, notice: &Notice) -> io::Result<()> {
        let line = self.speaker.line(notice).map_err(io::Error::other)?;
        self.put_line(&line)
    }

    fn put_line(&mut self, line: &Line) -> io::Result<()> {
        let mut head = self.head;
        self.buffer.clear();
        chain::link(&mut head, line.open(), &mut self.buffer);
        self.put(head)
    }

    /// Writes what is in the buffer; the chain ends with `head` then.
    fn put(&mut self, head: Head) -> io::Result<()> {
        let Some(segment) = &mut self.segment else {
            return Err(io::ErrorKind::NotFound.into());
        };
        segment.write(&self.buffer, self.settings.durability)?;
        self.buffer.shrink_to(KEPT);
        self.head = head;
        self.written.send_replace(head);
        Ok(())
    }

    /// Goes on elsewhere, if there is an elsewhere and its time is not over.
    fn spill(&mut self, error: &io::Error) -> io::Result<()> {
        let unfinished = self.segment.take();
        if let Err(unfinished) = self.places.leave_home(unfinished) {
            self.segment = unfinished;
            return Err(error.kind().into());
        }
        self.untold.push(Notice::Lapsed(Lapsed {
            mode: Mode::Spill,
            cause: error.kind().to_string(),
            duration_ms: 0,
            passed: 0,
            lost: 0,
        }));
        Ok(())
    }

    fn return_home(&mut self) {
        if self.places.may_return() {
            let _ = self.end_segment();
            self.segment = None;
            self.places.return_home();
        }
    }

    /// Deletes the oldest segments that are past their time, each after a signed record of it.
    fn sweep(&mut self) -> io::Result<()> {
        let Some(kept_for) = self.settings.retention else {
            return Ok(());
        };
        let before = self.speaker.now();
        while let Some(doomed) = retention::oldest(&self.settings, kept_for, before)? {
            let Doomed { first, last, .. } = doomed;
            let Some(note) = self.note(Occasion::Deletion { first, last }) else {
                // Without a signature nobody could tell this from a theft.
                return Ok(());
            };
            self.tell(&doomed.tombstone(note))?;
            self.sealer.kept();
            doomed.delete()?;
        }
        Ok(())
    }
}

fn continued(lapse: Lapse) -> Notice {
    Notice::Lapsed(Lapsed {
        mode: Mode::Continue,
        cause: match lapse.cause {
            Failure::Write(kind) => kind.to_string(),
            Failure::TimedOut => "timed out".to_owned(),
            Failure::Closed => "closed".to_owned(),
        },
        duration_ms: u64::try_from(lapse.lasted.as_millis()).unwrap_or(u64::MAX),
        passed: lapse.passed,
        lost: lapse.lost,
    })
}

/// How much memory for lines is kept from one write to the next.
pub(super) const KEPT: usize = 1 << 20;
