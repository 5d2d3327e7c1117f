//! What the ops listener shows of the whole.

use std::sync::atomic::Ordering;

use super::Shared;
use crate::audit::Standing;
use crate::control::ops::{Condition, Vitals};
use crate::telemetry::logs::chain;

impl Vitals for Shared {
    fn conditions(&self) -> Vec<Condition> {
        let fault = |holds: bool, text: &str| (!holds).then(|| text.to_owned());
        let mut conditions = vec![
            Condition {
                name: "serving".to_owned(),
                fault: fault(!self.draining.load(Ordering::Acquire), "stopping"),
            },
            ledger(self.parts.ledger.standing()),
        ];
        conditions.extend(self.keys.load().iter().map(|keys| Condition {
            name: format!("keys of issuer {}", keys.settings().name),
            fault: (!keys.is_ready()).then(|| match keys.last_failure() {
                Some(error) => chain(&*error),
                None => "not fetched, or too long ago".to_owned(),
            }),
        }));
        conditions
    }

    fn metrics(&self) -> String {
        // The table of metrics is right: it was asked at the start.
        let _ = self.sinks.count(&self.parts.metrics);
        for keys in self.keys.load().iter() {
            if let Some(at) = keys.last_success() {
                self.parts.metrics.keys_fetched(&keys.settings().name, at);
            }
        }
        let ledger = &self.parts.ledger;
        self.parts
            .metrics
            .audit_state(ledger.queue_bytes(), ledger.taken(), ledger.lost());
        if let Some(at) = ledger.checkpoints().last() {
            self.parts.metrics.audit_sealed(at);
        }
        self.parts
            .metrics
            .audit_standing(ledger.standing(), ledger.unrecorded());
        let unwatched = self.parts.lookout.dropped();
        self.parts.metrics.unwatched(unwatched);
        self.parts.metrics.render()
    }
}

/// Requests are served as long as `on_failure` lets them, and whoever asks is told how.
fn ledger(standing: Standing) -> Condition {
    let (name, fault) = match standing {
        Standing::Well => ("audit ledger", None),
        Standing::Spilling => (
            "audit ledger, spilling: its own disk takes no records",
            None,
        ),
        Standing::Continuing => (
            "audit ledger, continuing: requests pass without records",
            None,
        ),
        Standing::Failing => ("audit ledger", Some("records cannot be written".to_owned())),
    };
    Condition {
        name: name.to_owned(),
        fault,
    }
}
