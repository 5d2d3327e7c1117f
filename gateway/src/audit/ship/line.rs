//! One line of the ledger on its way. Its bytes are never changed.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// A place in the ledger: the end of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The number of the record that ends here; 0 before the first.
    pub(super) seq: u64,
    /// The first number of the segment it stands in.
    pub(super) segment: u64,
    /// The byte of that segment right behind it.
    pub(super) offset: u64,
    /// The record's own hash, to tell it from another record of the same number.
    pub(super) hash: Option<Box<str>>,
}

/// One whole line.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// As it stands in the ledger, without the line end.
    pub(super) bytes: Bytes,
    /// The name of the record; none when the line cannot be read.
    pub(super) event_id: Option<Box<str>>,
    /// The hash of the record before it.
    pub(super) prev: Option<Box<str>>,
    /// Where it ends.
    pub(super) place: Place,
}

/// What a line says about itself.
#[derive(Deserialize)]
struct Told<'a> {
    seq: u64,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    integrity: Option<Integrity<'a>>,
}

#[derive(Deserialize)]
struct Integrity<'a> {
    #[serde(borrow)]
    prev: Cow<'a, str>,
    #[serde(borrow)]
    hash: Cow<'a, str>,
}

impl Line {
    /// The line `bytes` that begins at `start`. One that cannot be read is the record after the one before it: it is
    /// shipped all the same, for whoever verifies the chain must see it.
    pub(super) fn read(bytes: Bytes, start: &Place) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let offset = start.offset.saturating_add(length).saturating_add(1);
        let place = |seq, hash| Place {
            seq,
            segment: start.segment,
            offset,
            hash,
        };
        let Ok(told) = serde_json::from_slice::<Told<'_>>(&bytes) else {
            let place = place(start.seq.saturating_add(1), None);
            return Self {
                bytes,
                event_id: None,
                prev: None,
                place,
            };
        };
        let event_id = Some(Box::from(&*told.event_id));
        let (prev, hash) = match &told.integrity {
            Some(chain) => (Some(Box::from(&*chain.prev)), Some(Box::from(&*chain.hash))),
            None => (None, None),
        };
        let place = place(told.seq, hash);
        Self {
            bytes,
            event_id,
            prev,
            place,
        }
    }

    /// Can this record come right after the one at `place`?
    pub(super) fn follows(&self, place: &Place) -> bool {
        let is_next = self.place.seq == place.seq.saturating_add(1);
        let is_chained = match (&self.prev, &place.hash) {
            (Some(prev), Some(hash)) => prev == hash,
            (None, _) | (_, None) => true,
        };
        // What cannot be read may be the middle of a line.
        self.event_id.is_some() && is_next && is_chained
    }
}
