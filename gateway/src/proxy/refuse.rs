//! From a refusal that is on record to what the client sees. One exhaustive match; fixed text only.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use serde_json::{Value, json};

use crate::decision::Refusal;
use crate::identity::Principal;
use crate::mcp::asks::TASKS;
use crate::mcp::{Era, RequestId, Revision, reply};
use crate::model::Reason;
use crate::proxy::admit::scheme_of;
use crate::proxy::challenge::{Asked, challenges};
use crate::proxy::progress::{Forwarding, Progress};
use crate::proxy::route::Route;
use crate::proxy::services::Services;
use crate::proxy::{deprecation, origin};
use crate::telemetry::{Challenge, Scheme};

/// How long a client should wait for a dependency of ours, in seconds.
const RETRY_AFTER: &str = "5";

/// A refusal and what of the request the answer depends on.
pub(crate) struct Refused {
    /// Why, with its record.
    pub(crate) refusal: Refusal,
    /// The server, when the path named one.
    pub(crate) route: Option<Arc<Route>>,
    /// Whose request it is, when that was proven.
    pub(crate) principal: Option<Arc<Principal>>,
    /// The scheme of its credential.
    pub(crate) scheme: Scheme,
    /// The id of the JSON-RPC request, when it could be read.
    pub(crate) rpc_id: Option<RequestId>,
    /// The era of the request; unknown is treated like 2026-07-28, which says most in the status.
    pub(crate) era: Option<Era>,
    /// The revision that was asked for, when it is not supported.
    pub(crate) requested: Option<Box<str>>,
    /// What the client's next DPoP proof should carry.
    pub(crate) nonce: Option<Box<str>>,
}

/// Sends the answer to a refused request.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn answer(
    services: &Services,
    session: &mut Session,
    refused: &Refused,
) -> pingora::Result<()> {
    let reason = refused.refusal.reason();
    let status = status(services, refused);
    let body = body(refused);
    if is_end_unknown(reason) {
        session.set_keepalive(None);
    }
    let mut head = ResponseHeader::build(status, Some(10))?;
    if !body.is_empty() {
        head.insert_header("content-type", "application/json")?;
    }
    head.insert_header("content-length", body.len())?;
    head.insert_header("cache-control", "no-store")?;
    head.insert_header("x-request-id", refused.refusal.request_id())?;
    if let Some(origin) = services.origins.of(&session.req_header().headers) {
        origin::expose(origin, &mut head)?;
    }
    give_nonce(refused.nonce.as_deref(), &mut head)?;
    if let Some(route) = &refused.route {
        challenge(services, route, refused, &mut head)?;
    }
    if let Some(principal) = &refused.principal {
        deprecation::tell(principal, &mut head)?;
    }
    if let Some((name, value)) = extra(reason) {
        head.insert_header(name, value)?;
    }
    if let Some(wait) = refused.refusal.retry_after() {
        head.insert_header("retry-after", whole_seconds(wait))?;
    }
    let is_head = session.req_header().method == http::Method::HEAD;
    session
        .write_response_header(Box::new(head), is_head)
        .await?;
    if is_head {
        return Ok(());
    }
    session.write_response_body(Some(body), true).await
}

/// Whether nobody can say where the request ends and the next one begins (RFC 9112 section 6.3).
const fn is_end_unknown(reason: Reason) -> bool {
    matches!(reason, Reason::BodyIncomplete | Reason::RequestMalformed)
}

fn challenge(
    services: &Services,
    route: &Route,
    refused: &Refused,
    head: &mut ResponseHeader,
) -> pingora::Result<()> {
    let asked = Asked {
        reason: refused.refusal.reason(),
        scheme: refused.scheme,
        wanted: refused.refusal.wanted_scopes(),
        step_up: refused.refusal.step_up(),
    };
    if put_challenges(route, &asked, head)? == Some(Challenge::NonceWanted) {
        give_nonce(Some(&services.verifier.nonce()), head)?;
    }
    Ok(())
}

fn put_challenges(
    route: &Route,
    asked: &Asked<'_>,
    head: &mut ResponseHeader,
) -> pingora::Result<Option<Challenge>> {
    let Some((challenge, lines)) = challenges(asked, &route.audience, &route.metadata_url) else {
        return Ok(None);
    };
    route.metrics.challenged(challenge);
    for line in lines {
        head.append_header("www-authenticate", line)?;
    }
    Ok(Some(challenge))
}

/// RFC 9449 section 8.2: any answer may bring the nonce for the next proof, in exactly one line.
///
/// # Errors
/// pingora's, when a header cannot be set.
pub(crate) fn give_nonce(nonce: Option<&str>, head: &mut ResponseHeader) -> pingora::Result<()> {
    match nonce {
        Some(nonce) => head.insert_header("dpop-nonce", nonce),
        None => Ok(()),
    }
}

/// The challenge to a request that was permitted, and whose token ended before anything was done.
fn challenge_again(
    forwarding: &Forwarding,
    reason: Reason,
    head: &mut ResponseHeader,
) -> pingora::Result<()> {
    let asked = Asked {
        reason,
        scheme: scheme_of(forwarding.permit.principal()),
        wanted: &[],
        step_up: None,
    };
    put_challenges(&forwarding.route, &asked, head).map(drop)
}

