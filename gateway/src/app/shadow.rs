//! Policies without effect, as the operator of a running gateway meets them: what they would have decided otherwise, and
//! what is said when one comes into force.

use serde_json::{Value, json};

use super::Shared;
use crate::audit::part::Promotion;
use crate::decision::disagreement::Row;
use crate::decision::promotion::{self, Change};
use crate::proxy::services::Services;
use crate::telemetry::logs::chain;

impl Shared {
    /// What the policy without effect would have decided otherwise, the most frequent first.
    pub(super) fn answer_shadow(&self) -> Value {
        let regime = self.services.load().regime.clone();
        let counted = self.parts.disagreements.counted();
        let row = |(row, count): (&Row, u64)| {
            json!({
                "issuer": row.issuer,
                "subject": row.subject,
                "server": row.server,
                "name": row.name,
                "from": row.from,
                "to": row.to,
                "reason": row.reason,
                "count": count,
            })
        };
        json!({
            "mode": regime.mode.name(),
            "policy": regime.rules.digest.to_string(),
            "shadow": counted.of.map(|digest| digest.to_string()),
            "since": counted.since.map(|since| since.to_string()),
            "decisions": counted.decisions,
            "disagreements": counted.disagreements,
            "others": counted.others,
            "rows": counted.rows().into_iter().map(row).collect::<Vec<_>>(),
        })
    }

    /// Counts for the policy that has no effect from now on.
    pub(super) fn ask_silently(&self) {
        let services = self.services.load();
        let silent = services.regime.silent();
        self.parts.disagreements.of(silent, self.parts.clock.now());
        if services.regime.mode == crate::decision::Mode::Shadow {
            tracing::warn!("the policy is in shadow mode: nothing is refused because of it");
        }
    }

    /// Puts on record that a policy came into force that was only asked before, or that none is in force any more.
    pub(super) fn record_change(&self, last: &Services, now: &Services, uid: Option<u32>) {
        let Some(change) = Change::between(&last.regime, &now.regime) else {
            return;
        };
        let by = uid.map(|uid| format!("uid:{uid}"));
        let promotion = Promotion {
            from: last.regime.rules.digest,
            to: now.regime.rules.digest,
            disagreements: self.parts.disagreements.counted().disagreements,
            by: by.as_deref().map(Into::into),
        };
        let at = self.parts.clock.now();
        let recorded = promotion::record(&self.parts.ledger, &now.in_force, change, promotion, at);
        let (from, to) = (promotion.from, promotion.to);
        match change {
            Change::Promoted => tracing::info!(%from, %to, "a policy came into force"),
            Change::Demoted => {
                tracing::warn!(%from, %to, "THE POLICY IS NOT ENFORCED ANY MORE: it is in shadow mode");
            }
        }
        if let Err(error) = recorded {
            tracing::error!(
                error = chain(&error),
                "a change of the policy is not on record"
            );
        }
    }
}
