//! All sessions. Never more than there may be, and never one that its owner cannot be told from another's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::rand::SystemRandom;
use tokio::sync::mpsc::{Receiver, channel};

use super::id;
use super::one::{Parting, Session};
use crate::config::Limits;
use crate::model::{Digest, ServerName, UnixTime};
use crate::proxy::asker::Asker;
use crate::proxy::shelf::Shelf;

/// The sessions of the revisions before 2026-07-28.
pub struct Sessions {
    random: SystemRandom,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    shelf: Shelf<Arc<Session>>,
    /// By the names that servers have for them.
    known_as: HashMap<Digest, Digest>,
    /// Places of those that are about to be opened.
    reserved: usize,
}

/// Whose a session is.
pub(crate) enum Found {
    /// The asker's.
    Own(Arc<Session>),
    /// Somebody else's, or of other rights.
    Foreign,
    /// Nobody's.
    Nothing,
}

/// What is opened, by whom and when.
pub(crate) struct Opening<'a> {
    /// Who opens it.
    pub(crate) asker: &'a Asker,
    /// Where.
    pub(crate) server: &'a ServerName,
    /// The name that the server has for it.
    pub(crate) upstream: &'a [u8],
    /// How many there may be.
    pub(crate) limits: &'a Limits,
    /// When.
    pub(crate) now: UnixTime,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            random: SystemRandom::new(),
            table: Mutex::default(),
        }
    }
}

impl Sessions {
    /// Keeps a place for a session that is about to be opened; `None` when there is none left.
    pub(crate) fn reserve(self: &Arc<Self>, limits: &Limits, now: UnixTime) -> Option<Place> {
        let mut table = self.table();
        table.forget_idle(limits.session_idle, now);
        if table.shelf.len() + table.reserved >= limits.sessions as usize {
            return None;
        }
        table.reserved += 1;
        Some(Place(Some(Arc::clone(self))))
    }

    /// The session that a client calls `id`, used now.
    pub(crate) fn find(
        &self,
        id: &[u8],
        asker: &Asker,
        (idle, now): (Duration, UnixTime),
    ) -> Found {
        let Some(key) = id::key(id) else {
            return Found::Nothing;
        };
        let mut table = self.table();
        let Some(session) = table.shelf.look(&key) else {
            return Found::Nothing;
        };
        let is_of_this_policy = session.policy == asker.policy;
        let is_own = session.owner == asker.owner;
        if table.shelf.is_idle(&key, idle, now) {
            table.forget(&key);
            return Found::Nothing;
        }
        if !is_of_this_policy {
            return Found::Nothing;
        }
        if !is_own {
            return Found::Foreign;
        }
        let session = table.shelf.reach(&key, now);
        session.map_or(Found::Nothing, |session| Found::Own(Arc::clone(session)))
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &Session) {
        self.table().forget(&session.key);
    }

    /// Ends every session that was opened under another policy: what it was told then is not to be told on. They come out
    /// of what is returned when nothing is under way in them any more.
    pub fn keep_those_of(&self, policy: &Digest) -> Receiver<Parting> {
        let mut table = self.table();
        let gone = table.shelf.keep(|session| session.policy == *policy);
        // Each has a place in it.
        let (partings, left) = channel(gone.len().max(1));
        for session in gone {
            table.known_as.remove(&session.known_as);
            session.part(&partings);
        }
        left
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn forget(&mut self, key: &Digest) {
        let gone = self.shelf.take(key);
        self.strike(gone.as_ref());
    }

    fn forget_idle(&mut self, idle: Duration, now: UnixTime) {
        while let Some(gone) = self.shelf.take_idle(idle, now) {
            self.strike(Some(&gone));
        }
    }

    fn strike(&mut self, gone: Option<&Arc<Session>>) {
        if let Some(session) = gone {
            self.known_as.remove(&session.known_as);
        }
    }

    /// Makes room for one more of this person: the least used goes.
    fn make_room(&mut self, person: &Digest, most: u32) {
        while self.shelf.share(person) >= most as usize {
            let gone = self.shelf.take_least_of(person);
            self.strike(gone.as_ref());
        }
    }

    /// Whether the name that a server gives is free for this asker. A server that gives one name to two would let each
    /// hear what the other is told.
    fn is_free(&mut self, known_as: &Digest, asker: &Asker) -> bool {
        let Some(key) = self.known_as.get(known_as).copied() else {
            return true;
        };
        let is_own = self
            .shelf
            .look(&key)
            .is_none_or(|session| session.owner == asker.owner);
        if is_own {
            self.forget(&key);
        }
        is_own
    }
}

/// A place for one session; given back when it is dropped.
pub(crate) struct Place(Option<Arc<Sessions>>);

impl Place {
    /// Opens the session; with its name for the client. `None` when the server gave a name that is no name, or another's.
    pub(crate) fn open(mut self, opening: &Opening<'_>) -> Option<(String, Arc<Session>)> {
        let sessions = self.0.take()?;
        let name = id::fresh(&sessions.random);
        let mut table = sessions.table();
        table.reserved = table.reserved.saturating_sub(1);
        let name = name?;
        let key = id::key(name.as_bytes())?;
        let upstream = well_formed(opening.upstream)?;
        let asker = opening.asker;
        let known_as = Digest::of_framed(&[opening.server.as_str().as_bytes(), opening.upstream]);
        table.forget_idle(opening.limits.session_idle, opening.now);
        if !table.is_free(&known_as, asker) {
            return None;
        }
        table.make_room(&asker.person, opening.limits.sessions_per_principal);
        let owned = (asker.owner, asker.policy);
        let session = Arc::new(Session::new(
            (key, known_as),
            owned,
            (opening.server, upstream),
        ));
        table.known_as.insert(known_as, key);
        let place = (key, asker.person);
        table.shelf.put(place, Arc::clone(&session), opening.now);
        Some((name, session))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(sessions) = self.0.take() {
            let mut table = sessions.table();
            table.reserved = table.reserved.saturating_sub(1);
        }
    }
}

/// MCP 2025-11-25, basic/transports: visible ASCII. The length is our own bound.
fn well_formed(upstream: &[u8]) -> Option<&str> {
    let is_visible = upstream.iter().all(u8::is_ascii_graphic);
    let is_name = is_visible && (1..=LONGEST).contains(&upstream.len());
    is_name.then(|| str::from_utf8(upstream).ok()).flatten()
}

/// Bytes of a name that a server gives.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests;
