//! A proven principal's request: reads it, decides it, records the decision. Past here only a permit leads on.

use std::sync::Arc;

use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use crate::audit::arguments::Arguments;
use crate::audit::part::ModelSource;
use crate::decision::{self, Action, Circumstance, Gate, Permit, Refusal};
use crate::identity::Principal;
use crate::mcp::{self, Bounds, Era, Message, Method, Read, Revision};
use crate::model::{AgentModel, Reason};
use crate::proxy::admit::{Admission, Arrival, Unreadable, scheme_of};
use crate::proxy::body::{self, Announced, BodyBounds};
use crate::proxy::head::{self, Verb};
use crate::proxy::progress::{Bench, Forwarding, Passage};
use crate::proxy::refuse::Refused;
use crate::proxy::standing::{self, Objection, Standing};
use crate::proxy::trim::Trim;
use crate::proxy::{asserted, curfew, lookout, names};
use crate::upstream::peer::Patience;

/// From a principal to a permit.
///
/// # Errors
/// pingora's, when the client went away.
pub(crate) async fn permit(
    mut arrival: Arrival,
    session: &mut Session,
    principal: Arc<Principal>,
) -> pingora::Result<Admission> {
    if let Err(refused) = names::give(&mut arrival, &principal).await {
        return Ok(Admission::Refuse(refused));
    }
    let outcome = match Verb::of(&session.req_header().method) {
        Ok(Verb::Post) => message(arrival, session, &principal).await,
        Ok(verb) => session_request(arrival, session, &principal, verb).await,
        Err(reason) => Err(arrival
            .refuse(&principal, reason, Unreadable::default())
            .await),
    };
    Ok(match outcome {
        Ok(forwarding) => Admission::Forward(Box::new(forwarding)),
        Err(refused) => Admission::Refuse(refused),
    })
}

/// A decided request, before its record.
struct Asked {
    passage: Passage,
    era: Era,
    revision: Revision,
    arguments: Option<Arguments>,
    model: Option<(AgentModel, ModelSource)>,
    body: Option<bytes::Bytes>,
}

async fn message(
    arrival: Arrival,
    session: &mut Session,
    principal: &Arc<Principal>,
) -> Result<Forwarding, Box<Refused>> {
    let body = match collect(&arrival, session).await {
        Ok(body) => body,
        Err(reason) => {
            return Err(arrival
                .refuse(principal, reason, Unreadable::default())
                .await);
        }
    };
    let mut read = match read(&body, session, arrival.services.limits.message()) {
        Ok(read) => read,
        Err((reason, unreadable)) => {
            return Err(arrival.refuse(principal, reason, unreadable).await);
        }
    };
    names::seal_client(&arrival, &mut read.message);
    let arguments = arguments(&arrival, &read.message, &body);
    let headers = &session.req_header().headers;
    let model = asserted::model(&arrival.services.model, headers, (&read.message, &body));
    let passage = Passage::Message(Box::new(read.message));
    let asked = Asked {
        passage,
        era: read.era,
        revision: read.revision,
        arguments,
        model,
        body: Some(body),
    };
    decide(arrival, session, principal, asked).await
}

async fn collect(arrival: &Arrival, session: &mut Session) -> Result<bytes::Bytes, Reason> {
    head::check_media(&session.req_header().headers)?;
    head::mirrored(&session.req_header().headers)?;
    let limits = arrival.services.limits;
    let announced = Announced::of(session, limits.body)?;
    let load = &arrival.services.load;
    let share = load.take(announced.weight(), limits.bytes_in_flight);
    let share = share.ok_or(Reason::Overloaded)?;
    expect(session).await?;
    let bounds = BodyBounds {
        limit: limits.body,
        within: limits.body_timeout,
        rate: limits.body_rate,
    };
    let body = body::collect(session, announced, bounds).await?;
    Ok(share.carry(body))
}

