//! The proven caller. The only way here is to bind a verified token; nothing about a caller comes from a header.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::binding::{Confirmation, Thumbprint};
use super::error::{ProofFault, Unverified};
use super::inspection::Portrait;
use super::settings::{ApiKeyRow, Audience, Grant, IssuerSettings, SenderConstraint};
use super::token::claims;
use super::token::verified::VerifiedToken;
use crate::model::{Digest, IssuerUrl, RoleName, UnixTime};

mod claimed;
mod stated;

pub(in crate::identity) use claimed::actors;
use claimed::{kind, roles, scopes, text};
use stated::Stated;

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
    issued: Option<UnixTime>,
    authenticated: Option<UnixTime>,
    acr: Option<Box<str>>,
    confirmation: Confirmation,
    origin: Origin,
    stated: Stated,
}

/// Where the gateway's knowledge of a principal comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A token of an issuer.
    Token,
    /// A key of the gateway's own.
    ApiKey,
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

    /// The moment from which [`Self::is_expired`] says yes: `exp` and the leeway.
    pub fn ends(&self) -> UnixTime {
        self.expires.plus(claims::LEEWAY)
    }

    /// Whether its token has ended, with the leeway that every check of time has.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        claims::is_over(self.expires, now)
    }

    /// The model that the issuer says is calling.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// `iat`.
    pub const fn issued(&self) -> Option<UnixTime> {
        self.issued
    }

    /// `auth_time`: when the user last logged in.
    pub const fn authenticated(&self) -> Option<UnixTime> {
        self.authenticated
    }

    /// `acr`: how the user logged in.
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }

    /// The claims of its token that policies read.
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.stated.claims
    }

    /// The `authorization_details` of its token that are meant for this server (RFC 9396 section 2).
    pub fn details(&self) -> &[Value] {
        &self.stated.details
    }

    /// What its token is bound to.
    pub const fn confirmation(&self) -> &Confirmation {
        &self.confirmation
    }

    /// How it is known.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The scheme of its credential, as a label.
    pub const fn scheme(&self) -> &'static str {
        match (self.origin, &self.confirmation.key) {
            (Origin::ApiKey, _) => "api_key",
            (Origin::Token, Some(_)) => "dpop",
            (Origin::Token, None) => "bearer",
        }
    }
}

/// A principal whose token is verified, and whose sender has still to show the keys that the token is bound to.
#[derive(Debug)]
pub struct Unbound(Arc<Principal>);

impl Unbound {
    /// The issuer of the token.
    pub(super) fn issuer(&self) -> &IssuerUrl {
        self.0.issuer()
    }

    /// The end of the token.
    pub(super) fn expires(&self) -> UnixTime {
        self.0.expires
    }

    /// Who it would be, for an operator.
    pub(super) fn portrait(&self) -> Portrait {
        Portrait::of(&self.0)
    }

    /// The principal, if its sender showed what the token and the server demand: `key` signed a proof for this
    /// request, `certificate` is that of the connection.
    pub(super) fn bind(
        &self,
        key: Option<&Thumbprint>,
        certificate: Option<&Thumbprint>,
        constraint: SenderConstraint,
    ) -> Result<Arc<Principal>, Unverified> {
        let bound = &self.0.confirmation;
        match (&bound.key, key) {
            (None, None) => {}
            (Some(_), None) => return Err(Unverified::KeyBound),
            // RFC 9449 section 7.1: the scheme says that the token is bound.
            (None, Some(_)) => return Err(Unverified::NotBound { expected: "a key" }),
            (Some(bound), Some(shown)) if bound == shown => {}
            (Some(_), Some(_)) => return Err(ProofFault::WrongKey.into()),
        }
        match (&bound.certificate, certificate) {
            (None, _) => {}
            (Some(_), None) => return Err(Unverified::CertificateMissing),
            (Some(bound), Some(shown)) if bound == shown => {}
            (Some(_), Some(_)) => return Err(Unverified::CertificateMismatch),
        }
        satisfies(bound, constraint)?;
        Ok(Arc::clone(&self.0))
    }
}

