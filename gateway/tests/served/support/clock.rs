//! A clock whose hands the test moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatewright::model::{Clock, UnixTime};

#[derive(Debug)]
pub(crate) struct Hands(AtomicU64);

impl Hands {
    /// Stands at these seconds since 1970 until it is moved.
    pub(crate) fn at(seconds: u64) -> Self {
        Self(AtomicU64::new(seconds * 1000))
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        self.0.load(Ordering::SeqCst) / 1000
    }

    pub(crate) fn forward(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> UnixTime {
        UnixTime::from_millis(self.0.load(Ordering::SeqCst))
    }
}
