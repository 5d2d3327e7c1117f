//! Finds the one credential of a request, and the proof that came with it. Never looks inside it, never prints it.

use std::fmt;
use std::sync::OnceLock;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use thiserror::Error;

use crate::model::{Digest, Reason};

/// A token as the client sent it. It is shown as `(..)` and leaves this layer only as a digest.
pub struct RawToken {
    text: Box<str>,
    digest: OnceLock<Digest>,
}

impl RawToken {
    fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            digest: OnceLock::new(),
        }
    }

    /// The text, for the eyes of the verifier alone.
    pub(super) fn expose(&self) -> &str {
        &self.text
    }

    /// The SHA-256 digest of the text, worked out once: the memory, proofs and records all ask for it.
    pub(super) fn digest(&self) -> Digest {
        *self.digest.get_or_init(|| Digest::of(self.text.as_bytes()))
    }
}

impl fmt::Debug for RawToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(..)")
    }
}

/// What a client presented, not yet believed.
#[derive(Debug)]
pub enum Credential {
    /// `Authorization: Bearer …` (RFC 6750 section 2.1).
    Bearer(RawToken),
    /// `Authorization: DPoP …` with what came in the header `DPoP` (RFC 9449 section 7.1).
    Dpop(RawToken, RawProof),
    /// A key of this gateway, in `Authorization: Bearer` or `X-API-Key`.
    ApiKey(RawToken),
}

/// What came in the header `DPoP`.
#[derive(Debug)]
pub enum RawProof {
    /// One proof.
    One(RawToken),
    /// Nothing.
    Missing,
    /// More than one proof (RFC 9449 section 4.3, check 1).
    Several,
    /// What no proof can be: too long, or with characters that no JWT has.
    Malformed,
}

/// Whether the server that is asked takes API keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiKeyHeader {
    /// `X-API-Key` is a credential.
    Taken,
    /// `X-API-Key` is any header.
    Ignored,
}

/// How API keys begin: what tells them from tokens.
pub const API_KEY_PREFIX: &str = "gwk_";

impl Credential {
    /// The scheme as a label: lower case.
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "bearer",
            Self::Dpop(..) => "dpop",
            Self::ApiKey(_) => "api_key",
        }
    }

    /// The digest of its token; nothing of an API key.
    pub fn token_digest(&self) -> Option<Digest> {
        match self {
            Self::Bearer(token) | Self::Dpop(token, _) => Some(token.digest()),
            Self::ApiKey(_) => None,
        }
    }

    fn bearer(token: RawToken) -> Self {
        if token.expose().starts_with(API_KEY_PREFIX) {
            Self::ApiKey(token)
        } else {
            Self::Bearer(token)
        }
    }
}

/// Why a request has no single credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unpresented {
    /// No credential of a scheme we take.
    #[error("no credential")]
    Missing,
    /// More than one credential (RFC 6750 section 2).
    #[error("more than one credential")]
    Duplicated,
    /// A token in the query (RFC 6750 section 2.3 is not supported).
    #[error("a token in the query")]
    InQuery,
    /// A token longer than the limit, in bytes.
    #[error("a token of {bytes} bytes, more than {limit}")]
    TooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// A token with characters that no token has (RFC 6750 section 2.1).
    #[error("a token that is not of the form RFC 6750 gives")]
    Malformed,
}

impl Unpresented {
    /// The reason to refuse.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Missing => Reason::CredentialMissing,
            Self::Duplicated => Reason::CredentialDuplicated,
            Self::InQuery => Reason::CredentialInQuery,
            Self::TooLarge { .. } | Self::Malformed => Reason::TokenInvalid,
        }
    }

    /// The label for metrics and records: one of [`super::error::RESULTS`].
    pub const fn result(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Duplicated | Self::InQuery | Self::TooLarge { .. } | Self::Malformed => {
                "malformed"
            }
        }
    }
}

