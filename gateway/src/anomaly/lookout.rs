//! The way from requests to who watches them: bounded, and it never waits. What finds no room is counted and gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::decision::Request;
use crate::identity::Principal;
use crate::model::{Digest, Reason};

/// Something that was seen.
#[derive(Debug)]
pub enum Observation {
    /// A request of a principal was decided.
    Decided(Decided),
    /// A token was presented after its end.
    Ended(Ended),
}

/// A request of a principal that was decided.
#[derive(Debug)]
pub struct Decided {
    /// The request.
    pub request: Request,
    /// Whose it is.
    pub principal: Arc<Principal>,
    /// The digest of its token.
    pub token: Option<Digest>,
    /// The tool that it calls.
    pub tool: Option<Box<str>>,
    /// Why it was refused, if it was.
    pub refusal: Option<Reason>,
}

/// A token that was presented after its end. Whose it is, only an earlier use of it can prove.
#[derive(Debug)]
pub struct Ended {
    /// The request.
    pub request: Request,
    /// The digest of the token.
    pub token: Digest,
}

/// Takes what requests tell.
#[derive(Debug)]
pub struct Lookout {
    sender: mpsc::Sender<Observation>,
    dropped: AtomicU64,
}

impl Lookout {
    /// A lookout, and what it is told.
    pub fn new() -> (Self, mpsc::Receiver<Observation>) {
        let (sender, receiver) = mpsc::channel(ROOM);
        let lookout = Self {
            sender,
            dropped: AtomicU64::new(0),
        };
        (lookout, receiver)
    }

    /// Tells of `observation`, if there is room.
    pub fn tell(&self, observation: Observation) {
        if self.sender.try_send(observation).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How much found no room.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Observations that wait.
const ROOM: usize = 8192;
