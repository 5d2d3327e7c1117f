//! How much of a client's message is read. Never says what a message may mean.

use super::jsonrpc::Limits;

/// Upper bounds on what one message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Brackets inside each other.
    pub depth: u32,
    /// Object keys in all.
    pub keys: u32,
    /// Resources and tasks that one `subscriptions/listen` names.
    pub subscriptions: u32,
}

impl Default for Bounds {
    /// What holds where the configuration says nothing.
    fn default() -> Self {
        Self {
            depth: 64,
            keys: 10_000,
            subscriptions: 256,
        }
    }
}

impl Bounds {
    /// What the scanner keeps to: the elements of arrays are nothing that a request is decided on.
    pub(super) fn of_text(self) -> Limits {
        Limits {
            depth: count(self.depth),
            keys: count(self.keys),
            elements_at: None,
        }
    }

    /// How many resources and tasks may be subscribed to.
    pub(super) fn of_subscriptions(self) -> usize {
        count(self.subscriptions)
    }
}

/// A count that no memory holds is no bound that matters.
fn count(bound: u32) -> usize {
    usize::try_from(bound).unwrap_or(usize::MAX)
}
