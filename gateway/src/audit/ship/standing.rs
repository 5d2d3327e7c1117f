//! How a sink stands, for metrics and `status`. Only counts; decides nothing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::shipper::FailureKind;
use crate::model::UnixTime;

/// What is known of one sink since the start.
#[derive(Debug)]
pub(crate) struct SinkStanding {
    name: Box<str>,
    kind: &'static str,
    acknowledged: AtomicU64,
    shipped: AtomicU64,
    rejected: AtomicU64,
    failures: [AtomicU64; FailureKind::ALL.len()],
    /// In milliseconds; 0 for never.
    last_success: AtomicU64,
    trouble: Mutex<Option<FailureKind>>,
}

impl SinkStanding {
    pub(super) fn new(name: &str, kind: &'static str, acknowledged: u64) -> Self {
        Self {
            name: name.into(),
            kind,
            acknowledged: AtomicU64::new(acknowledged),
            shipped: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            failures: Default::default(),
            last_success: AtomicU64::new(0),
            trouble: Mutex::new(None),
        }
    }

    /// Its name in the configuration.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it is: `stdout`, `http`, `nats` or `otlp`.
    pub(crate) const fn kind(&self) -> &'static str {
        self.kind
    }

    /// How many of the records up to `head` it has not acknowledged.
    pub(crate) fn waiting(&self, head: u64) -> u64 {
        head.saturating_sub(self.acknowledged.load(Ordering::Relaxed))
    }

    /// How many records it acknowledged, those that came again among them.
    pub(crate) fn shipped(&self) -> u64 {
        self.shipped.load(Ordering::Relaxed)
    }

    /// How many records it took and threw away.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// How many attempts failed in each way.
    pub(crate) fn failures(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        let counted = self
            .failures
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        FailureKind::ALL.into_iter().zip(counted)
    }

    /// When it last acknowledged something.
    pub(crate) fn last_success(&self) -> Option<UnixTime> {
        let millis = self.last_success.load(Ordering::Relaxed);
        (millis > 0).then(|| UnixTime::from_millis(millis))
    }

    /// Why the last attempt failed, if it did.
    pub(crate) fn trouble(&self) -> Option<FailureKind> {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another `count` records are there, up to `seq`. Was there trouble before?
    pub(super) fn acknowledged(
        &self,
        (count, rejected): (u64, u64),
        seq: u64,
        now: UnixTime,
    ) -> Option<FailureKind> {
        self.acknowledged.store(seq, Ordering::Relaxed);
        self.shipped
            .fetch_add(count.saturating_sub(rejected), Ordering::Relaxed);
        self.rejected.fetch_add(rejected, Ordering::Relaxed);
        self.last_success.store(now.millis(), Ordering::Relaxed);
        self.turn(None)
    }

    /// An attempt failed. The trouble before it.
    pub(super) fn failed(&self, kind: FailureKind) -> Option<FailureKind> {
        let counts = FailureKind::ALL.into_iter().zip(&self.failures);
        for (_, count) in counts.filter(|(known, _)| *known == kind) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.turn(Some(kind))
    }

    fn turn(&self, trouble: Option<FailureKind>) -> Option<FailureKind> {
        let mut known = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *known, trouble)
    }
}
