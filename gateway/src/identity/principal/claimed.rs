//! What the claims of a verified token say about its principal. Never splits or guesses: another shape is no claim.

use serde_json::{Map, Value};

use super::{Actor, PrincipalKind};
use crate::identity::error::Unverified;
use crate::identity::settings::IssuerSettings;
use crate::identity::token::claims;
use crate::identity::token::jwt::malformed;
use crate::model::RoleName;

/// A client that acts for itself is its own subject (RFC 9068 section 2.2), or its issuer says so in its own way.
pub(super) fn kind(
    claims: &Map<String, Value>,
    settings: &IssuerSettings,
    subject: &str,
) -> PrincipalKind {
    let Some(client) = claims::client(claims, settings) else {
        return PrincipalKind::User;
    };
    let acts_alone = client == subject
        || text(claims, "gty") == Some("client-credentials")
        || text(claims, "idtyp") == Some("app");
    if !acts_alone {
        PrincipalKind::User
    } else if settings.service_clients.iter().any(|known| known == client) {
        PrincipalKind::Service
    } else {
        PrincipalKind::Agent
    }
}

pub(super) fn text<'c>(claims: &'c Map<String, Value>, claim: &str) -> Option<&'c str> {
    claims
        .get(claim)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A string is one role, an array of strings several; any other shape is no role at all, and no string is ever
/// split: a role named `a,b` is not `a`.
pub(super) fn roles(claims: &Map<String, Value>, path: &[String]) -> Vec<RoleName> {
    claims::at(claims, path)
        .and_then(strings)
        .unwrap_or_default()
        .into_iter()
        .map(RoleName::new)
        .collect()
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    let texts = match value {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several
            .iter()
            .map(Value::as_str)
            .collect::<Option<Vec<_>>>()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    Some(texts.into_iter().filter(|text| !text.is_empty()).collect())
}

/// RFC 8693 section 4.2: `scope` is one string with single spaces. `scp` is what some issuers send instead, as a
/// string or an array. Any other shape is no scope.
pub(super) fn scopes(claims: &Map<String, Value>) -> Vec<Box<str>> {
    let texts = match (claims.get("scope"), claims.get("scp")) {
        (Some(scope), _) => scope.as_str().map(|scope| scope.split(' ').collect()),
        (None, Some(Value::String(scope))) => Some(scope.split(' ').collect()),
        (None, Some(scopes)) => strings(scopes),
        (None, None) => None,
    };
    texts
        .unwrap_or_default()
        .into_iter()
        .filter(|scope| !scope.is_empty())
        .map(Into::into)
        .collect()
}

/// RFC 8693 section 4.1. An actor that cannot be read is a refusal: to leave it out would hide who acts.
pub(in crate::identity) fn actors(
    claims: &Map<String, Value>,
    claim: &str,
) -> Result<Vec<Actor>, Unverified> {
    let mut chain = Vec::new();
    let mut next = claims.get(claim);
    while let Some(value) = next {
        if chain.len() == MOST_ACTORS {
            return Err(malformed("a chain of too many actors"));
        }
        let actor = value
            .as_object()
            .ok_or_else(|| malformed("an actor is not an object"))?;
        let subject = text(actor, "sub").ok_or_else(|| malformed("an actor without `sub`"))?;
        chain.push(Actor {
            subject: subject.into(),
            issuer: text(actor, "iss").map(Into::into),
        });
        next = actor.get(claim);
    }
    Ok(chain)
}

const MOST_ACTORS: usize = 8;
