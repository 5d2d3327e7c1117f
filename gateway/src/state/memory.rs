//! State of one process. Bounded in all and per owner, so that one cannot crowd out the others; never forgets what has
//! not ended, and never takes for new what it may have forgotten.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::budgets::{self, Budgets};
use super::{Charge, SharedState, StateError, Taken};
use crate::model::{Digest, UnixTime};

/// State that lives as long as the process.
pub struct MemoryState {
    shards: [Mutex<Shard>; SHARDS],
    since: UnixTime,
    room: Room,
    budgets: Budgets,
    /// For budgets.
    accounts: Room,
}

/// How many entries there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// In one shard.
    pub(super) shard: usize,
    /// Of one owner.
    pub(super) owner: usize,
}

/// The entries of some owners.
struct Shard {
    entries: HashMap<Digest, Entry>,
    shares: HashMap<u64, usize>,
    /// The latest time for which entries were let go.
    forgotten: UnixTime,
    swept: UnixTime,
}

struct Entry {
    until: UnixTime,
    /// What the owner is counted under. Owners that share it share their room.
    owner: u64,
}

impl MemoryState {
    /// Remembers from `now` on.
    pub fn since(now: UnixTime) -> Self {
        Self::with_room(now, ROOM, budgets::ROOM)
    }

    pub(super) fn with_room(now: UnixTime, room: Room, accounts: Room) -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::new(Shard::new())),
            since: now,
            room,
            budgets: Budgets::default(),
            accounts,
        }
    }

    fn shard(&self, owner: u64) -> Option<MutexGuard<'_, Shard>> {
        let index = usize::try_from(owner).unwrap_or(usize::MAX) % SHARDS;
        let shard = self.shards.get(index)?;
        Some(shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl SharedState for MemoryState {
    async fn insert_once(
        &self,
        owner: &Digest,
        key: &Digest,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<bool, StateError> {
        let name = Digest::of_parts(&[owner.as_bytes(), key.as_bytes()]);
        let owner = number(owner);
        let mut shard = self.shard(owner).ok_or(StateError::Full)?;
        shard.insert(name, Entry { until, owner }, now, self.room)
    }

    async fn take(&self, charges: &[Charge], now: UnixTime) -> Result<Taken, StateError> {
        self.budgets.take(charges, now, self.accounts)
    }

    fn remembers_since(&self) -> UnixTime {
        self.since
    }
}

impl Shard {
    fn new() -> Self {
        Self {
            entries: HashMap::new(),
            shares: HashMap::new(),
            forgotten: UnixTime::from_millis(0),
            swept: UnixTime::from_millis(0),
        }
    }

    fn insert(
        &mut self,
        name: Digest,
        entry: Entry,
        now: UnixTime,
        room: Room,
    ) -> Result<bool, StateError> {
        // A clock that was set back must not make old things new.
        if entry.until <= now.max(self.forgotten) {
            return Ok(false);
        }
        if self
            .entries
            .get(&name)
            .is_some_and(|known| known.until > now)
        {
            return Ok(false);
        }
        self.sweep(now);
        let share = self.shares.get(&entry.owner).copied().unwrap_or_default();
        if self.entries.len() >= room.shard || share >= room.owner {
            return Err(StateError::Full);
        }
        let owner = entry.owner;
        // What has ended since the last sweep gives its place to what takes its name.
        if let Some(ended) = self.entries.insert(name, entry) {
            self.release(ended.owner);
        }
        *self.shares.entry(owner).or_default() += 1;
        Ok(true)
    }

    /// Lets go of what has ended. Looks at every entry, therefore only now and then.
    fn sweep(&mut self, now: UnixTime) {
        if now < self.swept.plus(SWEEP) {
            return;
        }
        self.swept = now;
        self.forgotten = self.forgotten.max(now);
        let Self {
            entries, shares, ..
        } = self;
        shares.clear();
        entries.retain(|_, entry| {
            let lives = entry.until > now;
            if lives {
                *shares.entry(entry.owner).or_default() += 1;
            }
            lives
        });
    }

    fn release(&mut self, owner: u64) {
        if let Some(share) = self.shares.get_mut(&owner) {
            *share = share.saturating_sub(1);
        }
    }
}

impl fmt::Debug for MemoryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryState(since {})", self.since)
    }
}

fn number(owner: &Digest) -> u64 {
    let bytes = owner.as_bytes().first_chunk();
    bytes.map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

const SHARDS: usize = 16;
/// About four million entries in all, of some sixty bytes; one owner may have half a shard, which is four hundred a
/// second over five minutes.
const ROOM: Room = Room {
    shard: 262_144,
    owner: 131_072,
};
const SWEEP: Duration = Duration::from_secs(1);
