//! What the ops listener shows of the whole.

use std::sync::atomic::Ordering;

use super::Shared;
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
            Condition {
                name: "audit ledger".to_owned(),
                fault: fault(self.parts.ledger.is_healthy(), "records cannot be written"),
            },
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
        for keys in self.keys.load().iter() {
            if let Some(at) = keys.last_success() {
                self.parts.metrics.keys_fetched(&keys.settings().name, at);
            }
        }
        let ledger = &self.parts.ledger;
        self.parts
            .metrics
            .audit_state(ledger.queue_bytes(), ledger.taken(), ledger.lost());
        let unwatched = self.parts.lookout.dropped();
        self.parts.metrics.unwatched(unwatched);
        self.parts.metrics.render()
    }
}
