//! How many refusals of a flood have no record of their own: of each source the first in a window has one, the others are
//! a number. Never forgets one that it counted, never keeps who it was.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::audit::part::Tally;
use crate::model::UnixTime;
use crate::proxy::throttle::network;

/// Counts the refusals that come after the first of their source. Its memory is fixed, whoever calls.
#[derive(Debug)]
pub struct Floods {
    /// Chosen at random, so that nobody can pick an address that shares a place with another's.
    hasher: RandomState,
    /// From 1 on.
    window: AtomicU32,
    /// The last window in which each place had a record.
    sources: Box<[AtomicU32]>,
    counted: AtomicU64,
    /// Taken once a window, never by a request.
    told: Mutex<Told>,
}

/// What is on record.
#[derive(Debug)]
struct Told {
    until: UnixTime,
    lost: u64,
}

impl Floods {
    /// Counts from `start` on.
    pub fn since(start: UnixTime) -> Self {
        Self {
            hasher: RandomState::new(),
            window: AtomicU32::new(1),
            sources: (0..PLACES).map(|_| AtomicU32::new(0)).collect(),
            counted: AtomicU64::new(0),
            told: Mutex::new(Told {
                until: start,
                lost: 0,
            }),
        }
    }

    /// Counts a refusal of `source`, unless it is the first in this window: that one is to be recorded.
    pub fn counts(&self, source: Option<IpAddr>) -> bool {
        let is_first = self.place(source).is_some_and(|place| {
            let window = self.window.load(Ordering::Relaxed);
            // Of several at the same moment one is the first. Who looked at the window before it ended is none in the next.
            place.load(Ordering::Relaxed) < window
                && place.fetch_max(window, Ordering::Relaxed) < window
        });
        if !is_first {
            self.counted.fetch_add(1, Ordering::Relaxed);
        }
        !is_first
    }

    /// Ends the window at `now`. `lost` is how many records the ledger lost since its start. `record` gets what is not
    /// on record yet, if there is anything; what it cannot record stands in the next tally.
    ///
    /// # Errors
    /// Those of `record`.
    pub fn end_window<E>(
        &self,
        lost: u64,
        now: UnixTime,
        record: impl FnOnce(Tally) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        self.window.fetch_add(1, Ordering::Relaxed);
        let tally = Tally {
            since: told.until,
            rate_limited: self.counted.load(Ordering::Relaxed),
            lost: lost.saturating_sub(told.lost),
        };
        if tally.rate_limited > 0 || tally.lost > 0 {
            record(tally)?;
        }
        self.counted
            .fetch_sub(tally.rate_limited, Ordering::Relaxed);
        *told = Told {
            until: now,
            lost: told.lost.max(lost),
        };
        Ok(())
    }

    fn place(&self, source: Option<IpAddr>) -> Option<&AtomicU32> {
        let hash = self.hasher.hash_one(source.map(network));
        let place = usize::try_from(hash % PLACES).ok()?;
        self.sources.get(place)
    }
}

/// Two sources that share a place share their first record; the other is counted.
const PLACES: u64 = 1 << 16;

#[cfg(test)]
mod tests;
