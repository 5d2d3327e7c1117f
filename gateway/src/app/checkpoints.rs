//! A new key for checkpoints, when its operator asks for one. Never without a record of who asked.

use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use crate::audit::event::{Event, Kind};
use crate::audit::part::Gateway;
use crate::audit::text::Joined;
use crate::telemetry::logs::chain;

impl Shared {
    /// Puts a new key in the place of the one that signs checkpoints.
    pub(super) async fn rotate_checkpoint_key(&self, uid: Option<u32>) -> Result<Value, String> {
        // Before the record: it is what makes the writer look.
        let answer = self.parts.ledger.checkpoints().rotate();
        self.record_rotation(uid).await?;
        match tokio::time::timeout(WAIT, answer).await {
            Ok(Ok(Ok(key))) => {
                tracing::info!(key, "checkpoints are signed with a new key");
                Ok(json!({ "key": key }))
            }
            Ok(Ok(Err(error))) => Err(chain(&error)),
            Ok(Err(_)) => Err("another rotation was asked for in the meantime".to_owned()),
            Err(_) => {
                Err("the ledger did not take the new key in time: look at its files".to_owned())
            }
        }
    }

    async fn record_rotation(&self, uid: Option<u32>) -> Result<(), String> {
        let at = self.parts.clock.now();
        let gateway = Gateway {
            instance: (&*self.parts.instance).into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config: self.settings.load().config_digest,
        };
        let who = uid.map(|uid| format!("uid:{uid}"));
        let mut event = Event::new(Kind::Config, at, self.parts.ledger.event_id(at), gateway);
        event.action = Some(Joined::action("rotate-key", None));
        event.sub = who.as_deref().map(Into::into);
        let written = self.parts.ledger.append(&event).await;
        written.map_err(|error| chain(&error))
    }
}

/// How long the ledger may take for a new key.
const WAIT: Duration = Duration::from_secs(10);
