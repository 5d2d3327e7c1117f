//! The claims of an access token, checked before its signature (RFC 9068 section 4). The library that verifies
//! signatures checks none of them here: its defaults let too much through.

use std::time::Duration;

use serde_json::{Map, Value};

use super::jwt::{Header, algorithm_names, malformed, normal_type};
use crate::identity::error::{Unverified, shown};
use crate::identity::settings::{Audience, IssuerSettings};
use crate::model::{IssuerUrl, UnixTime};

/// How far the issuer's clock may be from ours (RFC 7519 section 4.1.4).
pub(in crate::identity) const LEEWAY: Duration = Duration::from_secs(30);

type Claims = Map<String, Value>;

/// The issuer that the token claims to be from.
pub(in crate::identity) fn issuer<'c>(
    claims: &'c Claims,
    audience: &Audience,
) -> Result<&'c str, Unverified> {
    claims
        .get("iss")
        .and_then(Value::as_str)
        .ok_or_else(|| Unverified::WrongIssuer {
            expected: trusted(audience),
            got: "(not a string)".to_owned(),
        })
}

/// The issuers of a server, for the operator's log.
pub(in crate::identity) fn trusted(audience: &Audience) -> String {
    let names: Vec<_> = audience.issuers.iter().map(IssuerUrl::as_str).collect();
    names.join(" ")
}

/// `alg` and `typ` are of those that this issuer uses.
pub(in crate::identity) fn check_header(
    header: &Header,
    claims: &Claims,
    issuer: &IssuerSettings,
) -> Result<(), Unverified> {
    if !issuer.algorithms.contains(&header.algorithm) {
        return Err(Unverified::WrongAlgorithm {
            expected: algorithm_names(&issuer.algorithms),
            got: header.algorithm.name().to_owned(),
        });
    }
    let wrong_type = |got: String| Unverified::WrongType {
        expected: issuer.token_types.join(" "),
        got,
    };
    let Some(sent) = &header.token_type else {
        return Err(wrong_type("(none)".to_owned()));
    };
    let token_type = normal_type(sent);
    let accepted = |known: &String| normal_type(known) == token_type;
    if !issuer.token_types.iter().any(accepted) {
        return Err(wrong_type(shown(sent)));
    }
    // RFC 8725 section 3.12: `JWT` says nothing, so what only other kinds of token carry must be absent.
    let foreign = || {
        OTHER_KINDS
            .into_iter()
            .find(|claim| claims.contains_key(*claim))
    };
    match foreign() {
        Some(claim) if token_type == "jwt" => {
            Err(wrong_type(format!("{} with {claim}", shown(sent))))
        }
        Some(_) | None => Ok(()),
    }
}

/// `aud` holds one of the accepted strings, byte for byte.
pub(in crate::identity) fn check_audience(
    claims: &Claims,
    accepted: &[String],
) -> Result<(), Unverified> {
    let wrong = |got: &str| {
        Err(Unverified::WrongAudience {
            expected: accepted.join(" "),
            got: shown(got),
        })
    };
    let audiences = match claims.get("aud") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(several)) => match several
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<_>>>()
        {
            Some(several) => several,
            None => return wrong("(not all strings)"),
        },
        Some(_) => return wrong("(not a string)"),
        None => return wrong("(none)"),
    };
    if audiences
        .iter()
        .any(|audience| accepted.iter().any(|known| known == audience))
    {
        return Ok(());
    }
    wrong(&audiences.join(" "))
}

/// `exp`, `nbf` and `iat`; returns `exp`. The moment of expiry itself is too late.
pub(in crate::identity) fn check_times(
    claims: &Claims,
    longest: Duration,
    now: UnixTime,
) -> Result<UnixTime, Unverified> {
    let expires = required_time(claims, "exp", "`exp` is not a time")?;
    let issued = required_time(claims, "iat", "`iat` is not a time")?;
    if is_over(expires, now) {
        return Err(Unverified::Expired { at: expires, now });
    }
    refuse_future("iat", issued, now)?;
    if claims.contains_key("nbf") {
        refuse_future(
            "nbf",
            required_time(claims, "nbf", "`nbf` is not a time")?,
            now,
        )?;
    }
    let lifetime = expires.since(issued);
    if lifetime > longest {
        return Err(Unverified::TooLongLived {
            limit_seconds: longest.as_secs(),
            got_seconds: lifetime.as_secs(),
        });
    }
    Ok(expires)
}

/// Has a token with this `exp` ended, leeway included?
pub(in crate::identity) fn is_over(expires: UnixTime, now: UnixTime) -> bool {
    now >= expires.plus(LEEWAY)
}

/// `sub`: there is no caller without a name.
pub(in crate::identity) fn subject(claims: &Claims) -> Result<&str, Unverified> {
    claims
        .get("sub")
        .and_then(Value::as_str)
        .filter(|subject| !subject.is_empty())
        .ok_or_else(|| malformed("`sub` is not a name"))
}

fn refuse_future(claim: &'static str, at: UnixTime, now: UnixTime) -> Result<(), Unverified> {
    if at > now.plus(LEEWAY) {
        return Err(Unverified::NotYetValid { claim, at, now });
    }
    Ok(())
}

/// RFC 7519 section 2 NumericDate: seconds, possibly with a fraction, never text and never negative.
fn required_time(claims: &Claims, claim: &str, what: &'static str) -> Result<UnixTime, Unverified> {
    let Some(Value::Number(number)) = claims.get(claim) else {
        return Err(malformed(what));
    };
    if let Some(seconds) = number.as_u64() {
        return Ok(UnixTime::from_seconds(seconds));
    }
    number
        .as_f64()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .map(UnixTime::from_millis)
        .ok_or_else(|| malformed(what))
}

/// Claims of ID tokens (OpenID Connect Core section 2), logout tokens and security events (RFC 8417).
const OTHER_KINDS: [&str; 4] = ["nonce", "at_hash", "c_hash", "events"];
