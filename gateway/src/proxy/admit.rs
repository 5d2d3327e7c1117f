//! One request, from its head to a permit or a refusal: the straight line of the gateway. Each step takes
//! what the step before proved; nothing is sent upstream from here.

use std::sync::Arc;
use std::time::Instant;

use pingora::proxy::Session;

use crate::audit::part::Authentication;
use crate::decision::{Circumstance, Refusal, Request};
use crate::identity::{Credential, Principal, Unverified, credential};
use crate::mcp::Era;
use crate::model::{Reason, ServerName};
use crate::proxy::exchange;
use crate::proxy::head;
use crate::proxy::progress::Forwarding;
use crate::proxy::refuse::Refused;
use crate::proxy::route::{Found, Route};
use crate::proxy::services::Services;
use crate::proxy::{origin, wellknown};
use crate::telemetry::Scheme;

/// What the edge has to do next.
pub(crate) enum Admission {
    /// Send it upstream.
    Forward(Box<Forwarding>),
    /// Nothing: it is answered.
    Answered,
    /// Answer with this refusal.
    Refuse(Box<Refused>),
}

/// A request whose path named a server.
pub(crate) struct Arrival {
    pub(crate) services: Arc<Services>,
    pub(crate) route: Arc<Route>,
    pub(crate) request: Request,
    pub(crate) started: Instant,
}

/// Everything up to the permit.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn admit(
    services: &Arc<Services>,
    session: &mut Session,
) -> pingora::Result<Admission> {
    let started = Instant::now();
    let mut request = arrived(services, session);
    let head = session.req_header();
    if let Err(reason) = head::check(head, services.limits.headers) {
        return Ok(refuse_stranger(services, &request, None, reason));
    }
    let route = match services.routes.find(path(head.raw_path())) {
        Found::Nothing => {
            return Ok(refuse_stranger(
                services,
                &request,
                None,
                Reason::PathUnknown,
            ));
        }
        Found::Metadata(route) => {
            wellknown::answer(session, route).await?;
            return Ok(Admission::Answered);
        }
        Found::Endpoint(route) => Arc::clone(route),
    };
    request.server = Some(route.audience.server.clone());
    if let Err(reason) = services.origins.check(head) {
        return Ok(refuse_stranger(services, &request, Some(&route), reason));
    }
    if origin::is_preflight(head) {
        return preflight(services, session, &request, &route).await;
    }
    let arrival = Arrival {
        services: Arc::clone(services),
        route,
        request,
        started,
    };
    match authenticate(&arrival, session).await {
        Ok(principal) => exchange::permit(arrival, session, principal).await,
        Err(refused) => Ok(Admission::Refuse(refused)),
    }
}

fn arrived(services: &Services, session: &Session) -> Request {
    let at = services.clock.now();
    Request {
        id: services.ledger.event_id(at).to_string().into(),
        source: session
            .client_addr()
            .and_then(|address| address.as_inet().copied()),
        at,
        server: None,
    }
}

/// The path as bytes, without the query: never decoded, so that nothing else can be meant.
fn path(target: &[u8]) -> &[u8] {
    target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default()
}

async fn preflight(
    services: &Services,
    session: &mut Session,
    request: &Request,
    route: &Arc<Route>,
) -> pingora::Result<Admission> {
    let Some(origin) = services.origins.of(&session.req_header().headers) else {
        return Ok(refuse_stranger(
            services,
            request,
            Some(route),
            Reason::OriginForbidden,
        ));
    };
    let answer = origin::preflight(origin, &session.req_header().headers)?;
    session
        .write_response_header(Box::new(answer), true)
        .await?;
    Ok(Admission::Answered)
}

/// Exactly one credential, proven for this very server.
async fn authenticate(
    arrival: &Arrival,
    session: &Session,
) -> Result<Arc<Principal>, Box<Refused>> {
    let Arrival {
        services, route, ..
    } = arrival;
    let head = session.req_header();
    let presented = credential::present(&head.headers, head.uri.query(), services.limits.token);
    let credential = match presented {
        Ok(credential) => credential,
        Err(unpresented) => {
            let result = unpresented.result();
            route.metrics.authenticated(Scheme::None, result);
            return Err(refuse_credential(
                arrival,
                unpresented.reason(),
                ("none", result),
            ));
        }
    };
    match prove(arrival, &credential).await {
        Ok(principal) => {
            route.metrics.authenticated(Scheme::Bearer, "ok");
            Ok(principal)
        }
        Err(unverified) => {
            let result = unverified.result();
            route.metrics.authenticated(Scheme::Bearer, result);
            tracing::info!(
                server = %route.audience.server,
                request_id = &*arrival.request.id,
                result,
                %unverified,
                "authentication refused"
            );
            Err(refuse_credential(
                arrival,
                unverified.reason(),
                ("bearer", result),
            ))
        }
    }
}

