//! Why a presented credential proves nobody. Holds no token and no claim but what an operator needs to compare.

use thiserror::Error;

use crate::model::{IssuerUrl, Reason, UnixTime};
use crate::state::StateError;

/// Every label that the result of an authentication can have, the good one first. With the last one nothing was
/// looked at.
pub const RESULTS: [&str; 30] = [
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
    "not_bound",
    "unknown_confirmation",
    "dpop_missing",
    "dpop_invalid",
    "dpop_private_key",
    "dpop_wrong_key",
    "dpop_nonce",
    "dpop_replay",
    "cert_missing",
    "cert_mismatch",
    "inactive",
    "bad_api_key",
    "sunset",
    "keys_unavailable",
    "introspection_error",
    "state_unavailable",
    "rate_limited",
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
    /// The token is bound to a key (RFC 9449 section 7.2) and came as a bearer token.
    #[error("the token is bound to a key and came without its proof")]
    KeyBound,
    /// The token is bound to less than the server or the scheme demands.
    #[error("the token is not bound to {expected}")]
    NotBound {
        /// What it should be bound to.
        expected: &'static str,
    },
    /// `cnf` says something that cannot be checked (RFC 7800 section 3.1).
    #[error("the token is bound to something that is not known here")]
    UnknownConfirmation,
    /// The DPoP proof is not good for this request.
    #[error("DPoP proof: {0}")]
    Proof(#[from] ProofFault),
    /// The token is bound to a client certificate, and the connection has none.
    #[error("the token is bound to a client certificate and came without one")]
    CertificateMissing,
    /// The token is bound to another client certificate than that of the connection.
    #[error("the token is bound to another client certificate")]
    CertificateMismatch,
    /// The issuer says that the token is not active (RFC 7662 section 2.2).
    #[error("issuer `{issuer}` says that the token is not active")]
    Inactive {
        /// The issuer.
        issuer: IssuerUrl,
    },
    /// No such API key is valid at this server.
    #[error("not an API key of this server")]
    BadApiKey,
    /// The server's API keys have ended.
    #[error("API keys ended here at {at}")]
    Sunset {
        /// Their end.
        at: UnixTime,
    },
    /// The issuer could not be asked about the token.
    #[error("issuer `{issuer}` cannot be asked about the token: {cause}")]
    IntrospectionUnavailable {
        /// The issuer.
        issuer: IssuerUrl,
        /// What went wrong.
        cause: String,
    },
    /// It could not be noted that the proof was used.
    #[error(transparent)]
    State(#[from] StateError),
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
            Self::IntrospectionUnavailable { .. } => Reason::IntrospectionUnavailable,
            Self::State(_) => Reason::StateUnavailable,
            Self::Sunset { .. } => Reason::ApiKeySunset,
            Self::Proof(fault) => fault.reason(),
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
            | Self::KeyBound
            | Self::NotBound { .. }
            | Self::UnknownConfirmation
            | Self::CertificateMissing
            | Self::CertificateMismatch
            | Self::Inactive { .. }
            | Self::BadApiKey => Reason::TokenInvalid,
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
            Self::NotBound { .. } => "not_bound",
            Self::UnknownConfirmation => "unknown_confirmation",
            Self::Proof(fault) => fault.result(),
            Self::CertificateMissing => "cert_missing",
            Self::CertificateMismatch => "cert_mismatch",
            Self::Inactive { .. } => "inactive",
            Self::BadApiKey => "bad_api_key",
            Self::Sunset { .. } => "sunset",
            Self::IntrospectionUnavailable { .. } => "introspection_error",
            Self::State(_) => "state_unavailable",
            Self::KeysUnavailable { .. } => "keys_unavailable",
        }
    }
}

/// Why a DPoP proof is not good for its request (RFC 9449 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofFault {
    /// There is none.
    #[error("missing")]
    Missing,
    /// There are several.
    #[error("more than one")]
    Several,
    /// It cannot be read in one way only, or a claim is missing.
    #[error("malformed: {what}")]
    Malformed {
        /// What is wrong with it.
        what: &'static str,
    },
    /// It is signed with an algorithm that is not taken, or is no proof.
    #[error("wrong {member}: expected `{expected}`, got `{got}`")]
    Wrong {
        /// The member of header or claims.
        member: &'static str,
        /// What was expected.
        expected: String,
        /// What is there.
        got: String,
    },
    /// `iat` is too far from now.
    #[error("made at {at}, now {now}")]
    Untimely {
        /// `iat`.
        at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The signature is not by the key in its header.
    #[error("bad signature")]
    BadSignature,
    /// The key in its header is a private or symmetric one: who sent it has given it away.
    #[error("with a private or symmetric key in its header")]
    PrivateKey,
    /// A nonce of this gateway is wanted.
    #[error("without a nonce that is good now")]
    NonceWanted,
    /// It is good, but by another key than that of the token.
    #[error("by another key than the token is bound to")]
    WrongKey,
    /// It was used before, or may have been.
    #[error("used before, by key `{key}`")]
    Replayed {
        /// The thumbprint of the key that signed it.
        key: String,
    },
}

impl ProofFault {
    /// RFC 9449 section 7.1: a good proof by another key makes the token invalid, not the proof.
    const fn reason(&self) -> Reason {
        match self {
            Self::NonceWanted => Reason::DpopNonceRequired,
            Self::WrongKey => Reason::TokenInvalid,
            Self::Missing
            | Self::Several
            | Self::Malformed { .. }
            | Self::Wrong { .. }
            | Self::Untimely { .. }
            | Self::BadSignature
            | Self::PrivateKey
            | Self::Replayed { .. } => Reason::DpopProofInvalid,
        }
    }

    const fn result(&self) -> &'static str {
        match self {
            Self::Missing => "dpop_missing",
            Self::Several
            | Self::Malformed { .. }
            | Self::Wrong { .. }
            | Self::Untimely { .. }
            | Self::BadSignature => "dpop_invalid",
            Self::PrivateKey => "dpop_private_key",
            Self::NonceWanted => "dpop_nonce",
            Self::WrongKey => "dpop_wrong_key",
            Self::Replayed { .. } => "dpop_replay",
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
