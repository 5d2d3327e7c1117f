//! Asks an issuer about an opaque token (RFC 7662). Never asks about a JWT, never asks twice at once about one token,
//! and takes nothing but a clean answer for an answer.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;
use reqwest::{Client, Response, StatusCode};
use serde_json::{Map, Value};
use tokio::sync::{Mutex, OwnedMutexGuard, Semaphore, SemaphorePermit};

use super::json;
use crate::identity::credential::RawToken;
use crate::identity::error::Unverified;
use crate::identity::settings::{IntrospectionSettings, IssuerSettings};
use crate::model::{Digest, IssuerUrl, UnixTime};

type Claims = Map<String, Value>;

/// One issuer that can be asked.
#[derive(Debug)]
pub(in crate::identity) struct Introspector {
    issuer: IssuerUrl,
    settings: IntrospectionSettings,
    client: Client,
    /// For those who wait and those who ask.
    places: Semaphore,
    turns: Semaphore,
    under_way: Cache<Digest, Arc<Mutex<()>>>,
    inactive: Cache<Digest, UnixTime>,
}

impl Introspector {
    /// The one who is asked about opaque tokens of `issuer`, if that is anybody.
    pub(in crate::identity) fn of(issuer: &IssuerSettings, client: Client) -> Option<Self> {
        let settings = issuer.introspection.clone()?;
        Some(Self {
            issuer: issuer.url.clone(),
            client,
            places: Semaphore::new(MOST_WAITING),
            turns: Semaphore::new(MOST_QUESTIONS),
            under_way: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_live(DEADLINE * 2)
                .build(),
            inactive: Cache::builder().max_capacity(REMEMBERED).build(),
            settings,
        })
    }

    /// Until when an answer of now is believed.
    pub(in crate::identity) fn until(&self, now: UnixTime) -> UnixTime {
        now.plus(self.settings.cache)
    }

    /// Whoever holds this is the only one to ask about the token. Others wait as long as an answer may take, and not
    /// too many do: a flood of new tokens must not pile up here.
    pub(in crate::identity) async fn turn(&self, token: Digest) -> Result<Turn<'_>, Unverified> {
        let place = self
            .places
            .try_acquire()
            .map_err(|_| self.unavailable(&Fault::Crowded))?;
        let turn = self.under_way.get_with(token, Arc::default);
        let alone = tokio::time::timeout(DEADLINE, turn.lock_owned())
            .await
            .map_err(|_| self.unavailable(&Fault::Late))?;
        Ok(Turn {
            _place: place,
            _alone: alone,
        })
    }

    /// What the issuer says of an active token.
    pub(in crate::identity) async fn ask(
        &self,
        token: &RawToken,
        digest: Digest,
        now: UnixTime,
    ) -> Result<Claims, Unverified> {
        if self.inactive.get(&digest).is_some_and(|until| now < until) {
            return Err(self.inactive());
        }
        let answer = tokio::time::timeout(DEADLINE, self.answer(token));
        let claims = match answer.await {
            Ok(answer) => answer.map_err(|cause| self.unavailable(&cause))?,
            Err(_) => return Err(self.unavailable(&Fault::Late)),
        };
        match claims.get("active") {
            Some(Value::Bool(true)) => Ok(claims),
            Some(Value::Bool(false)) => {
                self.inactive.insert(digest, self.until(now));
                Err(self.inactive())
            }
            Some(_) | None => Err(self.unavailable(&Fault::Unclear)),
        }
    }

    async fn answer(&self, token: &RawToken) -> Result<Claims, Fault> {
        let _turn = self.turns.acquire().await.map_err(|_| Fault::Late)?;
        let settings = &self.settings;
        // RFC 6749 section 2.3.1: both are form-encoded before they are put together.
        let (id, secret) = (
            form(&settings.client_id),
            form(settings.client_secret.expose()),
        );
        let question = [
            ("token", token.expose()),
            ("token_type_hint", "access_token"),
        ];
        let answer = self
            .client
            .post(&settings.endpoint)
            .basic_auth(id, Some(secret))
            .header(http::header::ACCEPT, "application/json")
            .form(&question)
            .send()
            .await
            .map_err(|cause| Fault::Unreachable(cause.without_url()))?;
        if answer.status() != StatusCode::OK {
            return Err(Fault::Status(answer.status().as_u16()));
        }
        json::object(&whole(answer).await?).map_err(|_| Fault::Unclear)
    }

    fn inactive(&self) -> Unverified {
        Unverified::Inactive {
            issuer: self.issuer.clone(),
        }
    }

    fn unavailable(&self, fault: &Fault) -> Unverified {
        Unverified::IntrospectionUnavailable {
            issuer: self.issuer.clone(),
            cause: fault.told(),
        }
    }
}

/// The right to ask about one token, until it is dropped.
pub(in crate::identity) struct Turn<'i> {
    _place: SemaphorePermit<'i>,
    _alone: OwnedMutexGuard<()>,
}

/// Why there is no clean answer.
enum Fault {
    Unreachable(reqwest::Error),
    Status(u16),
    TooLarge,
    Unclear,
    Late,
    Crowded,
}

impl Fault {
    fn told(&self) -> String {
        match self {
            Self::Unreachable(cause) if cause.is_timeout() => Self::Late.told(),
            Self::Unreachable(cause) => cause.to_string(),
            Self::Status(status) => format!("it answered {status}, expected 200"),
            Self::TooLarge => format!("it answered more than {MOST_BYTES} bytes"),
            Self::Unclear => "it answered no introspection response".to_owned(),
            Self::Crowded => "too many questions wait already".to_owned(),
            Self::Late => format!("no answer within {} s", DEADLINE.as_secs()),
        }
    }
}

async fn whole(mut answer: Response) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let next = |cause: reqwest::Error| Fault::Unreachable(cause.without_url());
    while let Some(chunk) = answer.chunk().await.map_err(next)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MOST_BYTES {
            return Err(Fault::TooLarge);
        }
    }
    Ok(bytes)
}

fn form(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

const DEADLINE: Duration = Duration::from_secs(5);
/// Questions to one issuer under way; the next waits within its own deadline.
const MOST_QUESTIONS: usize = 64;
/// Requests that wait or ask; the next is told to come again.
const MOST_WAITING: usize = 1024;
const MOST_BYTES: usize = 256 * 1024;
/// Tokens of which it is remembered that they are asked about, or not active.
const REMEMBERED: u64 = 10_000;