/// Exactly one credential, from all `Authorization` lines and the raw query. `token_limit` is in bytes.
pub fn present(
    headers: &HeaderMap,
    query: Option<&str>,
    token_limit: usize,
    keys: ApiKeyHeader,
) -> Result<Credential, Unpresented> {
    if query.is_some_and(carries_token) {
        return Err(Unpresented::InQuery);
    }
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Err(Unpresented::Duplicated);
    }
    let key = match keys {
        ApiKeyHeader::Taken => api_key(headers, token_limit)?,
        ApiKeyHeader::Ignored => None,
    };
    match (line, key) {
        (Some(_), Some(_)) => Err(Unpresented::Duplicated),
        (None, Some(key)) => Ok(Credential::ApiKey(key)),
        (Some(line), None) => authorization(line, headers, token_limit),
        (None, None) => Err(Unpresented::Missing),
    }
}

fn api_key(headers: &HeaderMap, limit: usize) -> Result<Option<RawToken>, Unpresented> {
    let mut lines = headers.get_all(&API_KEY).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => token(line.as_bytes(), limit).map(Some),
        (Some(_), Some(_)) => Err(Unpresented::Duplicated),
    }
}

fn authorization(
    line: &HeaderValue,
    headers: &HeaderMap,
    token_limit: usize,
) -> Result<Credential, Unpresented> {
    let (scheme, rest) = split_scheme(line.as_bytes());
    let ours = is_ours(scheme);
    // Some stacks join two header lines with a comma: what follows is a second credential.
    if rest.contains(&b',') && (ours || lists_ours(rest)) {
        return Err(Unpresented::Duplicated);
    }
    if !ours {
        return Err(Unpresented::Missing);
    }
    let token = token(rest, token_limit)?;
    Ok(if scheme.eq_ignore_ascii_case(DPOP) {
        Credential::Dpop(token, proof(headers, token_limit))
    } else {
        Credential::bearer(token)
    })
}

fn token(bytes: &[u8], limit: usize) -> Result<RawToken, Unpresented> {
    if bytes.len() > limit {
        return Err(Unpresented::TooLarge {
            bytes: bytes.len(),
            limit,
        });
    }
    token68(bytes)
        .map(RawToken::new)
        .ok_or(Unpresented::Malformed)
}

/// RFC 9449 section 4.3, checks 1 and 2. Node joins two lines with a comma.
fn proof(headers: &HeaderMap, limit: usize) -> RawProof {
    let mut lines = headers.get_all(&DPOP_HEADER).iter();
    match (lines.next(), lines.next()) {
        (None, _) => RawProof::Missing,
        (Some(_), Some(_)) => RawProof::Several,
        (Some(line), None) if line.as_bytes().contains(&b',') => RawProof::Several,
        (Some(line), None) => {
            token(line.as_bytes(), limit).map_or(RawProof::Malformed, RawProof::One)
        }
    }
}

/// RFC 9110 section 11.4: the scheme, one space, the rest.
fn split_scheme(line: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = line.splitn(2, |byte| *byte == b' ');
    let scheme = parts.next().unwrap_or_default();
    (scheme, parts.next().unwrap_or_default())
}

fn is_ours(scheme: &[u8]) -> bool {
    scheme.eq_ignore_ascii_case(BEARER) || scheme.eq_ignore_ascii_case(DPOP)
}

fn lists_ours(rest: &[u8]) -> bool {
    rest.split(|byte| *byte == b',')
        .skip(1)
        .any(|piece| is_ours(split_scheme(piece.trim_ascii()).0))
}

/// RFC 6750 section 2.1 `b64token`.
fn token68(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    // Does not stop at the first bad one, so that the compiler looks at many at once: a proof is long.
    let all = body.bytes().fold(true, |all, byte| all & allowed(byte));
    (!body.is_empty() && all).then_some(text)
}

/// The name is compared after percent-decoding and without case: a log or an upstream might read it so.
fn carries_token(query: &str) -> bool {
    query
        .split(';')
        .flat_map(|part| url::form_urlencoded::parse(part.as_bytes()))
        .any(|(name, _)| name.eq_ignore_ascii_case("access_token"))
}

const BEARER: &[u8] = b"bearer";
const DPOP: &[u8] = b"dpop";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const DPOP_HEADER: HeaderName = HeaderName::from_static("dpop");
