//! Checkpoints: what the chain was at a moment, signed (C2SP tlog-checkpoint). Written to a second place too, so that an
//! end that is cut off and an old copy show. Never says anything about records that were not written.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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
    /// The key that is to replace it.
    next: Option<CheckpointKey>,
    /// The key that signs is not yet the one in the key file.
    is_renaming: bool,
    files: KeyFiles,
    second_place: SecondPlace,
    every: u64,
    interval: Duration,
    last: Option<(u64, UnixTime)>,
    shared: Arc<Shared>,
}

/// What the rest of the gateway sees of the signer.
#[derive(Debug, Clone, Default)]
pub struct Checkpoints(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Milliseconds since 1970; 0 for never.
    last: AtomicU64,
    wanted: Mutex<Option<oneshot::Sender<Result<String, KeyError>>>>,
}

impl Checkpoints {
    /// When the last checkpoint was signed that is in its second place too.
    pub fn last(&self) -> Option<UnixTime> {
        let last = self.0.last.load(Ordering::Relaxed);
        (last > 0).then(|| UnixTime::from_millis(last))
    }

    /// Asks for a new key. It is made, and announced under both keys, with the next record that is written; the answer
    /// is its public half. Who asked before is told nothing any more.
    pub fn rotate(&self) -> oneshot::Receiver<Result<String, KeyError>> {
        let (sender, receiver) = oneshot::channel();
        *self.0.wanted() = Some(sender);
        receiver
    }
}

impl Shared {
    fn wanted(
        &self,
    ) -> std::sync::MutexGuard<'_, Option<oneshot::Sender<Result<String, KeyError>>>> {
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
            is_renaming: false,
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
        // The note that names the new key is in the ledger now.
        if self.is_renaming {
            self.is_renaming = self.files.replace().is_err();
        }
        if self.second_place.retry() {
            self.tell();
        }
        let asked = self.shared.wanted().take();
        let rotates = self.next.is_some() || asked.is_some();
        if head.seq == 0 || !(rotates || self.is_due(head, now, occasion)) {
            return None;
        }
        let mut text = format!(
            "{}\n{}\n{}\ntime {now}\n",
            self.key.name(),
            head.seq,
            STANDARD.encode(head.hash.as_bytes())
        );
        // Writing to memory cannot fail.
        match occasion {
            Occasion::Deletion { first, last } => drop(writeln!(text, "deleted {first}-{last}")),
            Occasion::Passing | Occasion::End => {}
        }
        let note = if rotates {
            self.rotate(text, asked)
        } else {
            signed(&text, &[&self.key])
        };
        self.last = Some((head.seq, now));
        if self.second_place.write(&note) {
            self.tell();
        }
        Some(Note(note))
    }

    fn is_due(&self, head: Head, now: UnixTime, occasion: Occasion) -> bool {
        match occasion {
            Occasion::End | Occasion::Deletion { .. } => true,
            Occasion::Passing => self.last.is_none_or(|(seq, time)| {
                // The record with the checkpoint itself calls for no other.
                let new = head.seq.saturating_sub(seq.saturating_add(1));
                new >= self.every || (new > 0 && now.since(time) >= self.interval)
            }),
        }
    }

    /// The note under both keys. When no new one can be made, it is like every other.
    fn rotate(
        &mut self,
        mut text: String,
        asked: Option<oneshot::Sender<Result<String, KeyError>>>,
    ) -> String {
        let next = match self.next.take() {
            Some(next) => Ok(next),
            None => self.files.successor(&self.key),
        };
        match next {
            Ok(next) => {
                let public = next.public_text();
                let _ = writeln!(text, "next-key {public}");
                let note = signed(&text, &[&self.key, &next]);
                self.key = next;
                self.is_renaming = true;
                answer(asked, Ok(public));
                note
            }
            Err(error) => {
                answer(asked, Err(error));
                signed(&text, &[&self.key])
            }
        }
    }

    fn tell(&self) {
        if let Some((_, time)) = self.last {
            self.shared.last.store(time.millis(), Ordering::Relaxed);
        }
    }
}

fn answer(
    asked: Option<oneshot::Sender<Result<String, KeyError>>>,
    answer: Result<String, KeyError>,
) {
    if let Some(asked) = asked {
        // Who asked may have gone.
        let _ = asked.send(answer);
    }
}

fn signed(text: &str, keys: &[&CheckpointKey]) -> String {
    let signatures: String = keys.iter().map(|key| key.signature(text)).collect();
    format!("{text}\n{signatures}")
}

#[cfg(test)]
mod tests;
