//! The values that labels may have: closed lists. Whatever is not on one is counted as `_OTHER`.

use prometheus::IntCounter;

use crate::identity::error::RESULTS;
use crate::mcp::Method;
use crate::mcp::method::ROWS;
use crate::model::Reason;

/// How a request came with its credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// It had none that could be read.
    None,
    /// As a bearer token (RFC 6750).
    Bearer,
    /// As a token with a proof of its key (RFC 9449).
    Dpop,
    /// As a key of the gateway's own.
    ApiKey,
}

impl Scheme {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Bearer, Self::Dpop, Self::ApiKey];

    /// The name in labels and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bearer => "bearer",
            Self::Dpop => "dpop",
            Self::ApiKey => "api_key",
        }
    }
}

/// Why a connection was closed before a request was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwelcome {
    /// Its source has as many as it may.
    Source,
    /// The TLS handshake failed.
    Handshake,
    /// The handshake, or the head of a request, took too long.
    Slow,
    /// The head of a request could not be read.
    Malformed,
    /// Frames of HTTP/2 came that serve no request, too many in a second.
    Flood,
}

impl Unwelcome {
    pub(super) const ALL: [Self; 5] = [
        Self::Source,
        Self::Handshake,
        Self::Slow,
        Self::Malformed,
        Self::Flood,
    ];

    /// The value of `reason`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Handshake => "handshake",
            Self::Slow => "slow",
            Self::Malformed => "malformed",
            Self::Flood => "flood",
        }
    }
}

/// What a challenge says (RFC 6750 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// 401: no credential came.
    Missing,
    /// 401: the token is not valid here.
    InvalidToken,
    /// 401: the DPoP proof is not valid here.
    InvalidProof,
    /// 401: the DPoP proof needs a nonce.
    NonceWanted,
    /// 401: the user has to log in again.
    StaleLogin,
    /// 403: a scope would help.
    InsufficientScope,
    /// 400: more than one credential, or one in the query.
    InvalidRequest,
}

impl Challenge {
    pub(super) const ALL: [Self; 7] = [
        Self::Missing,
        Self::InvalidToken,
        Self::InvalidProof,
        Self::NonceWanted,
        Self::StaleLogin,
        Self::InsufficientScope,
        Self::InvalidRequest,
    ];

    /// The values of `status` and `error`.
    pub(super) const fn labels(self) -> [&'static str; 2] {
        match self {
            Self::Missing => ["401", ""],
            Self::InvalidToken => ["401", "invalid_token"],
            Self::InvalidProof => ["401", "invalid_dpop_proof"],
            Self::NonceWanted => ["401", "use_dpop_nonce"],
            Self::StaleLogin => ["401", "insufficient_user_authentication"],
            Self::InsufficientScope => ["403", "insufficient_scope"],
            Self::InvalidRequest => ["400", "invalid_request"],
        }
    }
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With a result.
    Success,
    /// With a result in which the tool says that it failed.
    ToolError,
    /// With a JSON-RPC error of the upstream.
    RpcError(i64),
    /// With a refusal of the gateway.
    Refused(Reason),
    /// Without an end: the client or the upstream went away.
    Aborted,
}

impl Ending {
    /// The value of `error_type`. An upstream chooses its own codes, so that only those of the protocols have a value.
    pub(super) const fn error_type(self) -> &'static str {
        match self {
            Self::Success => "",
            Self::ToolError => "tool_error",
            Self::RpcError(code) => rpc_error(code),
            Self::Refused(reason) => reason.name(),
            Self::Aborted => "aborted",
        }
    }
}

const fn rpc_error(code: i64) -> &'static str {
    match code {
        -32700 => "-32700",
        -32603 => "-32603",
        -32602 => "-32602",
        -32601 => "-32601",
        -32600 => "-32600",
        -32042 => "-32042",
        -32022 => "-32022",
        -32021 => "-32021",
        -32020 => "-32020",
        -32002 => "-32002",
        -32001 => "-32001",
        -32000 => "-32000",
        _ => OTHER,
    }
}

/// The entry for `key`, or the last one, which stands for all others.
pub(super) fn pick<K: Copy + PartialEq, V>(entries: &[(K, V)], key: K) -> Option<&V> {
    let known = entries.iter().find(|(known, _)| *known == key);
    known.or(entries.last()).map(|(_, value)| value)
}

/// Counts one more `reason`.
pub(super) fn count(counters: &[(Reason, IntCounter)], reason: Reason) {
    if let Some((_, counter)) = counters.iter().find(|(known, _)| *known == reason) {
        counter.inc();
    }
}

/// What can become of a credential: identity's closed list.
pub(super) fn authn_results() -> impl Iterator<Item = &'static str> {
    RESULTS.into_iter().chain([OTHER])
}

/// The requests of MCP. Notifications, streams and whatever is unknown are `_OTHER`.
pub(super) fn methods() -> impl Iterator<Item = &'static str> {
    let named = ROWS.iter().filter(|row| row.method != Method::Unknown);
    let requests = named.filter(|row| !Method::is_notification(row.name));
    requests.map(|row| row.name).chain([OTHER])
}

/// What is not on a list.
pub(super) const OTHER: &str = "_OTHER";
