//! One issuer and its keys: the last good set, and one attempt at a time to renew it. Tokens can ask for at most one
//! attempt per cooldown, and a client that goes away does not take an attempt with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::error::KeysError;
use super::remote;
use super::set::KeySet;
use crate::identity::error::{Unverified, shown};
use crate::identity::settings::IssuerSettings;
use crate::identity::token::jwt::Jwt;
use crate::live::{Live, Snapshot};
use crate::model::{Clock, UnixTime};

/// An issuer and the keys it last published. Made once per issuer and shared by all who verify its tokens.
#[derive(Debug)]
pub struct IssuerKeys {
    settings: IssuerSettings,
    client: Client,
    clock: Arc<dyn Clock>,
    keys: Live<KeySet>,
    flight: Mutex<Flight>,
    landed: watch::Sender<Outcome>,
}

type Outcome = Result<(), Arc<KeysError>>;

/// Which generation of keys proved a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) struct Proof {
    generation: u64,
}

/// Who hears how an attempt to fetch keys ended.
pub type Report = Arc<dyn Fn(&IssuerKeys, &Result<(), Arc<KeysError>>) + Send + Sync>;

impl IssuerKeys {
    /// No keys yet: the first token or [`refresh_now`](Self::refresh_now) fetches them.
    pub fn new(settings: IssuerSettings, client: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            settings,
            client,
            clock,
            keys: Live::empty(),
            flight: Mutex::new(Flight::default()),
            landed: watch::Sender::new(Ok(())),
        }
    }

    /// What the configuration says about this issuer.
    pub const fn settings(&self) -> &IssuerSettings {
        &self.settings
    }

    /// The client that its endpoints are asked with.
    pub(in crate::identity) fn client(&self) -> Client {
        self.client.clone()
    }

    /// When its keys were last fetched.
    pub fn last_success(&self) -> Option<UnixTime> {
        self.keys.latest().map(|snapshot| snapshot.confirmed())
    }

    /// Why the last attempt failed, if it did.
    pub fn last_failure(&self) -> Option<Arc<KeysError>> {
        self.landed.borrow().as_ref().err().map(Arc::clone)
    }

    /// Can its tokens be verified?
    pub fn is_ready(&self) -> bool {
        self.current().is_some()
    }

    /// The keys in use, unless there are none or they are too old.
    pub fn current(&self) -> Option<Arc<Snapshot<KeySet>>> {
        self.keys.within(STALE_MAX, self.clock.now())
    }

    /// Fetches the keys now, or waits for the attempt under way. A failure leaves the last good keys in place.
    pub async fn refresh_now(self: &Arc<Self>) -> Result<(), Arc<KeysError>> {
        let mut landed = self.landed.subscribe();
        self.begin(Demand::Operator);
        wait(&mut landed).await
    }

    /// Keeps the keys fresh until this is dropped: every five minutes, after failures sooner. Needs a tokio runtime.
    /// `report` hears how each attempt ended.
    pub fn spawn_refresh(self: &Arc<Self>, report: Report) -> JoinHandle<()> {
        let keys = Arc::downgrade(self);
        tokio::spawn(async move {
            let mut pause = REFRESH_EVERY;
            while let Some(keys) = keys.upgrade() {
                let ended = keys.refresh_now().await;
                report(&keys, &ended);
                pause = match ended {
                    Ok(()) => REFRESH_EVERY,
                    Err(_) if pause == REFRESH_EVERY => RETRY_FIRST,
                    Err(_) => pause.saturating_mul(2).min(REFRESH_EVERY / 2),
                };
                drop(keys);
                tokio::time::sleep(spread(pause)).await;
            }
        })
    }

    /// Are the keys that proved a token still the issuer's?
    pub(in crate::identity) fn still_proves(&self, proof: Proof) -> bool {
        self.current()
            .is_some_and(|snapshot| snapshot.generation() == proof.generation)
    }

    /// Proves the signature of `jwt`. A failure may mean that the issuer has changed its keys, so they are fetched
    /// once per cooldown before it stands.
    pub(in crate::identity) async fn prove(
        self: &Arc<Self>,
        jwt: &Jwt<'_>,
    ) -> Result<Proof, Unverified> {
        let tried = self.generation();
        let refusal = match self.prove_with_current(jwt) {
            Ok(proof) => return Ok(proof),
            Err(refusal) => refusal,
        };
        let mut landed = self.landed.subscribe();
        if self.landed.receiver_count() > MOST_WAITING {
            return Err(self.unavailable());
        }
        if self.begin(Demand::Token) == Begun::Flying {
            // How it ended shows in the keys.
            let _ = wait(&mut landed).await;
        }
        if self.generation() == tried {
            return Err(refusal);
        }
        self.prove_with_current(jwt)
    }

    fn prove_with_current(&self, jwt: &Jwt<'_>) -> Result<Proof, Unverified> {
        let snapshot = self.current().ok_or_else(|| self.unavailable())?;
        let header = jwt.header();
        let issuer = || self.settings.url.clone();
        let key_id = || shown(header.key_id.as_deref().unwrap_or("(none)"));
        let key = snapshot
            .value()
            .select(header.key_id.as_deref(), header.algorithm)
            .ok_or_else(|| Unverified::UnknownKey {
                issuer: issuer(),
                key: key_id(),
            })?;
        if !jwt.is_signed_by(key) {
            return Err(Unverified::BadSignature {
                issuer: issuer(),
                key: key_id(),
            });
        }
        Ok(Proof {
            generation: snapshot.generation(),
        })
    }

    fn unavailable(&self) -> Unverified {
        Unverified::KeysUnavailable {
            issuer: self.settings.url.clone(),
        }
    }

    fn generation(&self) -> Option<u64> {
        self.current().map(|snapshot| snapshot.generation())
    }

    /// Starts an attempt unless one is under way or too near. It runs on its own, so that a client that hangs up
    /// cannot spend the cooldown without a result.
    fn begin(self: &Arc<Self>, demand: Demand) -> Begun {
        let now = self.clock.now();
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if flight.is_under_way {
            return Begun::Flying;
        }
        if demand == Demand::Token && flight.is_cooling(now) {
            return Begun::Cooling;
        }
        *flight = Flight {
            is_under_way: true,
            started: Some(now),
        };
        drop(flight);
        let landing = Landing {
            keys: Arc::clone(self),
            outcome: Err(Arc::new(KeysError::Interrupted)),
        };
        tokio::spawn(landing.fetch());
        Begun::Flying
    }
}

