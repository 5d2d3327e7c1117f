//! What replicas of the gateway share: one small trait, kept in memory. Never evicts what is still of use: what does
//! not fit is refused.

mod budgets;
#[cfg(test)]
mod contract;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::model::{Digest, UnixTime};

pub use memory::MemoryState;

/// Why shared state did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StateError {
    /// It holds as much as it may.
    #[error("shared state is full")]
    Full,
    /// It cannot be reached.
    #[error("shared state cannot be reached")]
    Unreachable,
}

/// What is to be taken from one budget, and how large the budget is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Whose call opens the window: what its room is counted under.
    pub owner: Digest,
    /// The budget.
    pub budget: Digest,
    /// How much is taken.
    pub amount: u64,
    /// How much there is in one window.
    pub most: u64,
    /// How long a window is. It starts with the first charge in it.
    pub window: Duration,
}

/// What became of charges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// All of them are taken.
    All,
    /// None is.
    Spent {
        /// The first of them that has no room, from 0.
        first: usize,
        /// When its window ends.
        until: UnixTime,
    },
}

/// State that all replicas see.
#[async_trait]
pub trait SharedState: fmt::Debug + Send + Sync {
    /// Notes `key` of `owner` until `until`. Answers whether it was new; of several that ask at once, one is told so.
    /// What has ended already, or may have been forgotten, is not new.
    async fn insert_once(
        &self,
        owner: &Digest,
        key: &Digest,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<bool, StateError>;

    /// Takes all of `charges`, or none of them when one has no room. Of several that ask at once for the last room, one
    /// gets it.
    async fn take(&self, charges: &[Charge], now: UnixTime) -> Result<Taken, StateError>;

    /// Since when it remembers: of what was noted before that, it knows nothing.
    fn remembers_since(&self) -> UnixTime;
}