async fn prove(arrival: &Arrival, credential: &Credential) -> Result<Arc<Principal>, Unverified> {
    let Arrival {
        services, route, ..
    } = arrival;
    if let Some(principal) = services.verifier.recall(credential, &route.audience) {
        return Ok(principal);
    }
    services.verifier.verify(credential, &route.audience).await
}

fn refuse_credential(
    arrival: &Arrival,
    reason: Reason,
    (scheme, result): (&'static str, &'static str),
) -> Box<Refused> {
    let authentication = authentication(scheme, result);
    refused(
        &arrival.services,
        &arrival.request,
        Some(&arrival.route),
        (reason, authentication),
    )
}

fn refuse_stranger(
    services: &Services,
    request: &Request,
    route: Option<&Arc<Route>>,
    reason: Reason,
) -> Admission {
    services.metrics.refused(reason);
    Admission::Refuse(refused(
        services,
        request,
        route,
        (reason, authentication("none", "missing")),
    ))
}

fn refused(
    services: &Services,
    request: &Request,
    route: Option<&Arc<Route>>,
    (reason, authentication): (Reason, Authentication<'_>),
) -> Box<Refused> {
    let circumstance = Circumstance {
        request,
        principal: None,
        action: None,
        revision: None,
        arguments: None,
        needed: &[],
        in_force: &services.in_force,
    };
    let refusal = Refusal::stranger(&services.ledger, &circumstance, reason, authentication);
    Box::new(Refused {
        refusal,
        route: route.map(Arc::clone),
        rpc_id: None,
        era: None,
        requested: None,
    })
}

fn authentication<'a>(scheme: &'a str, result: &'a str) -> Authentication<'a> {
    Authentication {
        scheme: scheme.into(),
        result: result.into(),
        jkt: None,
        cert_sha256: None,
        token_exp: None,
        scopes: crate::audit::text::Texts::default(),
    }
}

impl Arrival {
    /// Refuses what a principal sent before any rule could be asked, on record.
    pub(crate) async fn refuse(
        &self,
        principal: &Arc<Principal>,
        reason: Reason,
        unreadable: Unreadable,
    ) -> Box<Refused> {
        let circumstance = self.circumstance(principal);
        self.count_decision(Some(reason));
        let ledger = &self.services.ledger;
        let refusal = Refusal::unread(ledger, principal, &circumstance, reason).await;
        self.count_record(Some(refusal.reason()));
        Box::new(Refused {
            refusal,
            route: Some(Arc::clone(&self.route)),
            rpc_id: unreadable.id,
            era: unreadable.era,
            requested: unreadable.requested,
        })
    }

    /// What is known before the message is.
    pub(crate) fn circumstance<'a>(&'a self, principal: &'a Arc<Principal>) -> Circumstance<'a> {
        Circumstance {
            request: &self.request,
            principal: Some(principal),
            action: None,
            revision: None,
            arguments: None,
            needed: &self.route.audience.scopes,
            in_force: &self.services.in_force,
        }
    }

    /// Counts a decision: a refusal with its reason, or leave to pass.
    pub(crate) fn count_decision(&self, refusal: Option<Reason>) {
        self.services.metrics.decided(self.started.elapsed());
        match refusal {
            Some(reason) => self.route.metrics.denied(reason),
            None => self.route.metrics.allowed(),
        }
    }

    /// Counts a decision that could not be recorded.
    pub(crate) fn count_record(&self, refusal: Option<Reason>) {
        if refusal == Some(Reason::AuditUnavailable) {
            self.services.metrics.audit_failed();
        }
    }

    /// The server.
    pub(crate) fn server(&self) -> &ServerName {
        &self.route.audience.server
    }
}

/// What could be read of a message that was refused unread.
#[derive(Debug, Default)]
pub(crate) struct Unreadable {
    pub(crate) id: Option<crate::mcp::RequestId>,
    pub(crate) era: Option<Era>,
    pub(crate) requested: Option<Box<str>>,
}
