//! A memory for so many entries and no more: past that, the one that was used longest ago is forgotten.

use std::collections::{BTreeMap, HashMap};

use crate::model::Digest;

/// Entries by their keys, with the order in which they were used.
#[derive(Debug)]
pub(super) struct Lately<V> {
    entries: HashMap<Digest, (u64, V)>,
    order: BTreeMap<u64, Digest>,
    uses: u64,
    most: usize,
}

impl<V> Lately<V> {
    /// A memory for `most` entries.
    pub(super) fn new(most: usize) -> Self {
        Self {
            entries: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
            most,
        }
    }

    /// The entry of `key`, used now; a new one when there is none.
    pub(super) fn used(&mut self, key: Digest, new: impl FnOnce() -> V) -> &mut V {
        self.uses += 1;
        let now = self.uses;
        let is_full = self.entries.len() >= self.most;
        if is_full
            && !self.entries.contains_key(&key)
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let (last, value) = self.entries.entry(key).or_insert_with(|| (now, new()));
        self.order.remove(last);
        *last = now;
        self.order.insert(now, key);
        value
    }

    /// The entry of `key`, if there is one. That is no use of it.
    pub(super) fn known(&mut self, key: &Digest) -> Option<&mut V> {
        self.entries.get_mut(key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::Lately;
    use crate::model::Digest;

    #[test]
    fn the_entry_used_longest_ago_is_forgotten_and_no_other() {
        let key = |name: u8| Digest::from_bytes([name; 32]);
        let mut lately = Lately::new(2);
        *lately.used(key(1), || 0) += 1;
        *lately.used(key(2), || 0) += 1;
        *lately.used(key(1), || 0) += 1;
        lately.used(key(3), || 9);
        assert_eq!(lately.known(&key(1)), Some(&mut 2));
        assert_eq!(lately.known(&key(2)), None);
        assert_eq!(lately.known(&key(3)), Some(&mut 9));
        for name in 4..=100 {
            lately.used(key(name), || 0);
            assert!(lately.entries.len() <= 2 && lately.order.len() <= 2);
        }
    }
}
