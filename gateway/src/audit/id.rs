//! Names for records: UUIDs of version 7, which sort by time (RFC 9562 section 5.7). Never a secret.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::model::UnixTime;

/// The name of one record, unique across gateways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventId(Uuid);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

/// Makes names. The random part is a keyed hash of a counter: no system call for each name, and the names do not tell
/// a client how many there are.
#[derive(Debug, Default)]
pub(crate) struct EventIds {
    key: RandomState,
    made: AtomicU64,
}

impl EventIds {
    /// The next name, for a record of the moment `at`.
    pub(crate) fn next(&self, at: UnixTime) -> EventId {
        let count = self.made.fetch_add(1, Ordering::Relaxed);
        let halves = [
            self.key.hash_one((count, 0_u8)),
            self.key.hash_one((count, 1_u8)),
        ];
        let mut random = [0; 10];
        for (to, from) in random
            .iter_mut()
            .zip(halves.iter().flat_map(|half| half.to_le_bytes()))
        {
            *to = from;
        }
        EventId(Builder::from_unix_timestamp_millis(at.millis(), &random).into_uuid())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::EventIds;
    use crate::model::UnixTime;

    #[test]
    fn names_are_unique_and_of_version_seven() {
        let ids = EventIds::default();
        let at = UnixTime::from_millis(1_700_000_000_005);
        let names: HashSet<_> = (0..10_000).map(|_| ids.next(at)).collect();
        assert_eq!(names.len(), 10_000);
        for name in names {
            assert_eq!(name.0.get_version_num(), 7, "{name}");
            assert!(name.to_string().starts_with("018bcfe5-6805-7"), "{name}");
        }
    }

    #[test]
    fn a_later_name_sorts_after_an_earlier_one() {
        let ids = EventIds::default();
        let earlier = ids.next(UnixTime::from_millis(1_000)).to_string();
        let later = ids.next(UnixTime::from_millis(1_001)).to_string();
        assert!(earlier < later);
    }
}
