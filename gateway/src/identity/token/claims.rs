//! The claims of an access token, checked before its signature (RFC 9068 section 4). The library that verifies
//! signatures checks none of them here: its defaults let too much through.

use std::time::Duration;

use serde_json::{Map, Value};

use super::jwt::{Header, algorithm_names, is_type, malformed};
use crate::identity::error::{Unverified, shown};
use crate::identity::settings::{Audience, AudienceRule, IssuerSettings, Profile};
use crate::model::{IssuerUrl, UnixTime};

/// How far the issuer's clock may be from ours (RFC 7519 section 4.1.4).
pub(in crate::identity) const LEEWAY: Duration = Duration::from_secs(30);

type Claims = Map<String, Value>;

/// The issuer that the token claims to be from.
pub(in crate::identity) fn issuer<'c>(
    claims: &'c Claims,
    audience: &Audience,
) -> Result<&'c str, Unverified> {
    text(claims, "iss").ok_or_else(|| wrong_issuer(claims, audience))
}

/// What there is to say about a token whose issuer the server does not trust.
pub(in crate::identity) fn wrong_issuer(claims: &Claims, audience: &Audience) -> Unverified {
    let names: Vec<_> = audience.issuers.iter().map(IssuerUrl::as_str).collect();
    Unverified::WrongIssuer {
        expected: names.join(" "),
        got: text(claims, "iss").map_or_else(|| "(not a string)".to_owned(), shown),
    }
}

/// `alg` is one that this issuer uses.
pub(super) fn check_algorithm(header: &Header, issuer: &IssuerSettings) -> Result<(), Unverified> {
    if issuer.algorithms.contains(&header.algorithm) {
        return Ok(());
    }
    Err(Unverified::WrongAlgorithm {
        expected: algorithm_names(&issuer.algorithms),
        got: header.algorithm.name().to_owned(),
    })
}

/// `typ` is one that this issuer uses.
pub(super) fn check_type(header: &Header, issuer: &IssuerSettings) -> Result<(), Unverified> {
    let Some(sent) = &header.token_type else {
        return Err(wrong_type(issuer, "(none)".to_owned()));
    };
    if issuer.token_types.iter().any(|known| is_type(sent, known)) {
        return Ok(());
    }
    Err(wrong_type(issuer, shown(sent)))
}

/// RFC 8725 section 3.12: `JWT` says nothing, so the claims have to: none that only other kinds of token carry, and
/// some word of what the token is good for.
pub(super) fn check_purpose(
    header: &Header,
    claims: &Claims,
    issuer: &IssuerSettings,
) -> Result<(), Unverified> {
    let is_plain = |sent: &String| is_type(sent, "JWT");
    if !header.token_type.as_ref().is_some_and(is_plain) {
        return Ok(());
    }
    let is_there = |claim: &&&str| claims.contains_key(**claim);
    if let Some(claim) = OTHER_KINDS.iter().find(is_there) {
        return Err(wrong_type(issuer, format!("JWT with {claim}")));
    }
    let rights = [
        claims.get("scope"),
        claims.get("scp"),
        at(claims, &issuer.roles_claim),
    ];
    if rights.into_iter().flatten().any(names_something) {
        return Ok(());
    }
    Err(wrong_type(
        issuer,
        "JWT without scope, scp or roles".to_owned(),
    ))
}

fn wrong_type(issuer: &IssuerSettings, got: String) -> Unverified {
    Unverified::WrongType {
        expected: issuer.token_types.join(" "),
        got,
    }
}

