//! The proven caller. The only way here is to bind a verified token; nothing about a caller comes from a header.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::error::Unverified;
use super::token::claims;
use super::token::jwt::malformed;
use super::token::verified::VerifiedToken;
use crate::model::{IssuerUrl, RoleName, UnixTime};

/// What kind of party a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A person, possibly through a client.
    User,
    /// A client that acts for itself (client credentials).
    Agent,
    /// A service with its own account.
    Service,
}

impl PrincipalKind {
    /// The name in records and policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Agent => "agent",
            Self::Service => "service",
        }
    }
}

/// One party of a delegation (RFC 8693 section 4.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    subject: Box<str>,
    issuer: Option<Box<str>>,
}

impl Actor {
    /// Its `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Its `iss`, when the token says it.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }
}

/// Who is calling. Identity is issuer and subject together: a subject alone names nobody.
#[derive(Debug)]
pub struct Principal {
    issuer: IssuerUrl,
    subject: Box<str>,
    kind: PrincipalKind,
    client_id: Option<Box<str>>,
    roles: Vec<RoleName>,
    scopes: Vec<Box<str>>,
    actors: Vec<Actor>,
    token_id: Box<str>,
    expires: UnixTime,
    model: Option<Box<str>>,
}

impl Principal {
    /// The issuer that vouches for it.
    pub const fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// `sub`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What kind of party it is.
    pub const fn kind(&self) -> PrincipalKind {
        self.kind
    }

    /// The client that the token was issued to.
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Its roles, sorted, each once.
    pub fn roles(&self) -> &[RoleName] {
        &self.roles
    }

    /// Its scopes, in the order of the token.
    pub fn scopes(&self) -> &[Box<str>] {
        &self.scopes
    }

    /// Who acts for it, the present actor first.
    pub fn actors(&self) -> &[Actor] {
        &self.actors
    }

    /// `jti`, or `sha256:` and the digest of the token.
    pub fn token_id(&self) -> &str {
        &self.token_id
    }

    /// `exp`, without leeway.
    pub const fn expires(&self) -> UnixTime {
        self.expires
    }

    /// Whether its token has ended, with the leeway that every check of time has.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        claims::is_over(self.expires, now)
    }

    /// The model that the issuer says is calling.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }
}

impl VerifiedToken<'_> {
    /// Makes a principal of a token that may be presented by whoever holds it. A key-bound token (RFC 7800) is
    /// refused: without the proof of its key it shows only that it was copied.
    pub(super) fn bind(self) -> Result<Arc<Principal>, Unverified> {
        let (claims, settings) = (self.claims(), self.issuer());
        if claims.contains_key("cnf") {
            return Err(Unverified::KeyBound);
        }
        let subject = claims::subject(claims)?;
        let client_id = text(claims, &settings.client_claim).or_else(|| text(claims, "azp"));
        let kind = match client_id {
            Some(client) if client == subject => PrincipalKind::Agent,
            Some(_) | None => PrincipalKind::User,
        };
        Ok(Arc::new(Principal {
            issuer: settings.url.clone(),
            subject: subject.into(),
            kind,
            client_id: client_id.map(Into::into),
            roles: roles(claims, &settings.roles_claim),
            scopes: scopes(claims),
            actors: actors(claims, &settings.actor_claim)?,
            token_id: match text(claims, "jti") {
                Some(id) => id.into(),
                None => format!("sha256:{}", self.digest()).into(),
            },
            expires: self.expires(),
            model: settings
                .model_claim
                .as_deref()
                .and_then(|claim| text(claims, claim))
                .map(Into::into),
        }))
    }
}

fn text<'c>(claims: &'c Map<String, Value>, claim: &str) -> Option<&'c str> {
    claims
        .get(claim)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A string is one role, an array of strings several; any other shape is no role at all, and no string is ever
/// split: a role named `a,b` is not `a`.
fn roles(claims: &Map<String, Value>, path: &[String]) -> Vec<RoleName> {
    let mut roles: Vec<RoleName> = at(claims, path)
        .and_then(strings)
        .unwrap_or_default()
        .into_iter()
        .map(RoleName::new)
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

fn at<'c>(claims: &'c Map<String, Value>, path: &[String]) -> Option<&'c Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| {
        value.as_object()?.get(name)
    })
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
fn scopes(claims: &Map<String, Value>) -> Vec<Box<str>> {
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
fn actors(claims: &Map<String, Value>, claim: &str) -> Result<Vec<Actor>, Unverified> {
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
