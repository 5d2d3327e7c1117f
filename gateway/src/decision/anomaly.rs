//! Puts what is unusual about a principal on record. Never decides what is.

use crate::audit::anomaly::{Anomaly, AnomalyKind};
use crate::audit::event::Kind;
use crate::audit::{AuditError, Ledger};
use crate::decision::circumstance::{Circumstance, InForce, Request};
use crate::decision::describe;
use crate::identity::Principal;

/// Records that `request` of `principal` shows something unusual. Does not wait for the disk.
///
/// # Errors
/// The ledger cannot take it now.
pub fn record(
    ledger: &Ledger,
    in_force: &InForce,
    (request, principal): (&Request, &std::sync::Arc<Principal>),
    anomaly: Anomaly<'_>,
) -> Result<(), AuditError> {
    let circumstance = Circumstance {
        request,
        principal: Some(principal),
        action: None,
        revision: None,
        arguments: None,
        asserted: None,
        needed: &[],
        in_force,
    };
    let id = ledger.event_id(request.at);
    let chain = describe::chain(principal, request);
    let mut event = describe::event(Kind::Anomaly, id, &circumstance, chain);
    if let (AnomalyKind::RenewalFailures, Some(authn)) = (anomaly.kind, &mut event.authn) {
        authn.result = EXPIRED.into();
    }
    event.anomaly = Some(anomaly);
    ledger.append_later(&event).map(drop)
}

const EXPIRED: &str = "expired";