/// Whether what a token is bound to is what the server demands.
pub(super) fn satisfies(
    bound: &Confirmation,
    constraint: SenderConstraint,
) -> Result<(), Unverified> {
    let (key, certificate) = (bound.key.is_some(), bound.certificate.is_some());
    let (holds, expected) = match constraint {
        SenderConstraint::Any => (true, ""),
        SenderConstraint::Dpop => (key, "a key"),
        SenderConstraint::Mtls => (certificate, "a client certificate"),
        SenderConstraint::DpopOrMtls => (key || certificate, "a key or a client certificate"),
    };
    if holds {
        Ok(())
    } else {
        Err(Unverified::NotBound { expected })
    }
}

impl VerifiedToken<'_> {
    /// Makes a principal of the token, to be bound to the keys that its sender shows.
    /// Of its claims it keeps those that are `wanted`.
    pub(super) fn claim(
        self,
        grants: &[Grant],
        (wanted, audience): (&[String], &Audience),
    ) -> Result<Arc<Unbound>, Unverified> {
        let token = (self.digest(), self.expires());
        let mut principal = read(self.claims(), self.issuer(), grants, token)?;
        principal.stated = Stated::read(self.claims(), wanted, audience);
        Ok(Arc::new(Unbound(Arc::new(principal))))
    }
}

/// What these claims would make of their bearer if they were proven. It is a picture and opens nothing.
pub(super) fn portrait(
    claims: &Map<String, Value>,
    settings: &IssuerSettings,
    grants: &[Grant],
    token: (Digest, UnixTime),
) -> Option<Portrait> {
    let principal = read(claims, settings, grants, token).ok()?;
    Some(Portrait::of(&principal))
}

fn read(
    claims: &Map<String, Value>,
    settings: &IssuerSettings,
    grants: &[Grant],
    (digest, expires): (Digest, UnixTime),
) -> Result<Principal, Unverified> {
    let subject = claims::subject(claims)?;
    let client = claims::client(claims, settings);
    let scopes = scopes(claims);
    let mut roles = roles(claims, &settings.roles_claim);
    let known = grants
        .iter()
        .filter(|grant| grant.issuer == settings.url)
        .filter(|grant| grant.applies((subject, client), &scopes));
    roles.extend(known.map(|grant| grant.role.clone()));
    roles.sort();
    roles.dedup();
    Ok(Principal {
        issuer: settings.url.clone(),
        subject: subject.into(),
        kind: kind(claims, settings, subject),
        client_id: client.map(Into::into),
        roles,
        scopes,
        actors: actors(claims, &settings.actor_claim)?,
        token_id: match text(claims, "jti") {
            Some(id) => id.into(),
            None => format!("sha256:{digest}").into(),
        },
        expires,
        model: settings
            .model_claim
            .as_deref()
            .and_then(|claim| text(claims, claim))
            .map(Into::into),
        issued: claims::optional_time(claims, "iat")?,
        authenticated: claims::optional_time(claims, "auth_time")?,
        acr: text(claims, "acr").map(Into::into),
        confirmation: Confirmation::read(claims)?,
        origin: Origin::Token,
        stated: Stated::default(),
    })
}

/// Makes a principal of the row of a key that was verified. It is bound to nothing but the key, and ends at `sunset`.
pub(super) fn of_api_key(row: &ApiKeyRow, sunset: UnixTime) -> Unbound {
    let mut roles = row.roles.clone();
    roles.sort();
    roles.dedup();
    Unbound(Arc::new(Principal {
        issuer: IssuerUrl::new(API_KEYS),
        subject: row.subject.as_str().into(),
        kind: row.kind,
        client_id: Some(row.client.as_str().into()),
        roles,
        scopes: row
            .scopes
            .iter()
            .map(|scope| scope.as_str().into())
            .collect(),
        actors: Vec::new(),
        token_id: row.id.as_str().into(),
        expires: sunset,
        model: None,
        issued: Some(row.created),
        authenticated: None,
        acr: None,
        confirmation: Confirmation::default(),
        origin: Origin::ApiKey,
        stated: Stated::default(),
    }))
}

/// The issuer of the gateway's own keys: no URL, so that no issuer can be configured under this name.
pub const API_KEYS: &str = "urn:gatewright:api-keys";