/// The header that belongs to a reason.
fn extra(reason: Reason) -> Option<(&'static str, &'static str)> {
    if matches!(
        reason,
        Reason::IssuerKeysUnavailable
            | Reason::AuditUnavailable
            | Reason::IntrospectionUnavailable
            | Reason::StateUnavailable
            | Reason::SessionsFull
    ) {
        return Some(("retry-after", RETRY_AFTER));
    }
    if matches!(reason, Reason::RateLimited | Reason::Overloaded) {
        return Some(("retry-after", "1"));
    }
    if reason == Reason::HttpMethodNotAllowed {
        return Some(("allow", "POST, GET, DELETE, OPTIONS"));
    }
    (reason == Reason::ContentEncodingUnsupported).then_some(("accept-encoding", "identity"))
}

fn status(services: &Services, refused: &Refused) -> u16 {
    let reason = refused.refusal.reason();
    // What a server would say of a task that it does not know, in the way in which SDKs of older revisions hear it.
    if reason == Reason::TaskUnknown && refused.era == Some(Era::Legacy) {
        return 200;
    }
    if is_denial(reason) {
        match (services.deny_http_status, refused.era) {
            // Too many is not the same as never.
            (Some(403), _) if reason == Reason::BudgetSpent => return reason.status(),
            (Some(status), _) => return status,
            // Older SDKs drop the session on a 403, and take a 404 for a lost session.
            (None, Some(Era::Legacy)) => return 200,
            (None, Some(Era::Modern) | None) => {}
        }
    }
    reason.status()
}

/// Whether the policy said no to something well formed, which no scope can change.
const fn is_denial(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::ToolNotAllowed
            | Reason::ToolWithheld
            | Reason::ApprovalRequired
            | Reason::ArgumentDenied
            | Reason::OutsideHours
            | Reason::BudgetSpent
            | Reason::PromptNotAllowed
            | Reason::ResourceNotAllowed
            | Reason::MethodNotAllowed
    )
}

fn body(refused: &Refused) -> Bytes {
    let refusal = &refused.refusal;
    let reason = refusal.reason();
    // A notification is taken without a word, whatever becomes of it (JSON-RPC 2.0 section 4.1).
    if reason == Reason::NothingToCancel {
        return Bytes::new();
    }
    let mut data = json!({
        "reason": reason.name(),
        "request_id": refusal.request_id(),
    });
    if let Some(id) = refusal.decision_id() {
        set(&mut data, "decision_id", Value::from(id));
    }
    if reason == Reason::ScopeInsufficient {
        set(
            &mut data,
            "missing_scopes",
            Value::from(refusal.missing_scopes()),
        );
    }
    if let Some(wait) = refusal.retry_after() {
        set(&mut data, "retry_after", Value::from(whole_seconds(wait)));
    }
    if reason == Reason::CapabilityMissing {
        // MCP 2026-07-28, basic: MissingRequiredClientCapability.
        let required = json!({ "extensions": { TASKS: {} } });
        set(&mut data, "requiredCapabilities", required);
    }
    if reason == Reason::VersionUnsupported {
        // What a request may name for itself. Older revisions are agreed on with the server by `initialize`, so that only
        // the server knows them.
        let supported: Vec<_> = Revision::ALL
            .iter()
            .rev()
            .filter(|revision| revision.is_modern())
            .map(|revision| revision.name())
            .collect();
        set(&mut data, "supported", Value::from(supported));
        if let Some(requested) = &refused.requested {
            set(&mut data, "requested", Value::from(&**requested));
        }
    }
    Bytes::from(reply::error_body(
        refused.rpc_id.as_ref(),
        reason.code(),
        reason.message(),
        &data,
    ))
}

/// RFC 9110 section 10.2.3: in whole seconds, and never too early.
const fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs()
        .saturating_add(if wait.subsec_nanos() > 0 { 1 } else { 0 })
}

fn set(data: &mut Value, key: &str, value: Value) {
    if let Some(members) = data.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

/// The JSON-RPC error that takes the place of an answer that cannot be passed on.
pub(crate) fn error_message(reason: Reason, request_id: &str, rpc_id: Option<&RequestId>) -> Bytes {
    let data = json!({ "reason": reason.name(), "request_id": request_id });
    Bytes::from(reply::error_body(
        rpc_id,
        reason.code(),
        reason.message(),
        &data,
    ))
}

/// Tells the client that a permitted request failed on its way.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn failed(
    services: &Services,
    session: &mut Session,
    progress: &mut Progress,
    reason: Reason,
) -> pingora::Result<()> {
    let (request_id, rpc_id, status, nonce) = match progress.forwarding() {
        Some(forwarding) => (
            forwarding.permit.request_id().to_owned(),
            forwarding.passage.id().cloned(),
            forwarding.status,
            forwarding.nonce.take(),
        ),
        None => (String::new(), None, None, None),
    };
    let body = error_message(reason, &request_id, rpc_id.as_ref());
    let mut head = ResponseHeader::build(status.unwrap_or(reason.status()), Some(6))?;
    head.insert_header("content-type", "application/json")?;
    head.insert_header("content-length", body.len())?;
    head.insert_header("cache-control", "no-store")?;
    head.insert_header("x-request-id", request_id)?;
    give_nonce(nonce.as_deref(), &mut head)?;
    if let Some(forwarding) = progress.forwarding() {
        deprecation::tell(forwarding.permit.principal(), &mut head)?;
    }
    if let Some(origin) = services.origins.of(&session.req_header().headers) {
        origin::expose(origin, &mut head)?;
    }
    if let (None, Some(forwarding)) = (status, progress.forwarding()) {
        challenge_again(forwarding, reason, &mut head)?;
    }
    session.set_keepalive(None);
    session.write_response_header(Box::new(head), false).await?;
    session.write_response_body(Some(body), true).await
}
