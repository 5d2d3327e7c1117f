//! From the facts of a request to the members of its record. Says nothing that is not known.

use gatewright_policies::Tier;

use crate::audit::EventId;
use crate::audit::event::{self, Event, Kind};
use crate::audit::part::{
    Actor, Arguments, Authentication, Gateway, Link, Mcp, Model, ModelSource, Policy, PolicyMode,
    Refused, Shadow, Source, Subject, SubjectKind,
};
use crate::audit::text::{Joined, RequestId, Text, Texts};
use crate::decision::circumstance::{Action, Circumstance, InForce};
use crate::decision::mode::Mode;
use crate::identity::{Principal, PrincipalKind, Thumbprint};
use crate::mcp::{Call, Revision, Target};
use crate::model::Reason;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(in crate::decision) fn event<'a>(
    kind: Kind,
    id: EventId,
    circumstance: &Circumstance<'a>,
    chain: Vec<Link<'a>>,
) -> Event<'a> {
    let request = circumstance.request;
    let mut event = Event::new(kind, request.at, id, gateway(circumstance.in_force));
    let server = request
        .server
        .as_ref()
        .map(crate::model::ServerName::as_str);
    let call = circumstance.action.and_then(Action::call);
    let name = circumstance.action.and_then(target);
    event.action = circumstance
        .action
        .map(|action| Joined::action(action.name(), None));
    event.resource = server.map(|server| Joined::resource(server, name));
    event.mcp = server.map(|server| mcp(server, circumstance, call, name));
    event.arguments = circumstance
        .arguments
        .map(|(digest, bytes)| Arguments { digest, bytes });
    event.source = request.source.map(|source| Source {
        ip: source.ip(),
        port: source.port(),
    });
    event.request_id = Some((&*request.id).into());
    event.trace_id = call
        .and_then(|call| call.trace_id.as_deref())
        .map(Into::into);
    if let Some(principal) = circumstance.principal {
        name_principal(&mut event, principal);
        // An outcome names its decision, which says the rest.
        if kind != Kind::Outcome {
            describe_principal(&mut event, principal, call, chain);
        }
    }
    event
}

fn name_principal<'a>(event: &mut Event<'a>, principal: &'a Principal) {
    let acting = principal
        .actors()
        .first()
        .map(crate::identity::Actor::subject);
    event.sub = Some(principal.subject().into());
    event.act = acting.or(principal.client_id()).map(Into::into);
    event.token_id = Some(principal.token_id().into());
}

fn describe_principal<'a>(
    event: &mut Event<'a>,
    principal: &'a Principal,
    call: Option<&'a Call>,
    chain: Vec<Link<'a>>,
) {
    event.subject = Some(Subject {
        iss: principal.issuer().as_str().into(),
        id: principal.subject().into(),
        kind: match principal.kind() {
            PrincipalKind::User => SubjectKind::User,
            PrincipalKind::Agent => SubjectKind::Agent,
            PrincipalKind::Service => SubjectKind::Service,
        },
        roles: principal.roles().into(),
    });
    let client_name = call.and_then(|call| call.client_name.as_deref());
    event.actor = Some(Actor {
        client_id: principal.client_id().map(Into::into),
        chain,
        client_name: client_name.map(Into::into),
        client_asserted: client_name.map(|_| true),
    });
    event.model = model(principal, call);
    event.authn = Some(Authentication {
        scheme: principal.scheme().into(),
        result: "ok".into(),
        jkt: thumbprint(principal.confirmation().key.as_ref()),
        cert_sha256: thumbprint(principal.confirmation().certificate.as_ref()),
        token_exp: Some(principal.expires().seconds()),
        scopes: principal.scopes().into(),
    });
}

fn thumbprint(bound: Option<&Thumbprint>) -> Option<Text<'_>> {
    bound.map(|thumbprint| thumbprint.as_str().into())
}

/// An issuer's word comes before an agent's own.
fn model<'a>(principal: &'a Principal, call: Option<&'a Call>) -> Option<Model<'a>> {
    let claimed = principal.model().map(|name| (name, ModelSource::Claim));
    let asserted = call
        .and_then(|call| call.model.as_deref())
        .map(|name| (name, ModelSource::Meta));
    let (name, source) = claimed.or(asserted)?;
    Some(Model {
        name: name.into(),
        provider: None,
        version: None,
        source,
    })
}

fn mcp<'a>(
    server: &'a str,
    circumstance: &Circumstance<'a>,
    call: Option<&'a Call>,
    name: Option<&'a str>,
) -> Mcp<'a> {
    Mcp {
        method: circumstance.action.map(|action| action.name().into()),
        name: name.map(Into::into),
        protocol_version: circumstance.revision.map(Revision::name).map(Into::into),
        server: server.into(),
        jsonrpc_id: call.map(|call| RequestId::from_json(call.id.as_json())),
    }
}

/// What a request is about; of a task, the tool that made it.
pub(in crate::decision) fn target<'a>(action: &Action<'a>) -> Option<&'a str> {
    match action {
        Action::Call(call) => target_name(&call.target),
        Action::OwnTask { tool, .. } => Some(tool),
        Action::Notify { .. } | Action::Reply | Action::OpenStream | Action::EndSession => None,
    }
}

fn target_name(target: &Target) -> Option<&str> {
    match target {
        Target::Tool(name) | Target::Prompt(name) | Target::Resource(name) => Some(name),
        // A task id is a capability of sorts; several resources are no one name.
        Target::None | Target::Resources(_) | Target::Task(_) => None,
    }
}

pub(in crate::decision) fn chain(principal: &Principal) -> Vec<Link<'_>> {
    principal.actors().iter().map(link).collect()
}

fn link(actor: &crate::identity::Actor) -> Link<'_> {
    Link {
        sub: actor.subject().into(),
        iss: actor.issuer().map(Into::into),
    }
}

/// What is said of the policy in a record.
pub(in crate::decision) fn policy<'a>(
    in_force: &InForce,
    rules: &'a [&'a str],
    (tier, shadow): (Tier, Option<(event::Decision, &'a [&'a str])>),
) -> Policy<'a> {
    Policy {
        ids: Texts::from(rules),
        digest: in_force.policy,
        mode: match in_force.mode {
            Mode::Enforce => PolicyMode::Enforce,
            Mode::Shadow => PolicyMode::Shadow,
        },
        tier: (tier != Tier::Low).then(|| tier.name().into()),
        shadow: shadow.map(|(decision, rules)| Shadow {
            decision,
            ids: Texts::from(rules),
        }),
    }
}

pub(in crate::decision) fn refused(reason: Reason, missing: &[String]) -> Refused<'_> {
    Refused {
        code: reason,
        message: reason.message().into(),
        missing_scopes: missing.into(),
    }
}

pub(in crate::decision) fn gateway(in_force: &InForce) -> Gateway<'_> {
    Gateway {
        instance: (&*in_force.instance).into(),
        version: VERSION.into(),
        config: in_force.configuration,
    }
}
