//! Puts on record how many refusals have no record of their own. Never says who was refused.

use crate::audit::event::{Decision, Event, Kind};
use crate::audit::part::Tally;
use crate::audit::text::Joined;
use crate::audit::{AuditError, Ledger};
use crate::decision::circumstance::InForce;
use crate::decision::describe;
use crate::model::UnixTime;

/// Records `tally`, which ends at `at`.
///
/// # Errors
/// The ledger cannot take it now.
pub fn record(
    ledger: &Ledger,
    in_force: &InForce,
    tally: Tally,
    at: UnixTime,
) -> Result<(), AuditError> {
    let gateway = describe::gateway(in_force);
    let mut event = Event::new(Kind::Authn, at, ledger.event_id(at), gateway);
    event.action = Some(Joined::action(ACTION, None));
    event.decision = Some(Decision::Deny);
    event.tally = Some(tally);
    ledger.append_later(&event).map(drop)
}

const ACTION: &str = "tally";
