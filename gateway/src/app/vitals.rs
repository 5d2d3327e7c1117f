//! What the ops listener shows of the whole.

use std::sync::atomic::Ordering;

use super::Shared;
use crate::control::ops::{Condition, Vitals};

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
                fault: fault(self.ledger.is_healthy(), "records cannot be written"),
            },
        ];
        conditions.extend(self.keys.load().iter().map(|keys| Condition {
            name: format!("keys of issuer {}", keys.settings().name),
            fault: fault(keys.is_ready(), "not fetched, or too long ago"),
        }));
        conditions
    }

    fn metrics(&self) -> String {
        for keys in self.keys.load().iter() {
            if let Some(at) = keys.last_success() {
                self.metrics.keys_fetched(&keys.settings().name, at);
            }
        }
        self.metrics
            .audit_state(self.ledger.queue_bytes(), self.ledger.lost());
        self.metrics.render()
    }
}
