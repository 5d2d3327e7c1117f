//! The last good value of something that is fetched again and again. A failed fetch never empties it.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::model::UnixTime;

/// A value that many read without a lock and one refresher replaces whole.
#[derive(Debug)]
pub struct Live<T> {
    current: ArcSwapOption<Snapshot<T>>,
}

impl<T> Live<T> {
    /// Nothing yet.
    pub fn empty() -> Self {
        Self {
            current: ArcSwapOption::const_empty(),
        }
    }

    /// The last good value, however old.
    pub fn latest(&self) -> Option<Arc<Snapshot<T>>> {
        self.current.load_full()
    }

    /// The last good value, unless it was confirmed more than `limit` before `now`.
    pub fn within(&self, limit: Duration, now: UnixTime) -> Option<Arc<Snapshot<T>>> {
        self.latest().filter(|snapshot| snapshot.age(now) <= limit)
    }
}

impl<T: PartialEq> Live<T> {
    /// Takes `value` as true at `now`. The generation grows only when the value differs from the last one.
    pub fn publish(&self, value: T, now: UnixTime) {
        let value = Arc::new(value);
        self.current.rcu(|last| {
            Some(Arc::new(match last {
                Some(last) if last.value == value => Snapshot {
                    value: Arc::clone(&last.value),
                    confirmed: now,
                    generation: last.generation,
                },
                last => Snapshot {
                    value: Arc::clone(&value),
                    confirmed: now,
                    generation: last
                        .as_ref()
                        .map_or(1, |last| last.generation.saturating_add(1)),
                },
            }))
        });
    }
}

/// One value, with when it was last known to be true.
#[derive(Debug)]
pub struct Snapshot<T> {
    value: Arc<T>,
    confirmed: UnixTime,
    generation: u64,
}

impl<T> Snapshot<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// When its source last gave this value.
    pub const fn confirmed(&self) -> UnixTime {
        self.confirmed
    }

    /// How long ago its source last gave this value; zero if the clock went back.
    pub const fn age(&self, now: UnixTime) -> Duration {
        now.since(self.confirmed)
    }

    /// Counts the different values, from 1.
    pub const fn generation(&self) -> u64 {
        self.generation
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Live;
    use crate::model::UnixTime;

    #[test]
    fn nothing_is_read_before_something_is_published() {
        assert!(Live::<u8>::empty().latest().is_none());
    }

    #[test]
    fn the_same_value_is_younger_but_of_the_same_generation() {
        let live = Live::empty();
        live.publish("a", UnixTime::from_seconds(10));
        live.publish("a", UnixTime::from_seconds(20));
        let snapshot = live.latest().unwrap();
        assert_eq!(snapshot.generation(), 1);
        assert_eq!(snapshot.confirmed(), UnixTime::from_seconds(20));
    }

    #[test]
    fn another_value_is_of_another_generation() {
        let live = Live::empty();
        live.publish("a", UnixTime::from_seconds(10));
        live.publish("b", UnixTime::from_seconds(20));
        let snapshot = live.latest().unwrap();
        assert_eq!((*snapshot.value(), snapshot.generation()), ("b", 2));
    }

    #[test]
    fn a_value_past_the_limit_is_withheld() {
        let live = Live::empty();
        live.publish("a", UnixTime::from_seconds(10));
        let limit = Duration::from_secs(5);
        assert!(live.within(limit, UnixTime::from_seconds(15)).is_some());
        assert!(live.within(limit, UnixTime::from_seconds(16)).is_none());
        assert!(live.latest().is_some());
    }
}
