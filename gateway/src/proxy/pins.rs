//! Pins on the path of a request: tools in lists are compared, and what changed is told. Never keeps a pin itself, and
//! refuses no call: that is the gate's.

use crate::decision::pins::{News, record};
use crate::mcp::{Item, Listing};
use crate::proxy::progress::Forwarding;
use crate::telemetry::Anomaly;
use crate::telemetry::logs::chain;

/// Compares a tool with its pin, whoever asks for the list, and answers whether the list may show it.
pub(crate) fn judge(forwarding: &Forwarding, listing: Listing, item: Item<'_>) -> bool {
    let (Some(pins), Listing::Tools) = (&forwarding.route.pins, listing) else {
        return true;
    };
    let at = forwarding.services.clock.now();
    let seen = pins.see(item.name, item.text, at);
    let server = pins.server();
    match seen.news {
        News::None => {}
        News::Unpinnable => {
            tracing::warn!(%server, "a tool cannot be pinned: the server has too many");
        }
        News::Drift(drift) => {
            let services = &forwarding.services;
            let request = (forwarding.permit.request(), at);
            let about = (server, item.name);
            let recorded =
                record::drifted(&services.ledger, &services.in_force, request, about, drift);
            if let Err(error) = recorded {
                // Counted and told with its record, when the ledger takes it.
                pins.forget_telling(item.name, drift);
                tracing::error!(%server, error = chain(&error), "a changed tool is not on record yet");
                return seen.is_shown;
            }
            forwarding.route.metrics.anomaly(Anomaly::ToolDrift);
            tracing::warn!(
                %server,
                tool = item.name.escape_default().to_string(),
                pinned = %drift.pinned,
                found = %drift.found,
                withheld = !seen.is_shown,
                "a tool is not what was pinned: look with `gatewright pins diff`"
            );
        }
    }
    seen.is_shown
}
