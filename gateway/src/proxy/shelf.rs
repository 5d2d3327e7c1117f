//! Values that belong to people: so many in all, so many for each, none unused for too long. Never holds more than it
//! was told, and nothing about a person of whom it holds nothing.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::model::{Digest, UnixTime};

/// Values by key, each somebody's, in the order in which they were last used.
#[derive(Debug)]
pub(crate) struct Shelf<V> {
    entries: HashMap<Digest, Entry<V>>,
    order: BTreeMap<u64, Digest>,
    shares: HashMap<Digest, BTreeMap<u64, Digest>>,
    turn: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    person: Digest,
    used: UnixTime,
    turn: u64,
}

impl<V> Default for Shelf<V> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            shares: HashMap::new(),
            turn: 0,
        }
    }
}

impl<V> Shelf<V> {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many of them are `person`'s.
    pub(crate) fn share(&self, person: &Digest) -> usize {
        self.shares.get(person).map_or(0, BTreeMap::len)
    }

    /// The value under `key`, without using it.
    pub(crate) fn look(&self, key: &Digest) -> Option<&V> {
        self.entries.get(key).map(|entry| &entry.value)
    }

    /// The value under `key`, used at `now`.
    pub(crate) fn reach(&mut self, key: &Digest, now: UnixTime) -> Option<&V> {
        self.turn += 1;
        let turn = self.turn;
        let entry = self.entries.get_mut(key)?;
        let before = std::mem::replace(&mut entry.turn, turn);
        entry.used = now;
        self.order.remove(&before);
        self.order.insert(turn, *key);
        if let Some(share) = self.shares.get_mut(&entry.person) {
            share.remove(&before);
            share.insert(turn, *key);
        }
        Some(&entry.value)
    }

    /// Puts `value` of `person` under `key`, used at `now`. What was there is handed back.
    pub(crate) fn put(
        &mut self,
        (key, person): (Digest, Digest),
        value: V,
        now: UnixTime,
    ) -> Option<V> {
        let before = self.take(&key);
        self.turn += 1;
        let turn = self.turn;
        self.order.insert(turn, key);
        self.shares.entry(person).or_default().insert(turn, key);
        let entry = Entry {
            value,
            person,
            used: now,
            turn,
        };
        self.entries.insert(key, entry);
        before
    }

    /// Takes the value under `key` away.
    pub(crate) fn take(&mut self, key: &Digest) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.turn);
        if let Some(share) = self.shares.get_mut(&entry.person) {
            share.remove(&entry.turn);
            if share.is_empty() {
                self.shares.remove(&entry.person);
            }
        }
        Some(entry.value)
    }

    /// Takes the least used value of all away.
    pub(crate) fn take_least(&mut self) -> Option<V> {
        let key = *self.order.values().next()?;
        self.take(&key)
    }

    /// Takes the least used value of `person` away.
    pub(crate) fn take_least_of(&mut self, person: &Digest) -> Option<V> {
        let key = *self.shares.get(person)?.values().next()?;
        self.take(&key)
    }

    /// Takes a value away that was unused at `now` for longer than `limit`, if there is one.
    pub(crate) fn take_idle(&mut self, limit: Duration, now: UnixTime) -> Option<V> {
        let key = *self.order.values().next()?;
        let is_idle = self.entries.get(&key)?.is_idle(limit, now);
        is_idle.then(|| self.take(&key)).flatten()
    }

    /// Whether the value under `key` was unused at `now` for longer than `limit`.
    pub(crate) fn is_idle(&self, key: &Digest, limit: Duration, now: UnixTime) -> bool {
        let entry = self.entries.get(key);
        entry.is_some_and(|entry| entry.is_idle(limit, now))
    }

    /// Takes every value away that `holds` is false for.
    pub(crate) fn keep(&mut self, holds: impl Fn(&V) -> bool) -> Vec<V> {
        let gone: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| !holds(&entry.value))
            .map(|(key, _)| *key)
            .collect();
        gone.iter().filter_map(|key| self.take(key)).collect()
    }
}

impl<V> Entry<V> {
    fn is_idle(&self, limit: Duration, now: UnixTime) -> bool {
        now.since(self.used) > limit
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Shelf;
    use crate::model::{Digest, UnixTime};

    const LIMIT: Duration = Duration::from_millis(10);

    fn at(millis: u64) -> UnixTime {
        UnixTime::from_millis(millis)
    }

    fn name(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn filled() -> Shelf<&'static str> {
        let mut shelf = Shelf::default();
        for (turn, (key, person)) in [("a", "p"), ("b", "q"), ("c", "p")].into_iter().enumerate() {
            shelf.put((name(key), name(person)), key, at(turn as u64));
        }
        shelf
    }

    #[test]
    fn x09_the_least_used_goes_first_of_all_and_of_a_person() {
        let mut shelf = filled();
        assert_eq!(shelf.reach(&name("a"), at(5)), Some(&"a"));
        assert_eq!(shelf.take_least_of(&name("p")), Some("c"));
        assert_eq!(shelf.take_least(), Some("b"));
        assert_eq!(shelf.take_least(), Some("a"));
        assert_eq!(shelf.take_least(), None);
    }

    #[test]
    fn x09_nothing_is_left_of_what_is_taken_away() {
        let mut shelf = filled();
        for key in ["a", "b", "c"] {
            assert_eq!(shelf.take(&name(key)), Some(key));
            assert_eq!(shelf.take(&name(key)), None);
        }
        assert_eq!((shelf.len(), shelf.share(&name("p"))), (0, 0));
        assert!(shelf.order.is_empty() && shelf.shares.is_empty());
    }

    #[test]
    fn x09_what_is_put_in_the_place_of_another_is_counted_once() {
        let mut shelf = filled();
        assert_eq!(shelf.put((name("a"), name("q")), "d", at(4)), Some("a"));
        assert_eq!(shelf.len(), 3);
        assert_eq!((shelf.share(&name("p")), shelf.share(&name("q"))), (1, 2));
        assert_eq!(shelf.look(&name("a")), Some(&"d"));
    }

    #[test]
    fn x09_what_is_unused_for_too_long_is_idle_and_use_makes_it_young() {
        let mut shelf = filled();
        assert_eq!(shelf.take_idle(LIMIT, at(10)), None, "at the bound");
        assert!(!shelf.is_idle(&name("a"), LIMIT, at(10)));
        assert!(shelf.is_idle(&name("a"), LIMIT, at(11)));
        shelf.reach(&name("a"), at(11));
        assert_eq!(shelf.take_idle(LIMIT, at(11)), None);
        assert_eq!(shelf.take_idle(LIMIT, at(12)), Some("b"));
        assert_eq!(shelf.take_idle(LIMIT, at(13)), Some("c"));
        assert_eq!(shelf.take_idle(LIMIT, at(13)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_idle() {
        let mut shelf = filled();
        assert_eq!(shelf.take_idle(LIMIT, at(0)), None);
    }

    #[test]
    fn only_what_holds_is_kept() {
        let mut shelf = filled();
        assert_eq!(shelf.keep(|value| *value != "b"), ["b"]);
        assert_eq!(shelf.len(), 2);
    }
}