/// RFC 9110 section 10.1.1: who waits for leave to send the body gets it now that they are known.
async fn expect(session: &mut Session) -> Result<(), Reason> {
    let Some(expected) = session.get_header(http::header::EXPECT) else {
        return Ok(());
    };
    if !expected.as_bytes().eq_ignore_ascii_case(b"100-continue") {
        return Err(Reason::ExpectationUnsupported);
    }
    if session.is_http2() {
        return Ok(());
    }
    let go_on = ResponseHeader::build(100, Some(0)).map_err(|_| Reason::Internal)?;
    let continued = session
        .downstream_session
        .write_response_header(Box::new(go_on))
        .await;
    continued.map_err(|_| Reason::BodyIncomplete)
}

fn read(body: &[u8], session: &Session, bounds: Bounds) -> Result<Read, (Reason, Unreadable)> {
    let headers = &session.req_header().headers;
    let mirrored = head::mirrored(headers).map_err(|reason| (reason, Unreadable::default()))?;
    mcp::read(body, mirrored, bounds).map_err(|refused| {
        let unreadable = Unreadable {
            id: refused.id,
            era: None,
            requested: refused.requested,
        };
        (refused.reason, unreadable)
    })
}

fn arguments(arrival: &Arrival, message: &Message, body: &[u8]) -> Option<Arguments> {
    let (Some(digester), Message::Request(call)) = (&arrival.services.arguments, message) else {
        return None;
    };
    let text = str::from_utf8(body.get(call.arguments.clone()?)?).ok()?;
    Some(digester.keep(arrival.server(), &call.target, text))
}

/// GET and DELETE exist before 2026-07-28 only.
async fn session_request(
    arrival: Arrival,
    session: &mut Session,
    principal: &Arc<Principal>,
    verb: Verb,
) -> Result<Forwarding, Box<Refused>> {
    let unreadable = Unreadable::default;
    let revision = match legacy_revision(session) {
        Ok(revision) => revision,
        Err(reason) => return Err(arrival.refuse(principal, reason, unreadable()).await),
    };
    if !session.is_body_empty() {
        return Err(arrival
            .refuse(principal, Reason::RequestMalformed, unreadable())
            .await);
    }
    let passage = if verb == Verb::Get {
        Passage::OpenStream
    } else {
        Passage::EndSession
    };
    let asked = Asked {
        passage,
        era: Era::Legacy,
        revision,
        arguments: None,
        model: None,
        body: None,
    };
    decide(arrival, session, principal, asked).await
}

fn legacy_revision(session: &Session) -> Result<Revision, Reason> {
    let mirrored = head::mirrored(&session.req_header().headers)?;
    let Some(version) = mirrored.protocol_version else {
        return Ok(Revision::V2025_03_26);
    };
    match Revision::from_name(version.trim_ascii()) {
        Some(revision) if revision.is_modern() => Err(Reason::HttpMethodNotAllowed),
        Some(revision) => Ok(revision),
        None => Err(Reason::VersionUnsupported),
    }
}

async fn decide(
    arrival: Arrival,
    session: &Session,
    principal: &Arc<Principal>,
    asked: Asked,
) -> Result<Forwarding, Box<Refused>> {
    let headers = &session.req_header().headers;
    let stands = standing::of(&arrival, headers, principal, (&asked.passage, asked.era));
    let standing = match stands {
        Ok(standing) => standing,
        Err(objection) => return Err(object(&arrival, principal, objection, &asked).await),
    };
    let id = asked.passage.id().cloned();
    let era = Some(asked.era);
    let services = &arrival.services;
    let action = asked.passage.action(standing.tool());
    let gate = gate(&arrival, principal);
    let arguments = carried(&asked);
    let question = decision::Asked {
        action: &action,
        arguments,
        model: asked.model.as_ref(),
    };
    let candidate = services.regime.candidate.as_ref();
    let verdict = gate.decide(&question, candidate, &*services.state).await;
    lookout::decided(&arrival, principal, asked.passage.tool(), verdict.refusal());
    let circumstance = circumstance(&arrival, principal, (&asked, &action));
    arrival.count_verdict(&verdict, &circumstance);
    let recorded = verdict
        .record(&services.ledger, principal, &circumstance)
        .await;
    arrival.count_record(&recorded);
    match recorded {
        Ok(permit) => Ok(Permitted {
            permit,
            standing: standing.proceed(),
        }
        .forwarding(arrival, asked)),
        Err(refusal) => {
            let route = Some(Arc::clone(&arrival.route));
            Err(Box::new(Refused {
                refusal,
                route,
                principal: Some(Arc::clone(principal)),
                scheme: scheme_of(principal),
                rpc_id: id,
                era,
                requested: None,
                nonce: arrival.nonce,
            }))
        }
    }
}

