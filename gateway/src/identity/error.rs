//! Why a presented credential proves nobody. Holds no token and no claim but what an operator needs to compare.

use thiserror::Error;

use crate::model::{IssuerUrl, Reason, UnixTime};

/// Every label that the result of an authentication can have, the good one first.
pub const RESULTS: [&str; 14] = [
    "ok",
    "missing",
    "malformed",
    "bad_signature",
    "unknown_key",
    "wrong_issuer",
    "wrong_audience",
    "expired",
    "not_yet_valid",
    "wrong_type",
    "wrong_algorithm",
    "too_long_lived",
    "key_bound",
    "keys_unavailable",
];

/// Why a credential was not believed. The text is for the operator's log, never for the client: clients are told
/// one and the same sentence, so that nobody can feel their way to a token that passes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unverified {
    /// The token cannot be read in one way only.
    #[error("malformed token: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// `alg` is not among the issuer's algorithms (RFC 8725 section 3.1).
    #[error("wrong algorithm: expected one of `{expected}`, got `{got}`")]
    WrongAlgorithm {
        /// The accepted names.
        expected: String,
        /// The name in the header.
        got: String,
    },
    /// `typ` is not among the issuer's token types, or the token is an ID token (RFC 9068 section 4).
    #[error("wrong type: expected one of `{expected}`, got `{got}`")]
    WrongType {
        /// The accepted names.
        expected: String,
        /// What the token is.
        got: String,
    },
    /// `iss` is not an issuer that this server trusts.
    #[error("wrong issuer: expected one of `{expected}`, got `{got}`")]
    WrongIssuer {
        /// The issuers that the server trusts.
        expected: String,
        /// The issuer in the token.
        got: String,
    },
    /// `aud` does not name this server.
    #[error("wrong audience: expected one of `{expected}`, got `{got}`")]
    WrongAudience {
        /// The accepted audiences.
        expected: String,
        /// The audience in the token.
        got: String,
    },
    /// `exp` has passed.
    #[error("expired at {at}, now {now}")]
    Expired {
        /// The end of its life.
        at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// `nbf` or `iat` lies in the future.
    #[error("not yet valid: `{claim}` is {at}, now {now}")]
    NotYetValid {
        /// The claim.
        claim: &'static str,
        /// Its time.
        at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// `exp - iat` exceeds the issuer's limit.
    #[error("too long lived: expected at most {limit_seconds} s, got {got_seconds} s")]
    TooLongLived {
        /// The limit.
        limit_seconds: u64,
        /// The lifetime of the token.
        got_seconds: u64,
    },
    /// The issuer publishes no one key that fits.
    #[error("unknown key `{key}` of issuer `{issuer}`")]
    UnknownKey {
        /// The issuer.
        issuer: IssuerUrl,
        /// `kid`, or a word for its absence.
        key: String,
    },
    /// The signature is not by the key that the token names.
    #[error("bad signature under key `{key}` of issuer `{issuer}`")]
    BadSignature {
        /// The issuer.
        issuer: IssuerUrl,
        /// `kid`, or a word for its absence.
        key: String,
    },
    /// The token is bound to a key (RFC 7800) whose possession was not proven.
    #[error("the token is bound to a key and came without its proof")]
    KeyBound,
    /// The issuer's keys were never fetched, or too long ago.
    #[error("no keys of issuer `{issuer}`")]
    KeysUnavailable {
        /// The issuer.
        issuer: IssuerUrl,
    },
}

impl Unverified {
    /// The reason to refuse.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::KeysUnavailable { .. } => Reason::IssuerKeysUnavailable,
            Self::Malformed { .. }
            | Self::WrongAlgorithm { .. }
            | Self::WrongType { .. }
            | Self::WrongIssuer { .. }
            | Self::WrongAudience { .. }
            | Self::Expired { .. }
            | Self::NotYetValid { .. }
            | Self::TooLongLived { .. }
            | Self::UnknownKey { .. }
            | Self::BadSignature { .. }
            | Self::KeyBound => Reason::TokenInvalid,
        }
    }

    /// The label for metrics and records: one of [`RESULTS`].
    pub const fn result(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::WrongAlgorithm { .. } => "wrong_algorithm",
            Self::WrongType { .. } => "wrong_type",
            Self::WrongIssuer { .. } => "wrong_issuer",
            Self::WrongAudience { .. } => "wrong_audience",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::TooLongLived { .. } => "too_long_lived",
            Self::UnknownKey { .. } => "unknown_key",
            Self::BadSignature { .. } => "bad_signature",
            Self::KeyBound => "key_bound",
            Self::KeysUnavailable { .. } => "keys_unavailable",
        }
    }
}

/// Text of a stranger as it may stand in a log: escaped to printable ASCII, and cut.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .take(SHOWN_CHARACTERS)
        .flat_map(char::escape_default)
        .collect()
}

const SHOWN_CHARACTERS: usize = 120;