/// The attempt under way, or the last one.
#[derive(Debug, Default)]
struct Flight {
    is_under_way: bool,
    started: Option<UnixTime>,
}

impl Flight {
    fn is_cooling(&self, now: UnixTime) -> bool {
        // A clock that went back must not stretch the cooldown: a start in the future counts as none.
        self.started
            .is_some_and(|started| started <= now && now.since(started) < COOLDOWN)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    Operator,
    Token,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Flying,
    Cooling,
}

/// Ends the attempt however it ends, and tells those who wait.
struct Landing {
    keys: Arc<IssuerKeys>,
    outcome: Outcome,
}

impl Landing {
    async fn fetch(mut self) {
        let keys = &self.keys;
        self.outcome = match remote::fetch(&keys.client, &keys.settings).await {
            Ok(set) => {
                keys.keys.publish(set, keys.clock.now());
                Ok(())
            }
            Err(error) => Err(Arc::new(error)),
        };
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        // INVARIANT: first free, then announced: who comes in between starts anew instead of waiting for nothing.
        self.keys
            .flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_under_way = false;
        let outcome = std::mem::replace(&mut self.outcome, Ok(()));
        // What it replaces was told to those who waited for it.
        let _ = self.keys.landed.send_replace(outcome);
    }
}

async fn wait(landed: &mut watch::Receiver<Outcome>) -> Outcome {
    match landed.changed().await {
        Ok(()) => landed.borrow_and_update().clone(),
        Err(_) => Err(Arc::new(KeysError::Interrupted)),
    }
}

/// Up to a tenth longer, so that many gateways do not ask an issuer at the same moment.
fn spread(pause: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness the pause is merely exact.
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut byte);
    pause + pause * u32::from(u8::from_be_bytes(byte)) / 2560
}

/// How long tokens wait after an attempt before they may cause another.
const COOLDOWN: Duration = Duration::from_secs(30);
const REFRESH_EVERY: Duration = Duration::from_secs(300);
const RETRY_FIRST: Duration = Duration::from_secs(5);
/// How long keys are used whose issuer does not answer.
const STALE_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How many requests wait for one attempt; the next is told to come again.
const MOST_WAITING: usize = 256;
