//! Finds the one credential of a request. Never looks inside it, never prints it.

use std::fmt;

use http::{HeaderMap, HeaderValue, header};
use thiserror::Error;

use crate::model::Reason;

/// A token as the client sent it. It is shown as `(..)` and leaves this layer only as a digest.
pub struct RawToken(Box<str>);

impl RawToken {
    /// The text, for the eyes of the verifier alone.
    pub(super) fn expose(&self) -> &str {
        &self.0
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
}

impl Credential {
    /// The scheme as a label: lower case.
    pub const fn scheme(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "bearer",
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
) -> Result<Credential, Unpresented> {
    if query.is_some_and(carries_token) {
        return Err(Unpresented::InQuery);
    }
    let mut lines = headers.get_all(header::AUTHORIZATION).iter();
    let line = lines.next().ok_or(Unpresented::Missing)?;
    if lines.next().is_some() {
        return Err(Unpresented::Duplicated);
    }
    bearer(line, token_limit).map(Credential::Bearer)
}

fn bearer(line: &HeaderValue, token_limit: usize) -> Result<RawToken, Unpresented> {
    let (scheme, rest) = split_scheme(line.as_bytes());
    let ours = scheme.eq_ignore_ascii_case(b"bearer");
    let listed = rest.contains(&b',');
    if listed && (ours || lists_bearer(rest)) {
        return Err(Unpresented::Duplicated);
    }
    if !ours {
        return Err(Unpresented::Missing);
    }
    if rest.len() > token_limit {
        return Err(Unpresented::TooLarge {
            bytes: rest.len(),
            limit: token_limit,
        });
    }
    token68(rest)
        .map(|token| RawToken(token.into()))
        .ok_or(Unpresented::Malformed)
}

/// RFC 9110 section 11.4: the scheme, one space, the rest.
fn split_scheme(line: &[u8]) -> (&[u8], &[u8]) {
    let mut parts = line.splitn(2, |byte| *byte == b' ');
    let scheme = parts.next().unwrap_or_default();
    (scheme, parts.next().unwrap_or_default())
}

/// Some stacks join two header lines with a comma: a Bearer behind another scheme is a second credential.
fn lists_bearer(rest: &[u8]) -> bool {
    rest.split(|byte| *byte == b',').skip(1).any(|piece| {
        split_scheme(piece.trim_ascii())
            .0
            .eq_ignore_ascii_case(b"bearer")
    })
}

/// RFC 6750 section 2.1 `b64token`.
fn token68(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    (!body.is_empty() && body.bytes().all(allowed)).then_some(text)
}

/// The name is compared after percent-decoding and without case: a log or an upstream might read it so.
fn carries_token(query: &str) -> bool {
    query
        .split(';')
        .flat_map(|part| url::form_urlencoded::parse(part.as_bytes()))
        .any(|(name, _)| name.eq_ignore_ascii_case("access_token"))
}
