//! What one principal usually does: its tools, its scopes, and how often it is refused. Bounded, whatever it does.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::audit::anomaly::AnomalyKind;
use crate::model::{ServerName, UnixTime};

/// What one principal usually does.
#[derive(Debug)]
pub(super) struct Baseline {
    since: UnixTime,
    known: HashSet<Box<str>>,
    pub(super) denials: Window,
    told: HashMap<(AnomalyKind, ServerName), UnixTime>,
}

impl Baseline {
    /// Of somebody who is seen for the first time.
    pub(super) fn new(since: UnixTime) -> Self {
        Self {
            since,
            known: HashSet::new(),
            denials: Window::new(since),
            told: HashMap::new(),
        }
    }

    /// Remembers `name`; is it new to a principal that was watched for `learning`? A memory that is full takes nothing for
    /// new.
    pub(super) fn is_new(&mut self, name: String, learning: Duration, at: UnixTime) -> bool {
        let is_new = self.known.len() < MOST_KNOWN && self.known.insert(name.into());
        is_new && at.since(self.since) >= learning
    }

    /// Whether `kind` may be told of `server` now; it may not again for `quiet`.
    pub(super) fn may_tell(
        &mut self,
        (kind, server): (AnomalyKind, &ServerName),
        quiet: Duration,
        at: UnixTime,
    ) -> bool {
        let last = self.told.get(&(kind, server.clone()));
        if last.is_some_and(|last| at.since(*last) < quiet) {
            return false;
        }
        self.told.insert((kind, server.clone()), at);
        true
    }
}

/// Counts within a span of time, and then anew.
#[derive(Debug)]
pub(super) struct Window {
    since: UnixTime,
    count: u64,
}

impl Window {
    /// Begins now.
    pub(super) const fn new(since: UnixTime) -> Self {
        Self { since, count: 0 }
    }

    /// Counts one more; how many are there since the window began?
    pub(super) fn count(&mut self, span: Duration, at: UnixTime) -> u64 {
        if at.since(self.since) >= span {
            *self = Self::new(at);
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

/// Tools and scopes together.
const MOST_KNOWN: usize = 1024;
