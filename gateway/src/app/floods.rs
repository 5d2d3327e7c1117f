//! Ends the window of the refusals that are counted, every minute and when the gateway stops. Never waits for the disk.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use crate::decision::tally;
use crate::telemetry::logs::chain;

/// Ends a window every `period`, for as long as the gateway runs.
pub(super) async fn watch(shared: Arc<Shared>, period: Duration) {
    loop {
        tokio::time::sleep(period).await;
        shared.end_flood_window();
    }
}

impl Shared {
    /// Puts on record how many refusals have no record of their own since the last time.
    pub(super) fn end_flood_window(&self) {
        let parts = &self.parts;
        let at = parts.clock.now();
        let services = self.services.load();
        let ended = parts.floods.end_window(parts.ledger.lost(), at, |tally| {
            let recorded = tally::record(&parts.ledger, &services.in_force, tally, at);
            recorded.map_err(|error| (error, tally))
        });
        if let Err((error, tally)) = ended {
            tracing::error!(
                rate_limited = tally.rate_limited,
                lost = tally.lost,
                error = chain(&error),
                "the number of refusals without a record is not on record yet"
            );
        }
    }
}

#[cfg(test)]
mod tests;
