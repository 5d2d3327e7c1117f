//! What can be wrong with a row. Never says where in a file: the row's owner knows.

use thiserror::Error;

/// A row that cannot be a rule.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct RowFault {
    /// Which of the given rows, counted from 0.
    pub index: usize,
    /// What is wrong with it.
    pub kind: RowFaultKind,
}

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RowFaultKind {
    /// The pattern has no characters.
    #[error("the pattern is empty: write a name, or `*` for every name")]
    EmptyPattern,
    /// The pattern says something that patterns cannot say.
    #[error("{message}")]
    BadGlob {
        /// What, and what to write instead.
        message: String,
    },
}