/// Who decides: the policy in force, as this principal meets it here and now.
fn gate<'a>(arrival: &'a Arrival, principal: &'a Principal) -> Gate<'a> {
    let regime = &arrival.services.regime;
    Gate {
        rules: &regime.rules,
        mode: regime.mode,
        audience: &arrival.route.audience,
        demands: &arrival.route.demands,
        pins: arrival.route.pins.as_deref(),
        principal,
        source: arrival.request.source.map(|source| source.ip()),
        now: arrival.request.at,
    }
}

/// The bytes of the arguments: of the very body that will be sent.
fn carried(asked: &Asked) -> Option<&[u8]> {
    let range = asked.passage.call()?.arguments.clone()?;
    asked.body.as_ref()?.get(range)
}

/// What is known now that the message is.
fn circumstance<'a>(
    arrival: &'a Arrival,
    principal: &'a Arc<Principal>,
    (asked, action): (&'a Asked, &'a Action<'a>),
) -> Circumstance<'a> {
    Circumstance {
        action: Some(action),
        revision: Some(asked.revision),
        arguments: asked.arguments.as_ref(),
        asserted: asked.model.as_ref(),
        ..arrival.circumstance(principal)
    }
}

/// Refuses what the books speak against, on record.
async fn object(
    arrival: &Arrival,
    principal: &Arc<Principal>,
    objection: Objection,
    asked: &Asked,
) -> Box<Refused> {
    let action = asked.passage.action(None);
    let circumstance = circumstance(arrival, principal, (asked, &action));
    arrival.count_decision(Some(objection.reason()));
    lookout::decided(arrival, principal, None, Some(objection.reason()));
    let ledger = &arrival.services.ledger;
    let refusal = match objection {
        Objection::Plain(reason) => Refusal::unread(ledger, principal, &circumstance, reason).await,
        Objection::Trespass => Refusal::trespass(ledger, principal, &circumstance).await,
    };
    let unreadable = Unreadable {
        id: asked.passage.id().cloned(),
        era: Some(asked.era),
        requested: None,
    };
    arrival.refused(principal, refusal, unreadable)
}

/// What may go upstream.
struct Permitted {
    permit: Permit,
    standing: Standing,
}

impl Permitted {
    fn forwarding(self, arrival: Arrival, asked: Asked) -> Forwarding {
        let permit = self.permit;
        let listens = matches!(asked.passage, Passage::OpenStream)
            || asked.passage.calls(Method::SubscriptionsListen);
        let patience = if listens {
            Patience::Endless
        } else {
            Patience::Limited
        };
        let terms = curfew::Terms {
            manner: (patience, arrival.route.outliving),
            stream_age: arrival.services.limits.stream_age,
            reign: &arrival.services.reign,
        };
        Forwarding {
            ends: curfew::end(permit.principal(), arrival.services.clock.now(), &terms),
            bench: Bench {
                services: Arc::clone(&arrival.services),
                route: Arc::clone(&arrival.route),
            },
            services: arrival.services,
            route: arrival.route,
            permit,
            body: asked.body,
            era: asked.era,
            revision: asked.revision,
            passage: asked.passage,
            standing: self.standing,
            patience,
            trim: Trim::Waiting,
            started: arrival.started,
            is_sent: false,
            answered: None,
            passed: None,
            informed: 0,
            received: 0,
            dropped: 0,
            status: None,
            failure: None,
            hold: None,
            term: None,
            stream: None,
            nonce: arrival.nonce,
        }
    }
}
