//! What replicas of the gateway share: one small trait, kept in memory. Never evicts what is still of use: what does
//! not fit is refused.

#[cfg(test)]
mod contract;
mod memory;
#[cfg(test)]
mod tests;

use std::fmt;

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

    /// Since when it remembers: of what was noted before that, it knows nothing.
    fn remembers_since(&self) -> UnixTime;
}
