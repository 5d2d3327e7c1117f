//! What metrics are told of a request's decision. Decides and records nothing.

use gatewright_policies::Tier;

use crate::decision::{Circumstance, Permit, Refusal, Verdict};
use crate::model::Reason;
use crate::proxy::admit::Arrival;

impl Arrival {
    /// Counts a decision: a refusal with its reason, or leave to pass.
    pub(crate) fn count_decision(&self, refusal: Option<Reason>) {
        self.services.metrics.decided(self.started.elapsed());
        self.route
            .metrics
            .decided(self.services.regime.mode, refusal);
    }

    /// Counts a verdict, and what would have been decided besides.
    pub(crate) fn count_verdict(&self, verdict: &Verdict, circumstance: &Circumstance<'_>) {
        self.count_decision(verdict.refusal());
        if verdict.has_shadow() {
            self.services.disagreements.count(verdict, circumstance);
        }
        if let Some(differing) = verdict.disagreement() {
            self.route.metrics.disagreed(differing.from);
        }
    }

    /// Counts what was recorded: a call that somebody was told of, or a decision that could not be recorded.
    pub(crate) fn count_record(&self, recorded: &Result<Permit, Refusal>) {
        match recorded {
            Ok(permit) if permit.tier() != Tier::Low => self.route.metrics.noticed(),
            Ok(_) => {}
            Err(refusal) => self.count_refusal(refusal),
        }
    }

    pub(crate) fn count_refusal(&self, refusal: &Refusal) {
        if refusal.reason() == Reason::AuditUnavailable {
            self.services.metrics.audit_failed();
        }
    }
}