fn names_something(value: &Value) -> bool {
    let filled = |text: &str| !text.trim().is_empty();
    match value {
        Value::String(text) => filled(text),
        Value::Array(items) => items.iter().filter_map(Value::as_str).any(filled),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// `aud` holds one of the accepted strings, byte for byte.
pub(super) fn check_audience(claims: &Claims, accepted: &[String]) -> Result<(), Unverified> {
    let is_accepted = |audience: &str| accepted.iter().any(|known| known == audience);
    let holds = match claims.get("aud") {
        Some(Value::String(one)) => is_accepted(one),
        Some(Value::Array(several)) => {
            several.iter().all(Value::is_string)
                && several.iter().filter_map(Value::as_str).any(is_accepted)
        }
        Some(_) | None => false,
    };
    if holds {
        return Ok(());
    }
    Err(wrong_audience(claims, accepted))
}

/// A server that wants tokens of its own takes none that is for others too: whoever else gets it could use it here.
pub(super) fn check_other_audiences(
    claims: &Claims,
    audience: &Audience,
) -> Result<(), Unverified> {
    let is_ours = |value: &Value| {
        let known = |known: &String| value.as_str() == Some(known.as_str());
        audience.accepted.iter().any(known)
    };
    match (audience.audiences, claims.get("aud")) {
        (AudienceRule::Alone, Some(Value::Array(several))) if !several.iter().all(is_ours) => {
            Err(wrong_audience(claims, &audience.accepted))
        }
        (AudienceRule::Alone | AudienceRule::AmongOthers, _) => Ok(()),
    }
}

fn wrong_audience(claims: &Claims, accepted: &[String]) -> Unverified {
    let got = match claims.get("aud") {
        None => "(none)".to_owned(),
        Some(Value::String(one)) => shown(one),
        Some(Value::Array(several)) if several.iter().all(Value::is_string) => {
            let texts: Vec<_> = several.iter().filter_map(Value::as_str).collect();
            shown(&texts.join(" "))
        }
        Some(Value::Array(_)) => "(not all strings)".to_owned(),
        Some(_) => "(not a string)".to_owned(),
    };
    Unverified::WrongAudience {
        expected: accepted.join(" "),
        got,
    }
}

/// `exp`. The moment of expiry itself is too late.
pub(super) fn check_expiry(claims: &Claims, now: UnixTime) -> Result<(), Unverified> {
    let at = expiry(claims)?;
    if is_over(at, now) {
        return Err(Unverified::Expired { at, now });
    }
    Ok(())
}

/// The time in `exp`.
pub(in crate::identity) fn expiry(claims: &Claims) -> Result<UnixTime, Unverified> {
    required_time(claims, "exp", "`exp` is not a time")
}

/// `iat`, without which nobody knows how long the token lives.
pub(super) fn check_issued(claims: &Claims, now: UnixTime) -> Result<(), Unverified> {
    refuse_future("iat", issued(claims)?, now)
}

fn issued(claims: &Claims) -> Result<UnixTime, Unverified> {
    required_time(claims, "iat", "`iat` is not a time")
}

/// A time that has to have come, if it is there.
pub(super) fn check_optional_past(
    claims: &Claims,
    claim: &'static str,
    now: UnixTime,
) -> Result<(), Unverified> {
    match optional_time(claims, claim)? {
        Some(at) => refuse_future(claim, at, now),
        None => Ok(()),
    }
}

/// `exp - iat`.
pub(super) fn check_lifetime(claims: &Claims, longest: Duration) -> Result<(), Unverified> {
    let lifetime = expiry(claims)?.since(issued(claims)?);
    if lifetime > longest {
        return Err(Unverified::TooLongLived {
            limit_seconds: longest.as_secs(),
            got_seconds: lifetime.as_secs(),
        });
    }
    Ok(())
}

/// The client, where RFC 9068 is kept to the letter.
pub(super) fn check_client(claims: &Claims, issuer: &IssuerSettings) -> Result<(), Unverified> {
    match issuer.profile {
        Profile::Strict if client(claims, issuer).is_none() => {
            Err(malformed("no client, which the strict profile demands"))
        }
        Profile::Strict | Profile::Lenient => Ok(()),
    }
}

/// `jti`, where RFC 9068 is kept to the letter.
pub(super) fn check_id(claims: &Claims, issuer: &IssuerSettings) -> Result<(), Unverified> {
    match issuer.profile {
        Profile::Strict if filled(claims, "jti").is_none() => {
            Err(malformed("no `jti`, which the strict profile demands"))
        }
        Profile::Strict | Profile::Lenient => Ok(()),
    }
}

/// Has a token with this `exp` ended, leeway included?
pub(in crate::identity) fn is_over(expires: UnixTime, now: UnixTime) -> bool {
    now >= expires.plus(LEEWAY)
}

/// `sub`: there is no caller without a name.
pub(in crate::identity) fn subject(claims: &Claims) -> Result<&str, Unverified> {
    filled(claims, "sub").ok_or_else(|| malformed("`sub` is not a name"))
}

/// The client that the token was issued to.
pub(in crate::identity) fn client<'c>(
    claims: &'c Claims,
    issuer: &IssuerSettings,
) -> Option<&'c str> {
    filled(claims, &issuer.client_claim).or_else(|| filled(claims, "azp"))
}

/// What stands at the end of a path of members.
pub(in crate::identity) fn at<'c>(claims: &'c Claims, path: &[String]) -> Option<&'c Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| {
        value.as_object()?.get(name)
    })
}

fn text<'c>(claims: &'c Claims, claim: &str) -> Option<&'c str> {
    claims.get(claim).and_then(Value::as_str)
}

fn filled<'c>(claims: &'c Claims, claim: &str) -> Option<&'c str> {
    text(claims, claim).filter(|text| !text.is_empty())
}

/// The time in `claim`, if it is there.
pub(in crate::identity) fn optional_time(
    claims: &Claims,
    claim: &str,
) -> Result<Option<UnixTime>, Unverified> {
    if claims.contains_key(claim) {
        required_time(claims, claim, "a time is not a number").map(Some)
    } else {
        Ok(None)
    }
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
pub(super) const OTHER_KINDS: [&str; 5] = ["nonce", "at_hash", "c_hash", "s_hash", "events"];
