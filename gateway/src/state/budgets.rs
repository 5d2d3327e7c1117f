//! The budgets of one process. Bounded in all and per owner; lets go of a window only once it has ended.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::memory::Room;
use super::{Charge, StateError, Taken};
use crate::model::{Digest, UnixTime};

/// Everything that was taken in windows that have not ended.
#[derive(Default)]
pub(super) struct Budgets(Mutex<Accounts>);

#[derive(Default)]
struct Accounts {
    open: HashMap<Digest, Account>,
    shares: HashMap<Digest, usize>,
    swept: Option<UnixTime>,
}

struct Account {
    used: u64,
    ends: UnixTime,
    owner: Digest,
}

impl Budgets {
    /// One lock for all: several budgets change together or not at all.
    pub(super) fn take(
        &self,
        charges: &[Charge],
        now: UnixTime,
        room: Room,
    ) -> Result<Taken, StateError> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accounts.sweep(now);
        if let Some(spent) = accounts.spent(charges, now) {
            return Ok(spent);
        }
        if !accounts.have_room(charges, now, room) {
            return Err(StateError::Full);
        }
        for charge in charges {
            accounts.add(charge, now);
        }
        Ok(Taken::All)
    }
}

impl Accounts {
    fn open(&self, budget: &Digest, now: UnixTime) -> Option<&Account> {
        self.open.get(budget).filter(|account| account.ends > now)
    }

    /// The first charge for which there is not enough left, with those before it taken.
    fn spent(&self, charges: &[Charge], now: UnixTime) -> Option<Taken> {
        charges.iter().enumerate().find_map(|(first, charge)| {
            let account = self.open(&charge.budget, now);
            let earlier = charges.iter().take(first);
            let together = earlier
                .filter(|earlier| earlier.budget == charge.budget)
                .map(|earlier| earlier.amount)
                .fold(
                    account.map_or(0, |account| account.used),
                    u64::saturating_add,
                );
            let is_enough = together
                .checked_add(charge.amount)
                .is_some_and(|sum| sum <= charge.most);
            let until = account.map_or_else(|| now.plus(charge.window), |account| account.ends);
            (!is_enough).then_some(Taken::Spent { first, until })
        })
    }

    fn have_room(&self, charges: &[Charge], now: UnixTime, room: Room) -> bool {
        let new = charges
            .iter()
            .filter(|charge| self.open(&charge.budget, now).is_none());
        let (mut in_all, mut of_owners) = (0_usize, HashMap::<Digest, usize>::new());
        for charge in new {
            in_all = in_all.saturating_add(1);
            let share = of_owners.entry(charge.owner).or_insert_with(|| {
                let share = self.shares.get(&charge.owner);
                share.copied().unwrap_or_default()
            });
            *share = share.saturating_add(1);
        }
        self.open.len().saturating_add(in_all) <= room.shard
            && of_owners.values().all(|share| *share <= room.owner)
    }

    fn add(&mut self, charge: &Charge, now: UnixTime) {
        if let Some(account) = self.open.get_mut(&charge.budget) {
            if account.ends > now {
                account.used = account.used.saturating_add(charge.amount);
                return;
            }
            let ended = account.owner;
            self.release(&ended);
        }
        let account = Account {
            used: charge.amount,
            ends: now.plus(charge.window),
            owner: charge.owner,
        };
        self.open.insert(charge.budget, account);
        *self.shares.entry(charge.owner).or_default() += 1;
    }

    fn release(&mut self, owner: &Digest) {
        if let Some(share) = self.shares.get_mut(owner) {
            *share = share.saturating_sub(1);
        }
    }

    /// Lets go of windows that have ended. Looks at every one, therefore only now and then.
    fn sweep(&mut self, now: UnixTime) {
        if self.swept.is_some_and(|swept| now < swept.plus(SWEEP)) {
            return;
        }
        self.swept = Some(now);
        let Self { open, shares, .. } = self;
        shares.clear();
        open.retain(|_, account| {
            let lives = account.ends > now;
            if lives {
                *shares.entry(account.owner).or_default() += 1;
            }
            lives
        });
    }
}

/// About thirty megabytes at most; one principal may have a small part of it.
pub(super) const ROOM: Room = Room {
    shard: 262_144,
    owner: 1024,
};
const SWEEP: Duration = Duration::from_secs(10);
