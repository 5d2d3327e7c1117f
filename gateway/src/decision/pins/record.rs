//! Puts what became of a tool on record: that it changed, and that somebody approved what it is now.

use super::book::Drift;
use crate::audit::anomaly::{Anomaly, AnomalyKind};
use crate::audit::event::{Event, Kind};
use crate::audit::part::{Mcp, Pin};
use crate::audit::text::Joined;
use crate::audit::{AuditError, Ledger};
use crate::decision::circumstance::{InForce, Request};
use crate::decision::describe;
use crate::model::{Reason, ServerName, UnixTime};

/// Records that a list of `server` held a `tool` that is not what is pinned. `request` is the one whose answer or stream
/// brought it.
///
/// # Errors
/// The ledger cannot take it now.
pub fn drifted(
    ledger: &Ledger,
    in_force: &InForce,
    request: (&Request, UnixTime),
    (server, tool): (&ServerName, &str),
    drift: Drift,
) -> Result<(), AuditError> {
    let (request, at) = request;
    let mut event = about(ledger, in_force, Kind::Anomaly, (server, tool), at);
    event.action = Some(Joined::action(LIST, None));
    event.reason = Some(describe::refused(Reason::ToolDefinitionChanged, &[]));
    event.anomaly = Some(Anomaly::new(AnomalyKind::ToolDrift));
    event.pin = Some(Pin {
        pinned: drift.pinned,
        found: drift.found,
        approved_by: None,
    });
    event.request_id = Some((&*request.id).into());
    ledger.append_later(&event).map(drop)
}

/// Records that `tool` of `server` is pinned anew; resolves once the record is written.
///
/// # Errors
/// The record is not known to be written.
pub async fn approved(
    ledger: &Ledger,
    in_force: &InForce,
    (server, tool): (&ServerName, &str),
    drift: Drift,
    (uid, at): (Option<u32>, UnixTime),
) -> Result<(), AuditError> {
    let by = uid.map_or_else(|| "unknown".to_owned(), |uid| format!("uid:{uid}"));
    let mut event = about(ledger, in_force, Kind::Config, (server, tool), at);
    event.action = Some(Joined::action(APPROVE, None));
    event.pin = Some(Pin {
        pinned: drift.pinned,
        found: drift.found,
        approved_by: Some(by.as_str().into()),
    });
    ledger.append(&event).await.map(drop)
}

fn about<'a>(
    ledger: &Ledger,
    in_force: &'a InForce,
    kind: Kind,
    (server, tool): (&'a ServerName, &'a str),
    at: UnixTime,
) -> Event<'a> {
    let mut event = Event::new(kind, at, ledger.event_id(at), describe::gateway(in_force));
    event.resource = Some(Joined::resource(server.as_str(), Some(tool)));
    event.mcp = Some(Mcp {
        method: None,
        name: Some(tool.into()),
        protocol_version: None,
        server: server.as_str().into(),
        jsonrpc_id: None,
    });
    event
}

const LIST: &str = "tools/list";
const APPROVE: &str = "pins approve";
