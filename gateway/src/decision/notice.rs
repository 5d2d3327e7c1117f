//! Tells, on record, that something was allowed that can do harm: who, what, and by which rule. Allows nothing itself.

use gatewright_policies::Tier;

use crate::audit::event::{Event, Kind};
use crate::audit::{EventId, Ledger};
use crate::decision::circumstance::{Action, Circumstance};

/// The tier that somebody is told of. A task was told of when it was made.
pub(in crate::decision) const fn tier_of(circumstance: &Circumstance<'_>, tier: Tier) -> Tier {
    match circumstance.action {
        Some(Action::Call(_)) => tier,
        Some(
            Action::OwnTask { .. }
            | Action::Notify { .. }
            | Action::Reply
            | Action::OpenStream
            | Action::EndSession,
        )
        | None => Tier::Low,
    }
}

/// Records a notice of what `allowed` is the record of. The decision is on record already, with its tier, so that a
/// notice that finds no room holds nothing up.
pub(in crate::decision) fn record(ledger: &Ledger, allowed: Event<'_>, decision: EventId) {
    let mut notice = Event {
        event_id: ledger.event_id(allowed.timestamp),
        kind: Kind::Notice,
        seq: 0,
        decision: None,
        decision_id: Some(decision),
        authn: None,
        model: None,
        arguments: None,
        ..allowed
    };
    if ledger.append_later(&mut notice).is_err() {
        tracing::error!(decision = %decision, "a notice is not on record");
    }
}
