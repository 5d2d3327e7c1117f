//! Checkpoints: what the chain was at a moment, signed (C2SP tlog-checkpoint). Written to a second place too, so that an
//! end that is cut off and an old copy show. Never says anything about records that were not written.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::oneshot;

use super::keys::{CheckpointKey, KeyError, KeyFiles};
use super::sealing::{Head, Note, Occasion};
use super::second_place::SecondPlace;
use super::settings::CheckpointSettings;
use crate::model::UnixTime;

/// Signs checkpoints when they are due. The writer's thread owns it.
#[derive(Debug)]
pub(crate) struct Signer {
    key: CheckpointKey,
    /// The key that is to replace it, until the ledger has the note that says so.
    next: Option<CheckpointKey>,
    /// The last note says so.
    is_announced: bool,
    /// The key that signs is not yet the one in the key file.
    is_renaming: bool,
    asked: Option<Asked>,
    files: KeyFiles,
    second_place: SecondPlace,
    every: u64,
    interval: Duration,
    last: Option<Last>,
    shared: Arc<Shared>,
}

/// The checkpoint that was signed last.
#[derive(Debug)]
struct Last {
    seq: u64,
    time: UnixTime,
    note: String,
}

/// What the rest of the gateway sees of the signer.
#[derive(Debug, Clone, Default)]
pub struct Checkpoints(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Milliseconds since 1970; 0 for never.
    last: AtomicU64,
    wanted: Mutex<Option<Asked>>,
}

/// Who waits for a new key.
type Asked = oneshot::Sender<Result<String, KeyError>>;

impl Checkpoints {
    /// When the last checkpoint was signed that is in its second place too.
    pub fn last(&self) -> Option<UnixTime> {
        let last = self.0.last.load(Ordering::Relaxed);
        (last > 0).then(|| UnixTime::from_millis(last))
    }

    /// Asks for a new key. It is made with the next record that is written; the answer is its public half, once the
    /// ledger has a checkpoint that both keys signed. Who asked before is told nothing any more, and who does not wait for
    /// the answer gets no key.
    pub fn rotate(&self) -> oneshot::Receiver<Result<String, KeyError>> {
        let (sender, receiver) = oneshot::channel();
        *self.0.wanted() = Some(sender);
        receiver
    }
}

impl Shared {
    fn wanted(&self) -> MutexGuard<'_, Option<Asked>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Signer {
    /// Opens the key, or makes the first one.
    ///
    /// # Errors
    /// [`KeyError`].
    pub(crate) fn open(settings: &CheckpointSettings) -> Result<Self, KeyError> {
        let files = KeyFiles::of(settings);
        let (key, next) = files.open(settings.origin.as_deref())?;
        let second_place = SecondPlace::new(settings.copy.clone(), key.name());
        Ok(Self {
            key,
            next,
            is_announced: false,
            is_renaming: false,
            asked: None,
            files,
            second_place,
            every: settings.every,
            interval: settings.interval,
            last: None,
            shared: Arc::default(),
        })
    }

    /// The view of it for the rest of the gateway.
    pub(crate) fn checkpoints(&self) -> Checkpoints {
        Checkpoints(Arc::clone(&self.shared))
    }

    /// A note about everything up to `head`, if `occasion` calls for one.
    pub(crate) fn seal(&mut self, head: Head, now: UnixTime, occasion: Occasion) -> Option<Note> {
        if self.is_renaming {
            self.is_renaming = self.files.replace().is_err();
        }
        if self.second_place.retry() {
            self.tell();
        }
        let wanted = self
            .shared
            .wanted()
            .take()
            .filter(|asked| !asked.is_closed());
        if let Some(asked) = wanted {
            self.succeed(asked);
        }
        if head.seq == 0 || !(self.next.is_some() || self.is_due(head, now, occasion)) {
            return None;
        }
        // The ledger could not take it: it is asked for until it can.
        let again = self.last.as_ref().filter(|last| {
            occasion == Occasion::End && last.seq == head.seq && self.next.is_none()
        });
        if let Some(last) = again {
            return Some(Note(last.note.clone()));
        }
        let note = self.sign(head, now, occasion);
        self.last = Some(Last {
            seq: head.seq,
            time: now,
            note: note.clone(),
        });
        if self.second_place.write(&note) {
            self.tell();
        }
        Some(Note(note))
    }

    /// The ledger has the note that was given last.
    pub(crate) fn kept(&mut self) {
        if !std::mem::take(&mut self.is_announced) {
            return;
        }
        let Some(next) = self.next.take() else {
            return;
        };
        self.key = next;
        self.is_renaming = self.files.replace().is_err();
        if let Some(asked) = self.asked.take() {
            // Who asked may have gone.
            let _ = asked.send(Ok(self.key.public_text()));
        }
    }

    /// Makes the next key, unless there is one that waits to be announced.
    fn succeed(&mut self, asked: Asked) {
        if self.next.is_none() {
            match self.files.successor(&self.key) {
                Ok(next) => self.next = Some(next),
                Err(error) => {
                    let _ = asked.send(Err(error));
                    return;
                }
            }
        }
        self.asked = Some(asked);
    }

    fn sign(&mut self, head: Head, now: UnixTime, occasion: Occasion) -> String {
        let hash = STANDARD.encode(head.hash.as_bytes());
        let mut text = format!("{}\n{}\n{hash}\ntime {now}\n", self.key.name(), head.seq);
        // Writing to memory cannot fail.
        match occasion {
            Occasion::Deletion { first, last } => drop(writeln!(text, "deleted {first}-{last}")),
            Occasion::Passing | Occasion::End => {}
        }
        let Some(next) = &self.next else {
            return signed(&text, &[&self.key]);
        };
        let _ = writeln!(text, "next-key {}", next.public_text());
        self.is_announced = true;
        signed(&text, &[&self.key, next])
    }

    fn is_due(&self, head: Head, now: UnixTime, occasion: Occasion) -> bool {
        match occasion {
            Occasion::End | Occasion::Deletion { .. } => true,
            Occasion::Passing => self.last.as_ref().is_none_or(|last| {
                // The record with the checkpoint itself calls for no other.
                let new = head.seq.saturating_sub(last.seq.saturating_add(1));
                new >= self.every || (new > 0 && now.since(last.time) >= self.interval)
            }),
        }
    }

    fn tell(&self) {
        if let Some(last) = &self.last {
            self.shared
                .last
                .store(last.time.millis(), Ordering::Relaxed);
        }
    }
}

fn signed(text: &str, keys: &[&CheckpointKey]) -> String {
    let signatures: String = keys.iter().map(|key| key.signature(text)).collect();
    format!("{text}\n{signatures}")
}

#[cfg(test)]
mod tests;
