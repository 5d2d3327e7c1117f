//! Keeps the certificate of the listener the one in its files. A pair that cannot be used changes nothing.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::config::Settings;
use crate::proxy::tls::Edition;

/// Looks at the files every `period`, for as long as the gateway runs.
pub(super) async fn watch(shared: Arc<Shared>, period: Duration) {
    let mut told = None;
    loop {
        tokio::time::sleep(period).await;
        told = shared.renew(told).await;
    }
}

impl Shared {
    /// What the files of `settings` hold, if it is something new.
    pub(super) fn next_edition(&self, settings: &Settings) -> Result<Option<Edition>, String> {
        let (Some(greeting), Some(files)) = (&self.greeting, &settings.listen.tls) else {
            return Ok(None);
        };
        let prepared = greeting.prepare(files);
        prepared.map_err(|error| format!("`listen.tls` cannot be used: {error}"))
    }

    pub(super) fn greet_with(&self, edition: Option<Edition>) {
        if let (Some(greeting), Some(edition)) = (&self.greeting, edition) {
            greeting.adopt(edition);
            tracing::info!("new connections get the certificate that is in the files now");
        }
    }

    /// Takes what is new in the files. The answer is the fault that was told, so that it is told once.
    async fn renew(self: &Arc<Self>, told: Option<String>) -> Option<String> {
        // A reload that is under way may name other files.
        let _turn = self.turn.lock().await;
        let (shared, settings) = (Arc::clone(self), self.settings.load_full());
        let read = tokio::task::spawn_blocking(move || shared.next_edition(&settings)).await;
        match read {
            Ok(Ok(edition)) => {
                self.greet_with(edition);
                None
            }
            Ok(Err(fault)) => {
                if told.as_ref() != Some(&fault) {
                    tracing::error!("the certificate is not renewed, the old one stays: {fault}");
                }
                Some(fault)
            }
            // Only a stopping runtime cancels it.
            Err(_) => told,
        }
    }
}
