//! Tells who watches for what is unusual about requests of principals. Never waits, never looks at what comes of it.

use std::sync::Arc;

use crate::anomaly::{Decided, Ended, Observation};
use crate::identity::{Credential, Principal};
use crate::model::Reason;
use crate::proxy::admit::Arrival;
use crate::proxy::unproven::Unproven;

/// Tells of a decision about a request of `principal`.
pub(crate) fn decided(
    arrival: &Arrival,
    principal: &Arc<Principal>,
    tool: Option<&str>,
    refusal: Option<Reason>,
) {
    arrival.services.lookout.tell(Observation::Decided(Decided {
        request: arrival.request.clone(),
        principal: Arc::clone(principal),
        token: arrival.token,
        tool: tool.map(Into::into),
        refusal,
    }));
}

/// Tells of a token that came after its end.
pub(crate) fn unproven(arrival: &Arrival, unproven: &Unproven, credential: Option<&Credential>) {
    let token = credential.and_then(Credential::token_digest);
    if let ("expired" | "inactive", Some(token)) = (unproven.result(), token) {
        arrival.services.lookout.tell(Observation::Ended(Ended {
            request: arrival.request.clone(),
            token,
        }));
    }
}
