//! Persons of a running gateway, as its operator takes them out of the book. The record says that it was done, and never
//! who it was.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use crate::audit::event::{Event, Kind};
use crate::audit::part::Gateway;
use crate::audit::text::Joined;
use crate::control::subjects::Erase;
use crate::telemetry::logs::chain;

impl Shared {
    /// Takes a person out of the book, and then puts on record that it was done.
    pub(super) async fn erase_subject(
        &self,
        erase: Erase,
        uid: Option<u32>,
    ) -> Result<Value, String> {
        let Some(book) = &self.parts.names else {
            return Err(PLAIN.to_owned());
        };
        let book = Arc::clone(book);
        let erased =
            tokio::task::spawn_blocking(move || book.erase(&erase.issuer, &erase.subject)).await;
        let pseudonym = match erased {
            Ok(Ok(Some(pseudonym))) => pseudonym,
            Ok(Ok(None)) => return Err(NOBODY.to_owned()),
            Ok(Err(error)) => return Err(format!("not erased: {}", chain(&error))),
            Err(error) => return Err(format!("not erased: {error}")),
        };
        let recorded = self.record_erasure(&pseudonym, uid).await;
        recorded.map_err(|why| format!("erased, but that is not on record: {why}"))?;
        tracing::info!(pseudonym, "a person is erased");
        Ok(json!({ "erased": pseudonym }))
    }

    async fn record_erasure(&self, pseudonym: &str, uid: Option<u32>) -> Result<(), String> {
        let by = uid.map_or_else(|| "unknown".to_owned(), |uid| format!("uid:{uid}"));
        let at = self.parts.clock.now();
        let gateway = Gateway {
            instance: (&*self.parts.instance).into(),
            version: env!("CARGO_PKG_VERSION").into(),
            config: self.settings.load().config_digest,
        };
        let id = self.parts.ledger.event_id(at);
        let mut event = Event::new(Kind::Lifecycle, at, id, gateway);
        event.action = Some(Joined::action(ACTION, None));
        event.sub = Some(pseudonym.into());
        event.act = Some(by.as_str().into());
        let appended = self.parts.ledger.append(&event).await;
        appended.map(drop).map_err(|error| chain(&error))
    }
}

const ACTION: &str = "subject/erased";
const PLAIN: &str =
    "records name persons as they are: set `audit.subjects: sealed` first, and restart";
const NOBODY: &str = "nobody of this issuer and subject is in the book: there is nothing to erase";
