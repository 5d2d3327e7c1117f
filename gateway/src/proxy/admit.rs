//! One request, from its head to a permit or a refusal: the straight line of the gateway. Each step takes
//! what the step before proved; nothing is sent upstream from here.

use std::sync::Arc;
use std::time::Instant;

use pingora::proxy::Session;

use crate::audit::part::Authentication;
use crate::decision::{Circumstance, Refusal, Request};
use crate::identity::binding::Thumbprint;
use crate::identity::credential::{self, ApiKeyHeader, Unpresented};
use crate::identity::{Bound, Credential, Evidence, Origin, Principal};
use crate::mcp::Era;
use crate::model::{Reason, ServerName};
use crate::proxy::certificate;
use crate::proxy::exchange;
use crate::proxy::head;
use crate::proxy::progress::Forwarding;
use crate::proxy::refuse::Refused;
use crate::proxy::route::{Found, Route};
use crate::proxy::services::Services;
use crate::proxy::unproven::{Attempt, Unproven};
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
    /// What the client's next DPoP proof should carry.
    pub(crate) nonce: Option<Box<str>>,
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
    let checked = head::check(head, &services.limits);
    if let Err(reason) = checked.and_then(|()| certificate::check_host(session)) {
        return Ok(refuse_stranger(services, &request, None, reason));
    }
    let find = |path| services.routes.find(path);
    let route = match head::path(session).map_or(Found::Nothing, find) {
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
    let mut arrival = Arrival {
        services: Arc::clone(services),
        route,
        request,
        started,
        nonce: None,
    };
    match authenticate(&arrival, session).await {
        Ok(bound) => {
            arrival.nonce = bound.nonce;
            exchange::permit(arrival, session, bound.principal).await
        }
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
async fn authenticate(arrival: &Arrival, session: &Session) -> Result<Bound, Box<Refused>> {
    let Arrival {
        services, route, ..
    } = arrival;
    let credential = present(arrival, session);
    let scheme = credential.as_ref().map_or(Scheme::None, scheme);
    let certificate = certificate::of(session, &services.client_cert_from);
    let shown = certificate.as_ref().ok().and_then(Option::as_ref);
    let proven = match (&certificate, &credential) {
        (Err(_), _) => Err(Unproven::Certificate),
        (Ok(_), Err(_)) if is_throttled(arrival, session) => Err(Unproven::Throttled),
        (Ok(_), Err(unpresented)) => Err((*unpresented).into()),
        (Ok(_), Ok(credential)) => prove(arrival, session, (credential, shown)).await,
    };
    let unproven = match proven {
        Ok(bound) => {
            route.metrics.authenticated(scheme, "ok");
            return Ok(bound);
        }
        Err(unproven) => unproven,
    };
    let result = unproven.result();
    route.metrics.authenticated(scheme, result);
    if unproven.is_failure() {
        let source = certificate::source(session);
        services
            .throttle
            .failed(source, &services.limits, Instant::now());
    }
    if let Unproven::Unverified(unverified) = &unproven {
        tracing::info!(
            server = %route.audience.server,
            request_id = &*arrival.request.id,
            result,
            %unverified,
            "authentication refused"
        );
    }
    let attempt = (scheme, result);
    Err(refuse_credential(
        arrival,
        unproven.reason(),
        (attempt, shown),
    ))
}

fn present(arrival: &Arrival, session: &Session) -> Result<Credential, Unpresented> {
    let head = session.req_header();
    let keys = if arrival.route.audience.api_keys.is_some() {
        ApiKeyHeader::Taken
    } else {
        ApiKeyHeader::Ignored
    };
    let limit = arrival.services.limits.token;
    credential::present(&head.headers, head.uri.query(), limit, keys)
}

fn is_throttled(arrival: &Arrival, session: &Session) -> bool {
    let Services {
        throttle, limits, ..
    } = &*arrival.services;
    throttle.is_past(certificate::source(session), limits, arrival.started)
}

const fn scheme(credential: &Credential) -> Scheme {
    match credential {
        Credential::Bearer(_) => Scheme::Bearer,
        Credential::Dpop(..) => Scheme::Dpop,
        Credential::ApiKey(_) => Scheme::ApiKey,
    }
}

async fn prove(
    arrival: &Arrival,
    session: &Session,
    (credential, certificate): (&Credential, Option<&Thumbprint>),
) -> Result<Bound, Unproven> {
    let (verifier, audience) = (&arrival.services.verifier, &arrival.route.audience);
    let remembered = verifier.recall(credential, audience);
    // What costs no signature is never held up: a flood of bad tokens is not to be felt by who is known.
    let is_free = remembered.is_some() && matches!(credential, Credential::Bearer(_));
    if !is_free && is_throttled(arrival, session) {
        return Err(Unproven::Throttled);
    }
    let unbound = match remembered {
        Some(unbound) => unbound,
        None => verifier.verify(credential, audience).await?,
    };
    let evidence = Evidence {
        method: session.req_header().method.as_str(),
        certificate,
    };
    let bound = verifier.bind(&unbound, (credential, evidence), audience);
    Ok(bound.await?)
}

fn refuse_credential(
    arrival: &Arrival,
    reason: Reason,
    attempt: (Attempt, Option<&Thumbprint>),
) -> Box<Refused> {
    refused(
        &arrival.services,
        &arrival.request,
        Some(&arrival.route),
        (reason, attempt),
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
        (reason, ((Scheme::None, "missing"), None)),
    ))
}

fn refused(
    services: &Services,
    request: &Request,
    route: Option<&Arc<Route>>,
    (reason, (attempt, certificate)): (Reason, (Attempt, Option<&Thumbprint>)),
) -> Box<Refused> {
    let (scheme, result) = attempt;
    let circumstance = Circumstance {
        request,
        principal: None,
        action: None,
        revision: None,
        arguments: None,
        needed: &[],
        in_force: &services.in_force,
    };
    let mut authentication = authentication(scheme.name(), result);
    authentication.cert_sha256 = certificate.map(|shown| shown.as_str().into());
    let source = request.source.map(|source| source.ip());
    let refusal = if reason == Reason::RateLimited && services.floods.counts(source) {
        Refusal::counted(request, reason)
    } else {
        Refusal::stranger(&services.ledger, &circumstance, reason, authentication)
    };
    Box::new(Refused {
        refusal,
        route: route.map(Arc::clone),
        principal: None,
        scheme,
        rpc_id: None,
        era: None,
        requested: None,
        nonce: None,
    })
}

/// The scheme of a principal's credential.
pub(crate) fn scheme_of(principal: &Principal) -> Scheme {
    match (principal.origin(), &principal.confirmation().key) {
        (Origin::ApiKey, _) => Scheme::ApiKey,
        (Origin::Token, Some(_)) => Scheme::Dpop,
        (Origin::Token, None) => Scheme::Bearer,
    }
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
        self.refused(principal, refusal, unreadable)
    }

    /// A refusal that is on record, with what its answer depends on.
    pub(crate) fn refused(
        &self,
        principal: &Arc<Principal>,
        refusal: Refusal,
        unreadable: Unreadable,
    ) -> Box<Refused> {
        self.count_refusal(&refusal);
        Box::new(Refused {
            refusal,
            route: Some(Arc::clone(&self.route)),
            principal: Some(Arc::clone(principal)),
            scheme: scheme_of(principal),
            rpc_id: unreadable.id,
            era: unreadable.era,
            requested: unreadable.requested,
            nonce: self.nonce.clone(),
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
