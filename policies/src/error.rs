//! What can be wrong with a policy. Never says where in a configuration a row stands: the row's owner knows.

use std::ops::Range;

use thiserror::Error;

/// A part of a policy that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct PolicyFault {
    /// Where.
    pub origin: Origin,
    /// What is wrong.
    pub kind: FaultKind,
}

/// Which part of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The pattern of a row, or the row as a whole: which of the given rows, from 0.
    Row(usize),
    /// The `when` of a row, and the bytes of it that are meant.
    When(usize, Range<usize>),
    /// A file of Cedar policies, from 0, and the bytes of it that are meant.
    Cedar(usize, Range<usize>),
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The pattern has no characters.
    #[error("the pattern is empty: write a name, or `*` for every name")]
    EmptyPattern,
    /// The pattern says something that patterns cannot say.
    #[error("{message}")]
    BadGlob {
        /// What, and what to write instead.
        message: String,
    },
    /// A condition or a policy that cannot be read or does not type-check.
    #[error("{message}")]
    BadPolicy {
        /// What is wrong.
        message: String,
        /// What to write instead.
        help: String,
    },
}

/// A pattern that is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{kind}")]
pub struct RowFault {
    /// Which of the given patterns, from 0.
    pub index: usize,
    /// What is wrong with it.
    pub kind: FaultKind,
}
