//! Reload and status: what the admin socket, SIGHUP and the embedding program can ask for.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Shared, same_listener};
use crate::audit::Standing;
use crate::audit::event::{Event, Kind};
use crate::audit::part::Gateway;
use crate::config::Settings;
use crate::control::admin::Commands;
use crate::control::pins::Ask;
use crate::control::shadow;
use crate::control::subjects::Erase;
use crate::identity::IssuerKeys;
use crate::identity::keys::{KeysError, Report};
use crate::model::Digest;
use crate::proxy::leave;
use crate::telemetry::logs::chain;

#[async_trait]
impl Commands for Shared {
    async fn reload(&self, uid: Option<u32>) -> Result<Value, String> {
        self.reload_now(uid).await
    }

    fn status(&self) -> Value {
        let settings = self.settings.load();
        let keys = self.keys.load();
        let issuers = keys.iter().map(|keys| {
            json!({
                "name": keys.settings().name,
                "ready": keys.is_ready(),
                "keys_fetched": keys.last_success().map(|at| at.to_string()),
            })
        });
        let servers = settings.servers.iter().map(|server| {
            json!({ "name": server.audience.server.as_str(), "resource": server.resource })
        });
        let standing = self.parts.ledger.standing();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "instance": self.parts.instance,
            "config": settings.config_digest.to_string(),
            "policy": settings.policy_digest.to_string(),
            "draining": self.draining.load(Ordering::Acquire),
            "requests_under_way": self.inflight.now(),
            "sinks": self.sinks.shown(),
            "issuers": issuers.collect::<Vec<_>>(),
            "servers": servers.collect::<Vec<_>>(),
            "audit": { "healthy": standing != Standing::Failing, "standing": standing.as_str(), "queue_bytes": self.parts.ledger.queue_bytes() },
        })
    }

    fn shadow(&self) -> Value {
        self.answer_shadow()
    }

    async fn try_policy(&self, ask: shadow::Ask) -> Result<Value, String> {
        self.answer_trial(ask).await
    }

    async fn pins(&self, ask: Ask, uid: Option<u32>) -> Result<Value, String> {
        self.answer_pins(ask, uid).await
    }

    async fn rotate_key(&self, uid: Option<u32>) -> Result<Value, String> {
        self.rotate_checkpoint_key(uid).await
    }

    async fn erase(&self, erase: Erase, uid: Option<u32>) -> Result<Value, String> {
        self.erase_subject(erase, uid).await
    }
}

impl Shared {
    pub(super) async fn reload_now(&self, uid: Option<u32>) -> Result<Value, String> {
        // One at a time, so that the last one asked for is the one that stays.
        let _turn = self.turn.lock().await;
        let result = self.reread_settings(uid);
        match &result {
            Ok(settings) => {
                self.parts.metrics.reload_succeeded();
                self.record(Kind::Config, settings.config_digest);
                tracing::info!(config = %settings.config_digest, "configuration reloaded");
            }
            Err(why) => {
                self.parts.metrics.reload_failed();
                tracing::error!("configuration not reloaded, the old one goes on serving: {why}");
            }
        }
        result.map(|settings| {
            let digest = settings.config_digest.to_string();
            json!({ "reloaded": true, "config": digest, "servers": settings.servers.len() })
        })
    }

    fn reread_settings(&self, uid: Option<u32>) -> Result<Arc<Settings>, String> {
        let Some(reread) = &self.reread else {
            return Err("this gateway was started without a configuration file".to_owned());
        };
        let settings = self.with_trial(reread()?);
        same_listener(&self.settings.load(), &settings)?;
        let edition = self.next_edition(&settings)?;
        let (services, keys) = self.next(&settings).map_err(|error| error.to_string())?;
        // From here on nothing can fail.
        let settings = Arc::new(settings);
        self.greet_with(edition);
        self.serve_keys(keys);
        self.pin_as(&settings);
        self.settings.store(Arc::clone(&settings));
        self.keep_trial_of(&settings);
        // Last: a request that sees the new services sees all of them.
        let services = Arc::new(services);
        let last = self.services.swap(Arc::clone(&services));
        // After the services: what opens a session from now on is judged by the new policy.
        let left = self.parts.sessions.keep_those_of(&services.regime.tenure());
        if !Arc::ptr_eq(&last.reign, &services.reign) {
            last.reign.end();
        }
        self.record_change(&last, &services, uid);
        self.ask_silently();
        tokio::spawn(leave::end_all(last, left));
        self.tell_sunsets(&settings);
        Ok(settings)
    }

    /// Keeps the keys of these issuers fresh, and of no others.
    pub(super) fn serve_keys(&self, keys: Vec<Arc<IssuerKeys>>) {
        let known = self.keys.load();
        let is_new = |key: &&Arc<IssuerKeys>| !known.iter().any(|old| Arc::ptr_eq(old, key));
        let mut refreshers = self
            .refreshers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let told: Report = Arc::new(tell);
        let spawned = keys
            .iter()
            .filter(is_new)
            .map(|keys| keys.spawn_refresh(Arc::clone(&told)));
        refreshers.extend(spawned);
        drop(refreshers);
        self.keys.store(Arc::new(keys));
    }

    pub(super) fn stop_refreshing(&self) {
        let refreshers = self
            .refreshers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        refreshers.iter().for_each(tokio::task::JoinHandle::abort);
    }

    pub(super) fn record_start(&self) {
        self.record(Kind::Lifecycle, self.settings.load().config_digest);
    }

    pub(super) fn record_stop(&self) {
        self.record(Kind::Lifecycle, self.settings.load().config_digest);
    }

    fn record(&self, kind: Kind, config: Digest) {
        let at = self.parts.clock.now();
        let gateway = Gateway {
            instance: (&*self.parts.instance).into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config,
        };
        let mut event = Event::new(kind, at, self.parts.ledger.event_id(at), gateway);
        let name = match (kind, self.draining.load(Ordering::Acquire)) {
            (Kind::Config, _) => "reload",
            (_, false) => "start",
            (_, true) => "stop",
        };
        event.action = Some(crate::audit::text::Joined::action(name, None));
        if self.parts.ledger.append_later(&event).is_err() {
            tracing::error!(name, "a lifecycle record could not be kept");
        }
    }
}

/// Says in the log how an attempt to fetch an issuer's keys ended.
fn tell(keys: &IssuerKeys, ended: &Result<(), Arc<KeysError>>) {
    let issuer = keys.settings().name.as_str();
    match ended {
        Ok(()) => tracing::debug!(issuer, "keys fetched"),
        Err(error) => tracing::warn!(issuer, error = chain(&**error), "cannot fetch the keys"),
    }
}
