//! What an issuer said of an opaque token, checked as the claims of a JWT are (RFC 7662 section 2.2). Never believes
//! an answer about another audience, another issuer or another time.

use std::time::Duration;

use serde_json::{Map, Value};

use super::claims;
use super::jwt::{is_type, malformed};
use crate::identity::error::{Unverified, shown};
use crate::identity::settings::{Audience, IssuerSettings};
use crate::model::UnixTime;

type Claims = Map<String, Value>;

/// Checks what is said of an active token, and gives it a subject if a client acts alone; answers its end.
pub(in crate::identity) fn check(
    said: &mut Claims,
    issuer: &IssuerSettings,
    audience: &Audience,
    now: UnixTime,
) -> Result<UnixTime, Unverified> {
    check_issuer(said, issuer)?;
    check_kind(said)?;
    claims::check_audience(said, &audience.accepted)?;
    claims::check_other_audiences(said, audience)?;
    claims::check_expiry(said, now)?;
    for claim in ["iat", "nbf", "auth_time"] {
        claims::check_optional_past(said, claim, now)?;
    }
    let expires = claims::expiry(said)?;
    check_lifetime(said, (expires, now), issuer.max_token_lifetime)?;
    name(said, issuer)?;
    Ok(expires)
}

/// `iss` may be absent: it was this issuer who answered.
fn check_issuer(said: &Claims, issuer: &IssuerSettings) -> Result<(), Unverified> {
    match said.get("iss") {
        None => Ok(()),
        Some(Value::String(named)) if named == issuer.url.as_str() => Ok(()),
        Some(other) => Err(Unverified::WrongIssuer {
            expected: issuer.url.to_string(),
            got: shown(other.as_str().unwrap_or("(not a string)")),
        }),
    }
}

/// An issuer vouches for refresh and ID tokens just as well: what it was asked for is only a hint (RFC 7662 section 2.1).
fn check_kind(said: &Claims) -> Result<(), Unverified> {
    let wrong = |got: String| {
        Err(Unverified::WrongType {
            expected: "an access token".to_owned(),
            got,
        })
    };
    let is_there = |claim: &&&str| said.contains_key(**claim);
    if let Some(claim) = claims::OTHER_KINDS.iter().find(is_there) {
        return wrong(format!("a token with {claim}"));
    }
    for name in ["token_type", "token_use", "typ"] {
        let Some(value) = said.get(name) else {
            continue;
        };
        let kind = value.as_str().unwrap_or("(not a string)");
        if !ACCESS.iter().any(|known| is_type(kind, known)) {
            return wrong(format!("{name} {}", shown(kind)));
        }
    }
    Ok(())
}

/// A token that does not say when it was issued was issued before now: what is left is the least it lives.
fn check_lifetime(
    said: &Claims,
    (expires, now): (UnixTime, UnixTime),
    longest: Duration,
) -> Result<(), Unverified> {
    let issued = claims::optional_time(said, "iat")?.unwrap_or(now);
    let lifetime = expires.since(issued);
    if lifetime > longest {
        return Err(Unverified::TooLongLived {
            limit_seconds: longest.as_secs(),
            got_seconds: lifetime.as_secs(),
        });
    }
    Ok(())
}

/// RFC 7662 section 2.2 makes `sub` optional: a client that acts for itself is its own subject.
fn name(said: &mut Claims, issuer: &IssuerSettings) -> Result<(), Unverified> {
    if said.contains_key("sub") {
        return claims::subject(said).map(drop);
    }
    let client = claims::client(said, issuer).map(str::to_owned);
    let client = client.ok_or_else(|| malformed("neither `sub` nor a client"))?;
    said.insert("sub".to_owned(), Value::String(client));
    Ok(())
}

/// What issuers call an access token, in the members that say what a token is.
const ACCESS: [&str; 6] = ["Bearer", "DPoP", "access", "access_token", "at+jwt", "JWT"];
