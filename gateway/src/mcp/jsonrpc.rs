//! Strict JSON as JSON-RPC needs it: one value, RFC 8259 and nothing else. Never repairs, never guesses.

pub use super::document::{Document, Member};
pub use super::scan::{Limits, scan};

use crate::model::Reason;

/// Why bytes are not one strict JSON value. Offsets count bytes from the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonFault {
    /// Not UTF-8 (RFC 8259 section 8.1).
    #[error("the text is not utf-8 after byte {offset}")]
    NotUtf8 {
        /// Where the valid text ends.
        offset: usize,
    },
    /// A byte that the grammar does not allow here, or the end of the text.
    #[error("unexpected byte or end at byte {offset}")]
    Unexpected {
        /// Where it stands.
        offset: usize,
    },
    /// Half of a surrogate pair (RFC 8259 section 8.2).
    #[error("lone surrogate at byte {offset}")]
    LoneSurrogate {
        /// Where its escape starts.
        offset: usize,
    },
    /// A number that no double holds (RFC 8259 section 6).
    #[error("the number at byte {offset} is too large")]
    NumberNotFinite {
        /// Where the number starts.
        offset: usize,
    },
    /// More brackets inside each other than allowed.
    #[error("nested too deeply at byte {offset}")]
    TooDeep {
        /// Where the bracket too many stands.
        offset: usize,
    },
    /// More object keys in all than allowed.
    #[error("more than {limit} keys")]
    TooManyKeys {
        /// How many are allowed.
        limit: usize,
    },
    /// An object names a key twice, compared after unescaping.
    #[error("key named twice before byte {offset}")]
    DuplicateKey {
        /// Where the second one ends.
        offset: usize,
    },
}

impl JsonFault {
    /// The reason to refuse a request with this body.
    pub const fn reason(self) -> Reason {
        match self {
            Self::DuplicateKey { .. } => Reason::JsonDuplicateKey,
            Self::NotUtf8 { .. }
            | Self::Unexpected { .. }
            | Self::LoneSurrogate { .. }
            | Self::NumberNotFinite { .. }
            | Self::TooDeep { .. }
            | Self::TooManyKeys { .. } => Reason::JsonMalformed,
        }
    }

    /// The cause in fixed words, for the operator's log.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "the body is not utf-8",
            Self::Unexpected { .. } => "the body is not json",
            Self::LoneSurrogate { .. } => "a string holds a lone surrogate",
            Self::NumberNotFinite { .. } => "a number is too large for a double",
            Self::TooDeep { .. } => "the body is nested too deeply",
            Self::TooManyKeys { .. } => "the body has too many keys",
            Self::DuplicateKey { .. } => "an object names a key twice",
        }
    }
}

#[cfg(test)]
mod tests;
