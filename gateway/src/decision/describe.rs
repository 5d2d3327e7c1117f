//! From the facts of a request to the members of its record. Says nothing that is not known.

use gatewright_policies::Tier;

use crate::audit::EventId;
use crate::audit::event::{self, Event, Kind};
use crate::audit::names::Names;
use crate::audit::part::{
    self, Address, Authentication, Gateway, Link, Mcp, Model, ModelSource, Policy, PolicyMode,
    Prompt, Refused, Shadow, Source, Subject, SubjectKind,
};
use crate::audit::text::{Joined, RequestId, Text, Texts};
use crate::decision::circumstance::{Action, Circumstance, InForce, Request};
use crate::decision::mode::Mode;
use crate::identity::{Actor, Principal, PrincipalKind, Thumbprint};
use crate::mcp::{Call, Revision, Target};
use crate::model::{AgentModel, Reason};

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
    event.arguments = circumstance.arguments;
    event.source = request.source.map(|source| Source {
        ip: match names(request).and_then(|names| names.source.as_deref()) {
            Some(sealed) => Address::Sealed(sealed),
            None => Address::Plain(source.ip()),
        },
        port: source.port(),
    });
    event.request_id = Some((&*request.id).into());
    event.trace_id = call
        .and_then(|call| call.trace_id.as_deref())
        .map(Into::into);
    if let Some(principal) = circumstance.principal {
        name_principal(&mut event, principal, names(request));
        // An outcome names its decision, which says the rest.
        if kind != Kind::Outcome {
            describe_principal(&mut event, principal, call, chain);
            event.model = model(principal, circumstance.asserted);
            event.prompt = call.and_then(prompt);
        }
    }
    event
}

fn names(request: &Request) -> Option<&Names> {
    request.names.as_deref()
}

fn name_principal<'a>(event: &mut Event<'a>, principal: &'a Principal, names: Option<&'a Names>) {
    let acting = principal.actors().first().map(Actor::subject);
    let acting = acting.map(|plain| names.map_or(plain, |names| names.actor(0, plain)));
    let subject = principal.subject();
    let subject = names.map_or(subject, |names| names.subject(subject));
    let token_id = names.and_then(|names| names.token_id.as_deref());
    event.sub = Some(subject.into());
    event.act = acting.or(principal.client_id()).map(Into::into);
    event.token_id = Some(token_id.unwrap_or(principal.token_id()).into());
}

fn describe_principal<'a>(
    event: &mut Event<'a>,
    principal: &'a Principal,
    call: Option<&'a Call>,
    chain: Vec<Link<'a>>,
) {
    event.subject = Some(Subject {
        iss: principal.issuer().as_str().into(),
        id: event.sub.unwrap_or(principal.subject().into()),
        kind: match principal.kind() {
            PrincipalKind::User => SubjectKind::User,
            PrincipalKind::Agent => SubjectKind::Agent,
            PrincipalKind::Service => SubjectKind::Service,
        },
        roles: principal.roles().into(),
    });
    let client_name = call.and_then(|call| call.client_name.as_deref());
    event.actor = Some(part::Actor {
        client_id: principal.client_id().map(Into::into),
        chain,
        client_name: client_name.map(Into::into),
        client_asserted: client_name.map(|_| true),
    });
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
fn model<'a>(
    principal: &'a Principal,
    asserted: Option<&'a (AgentModel, ModelSource)>,
) -> Option<Model<'a>> {
    let claimed = principal.model().map(|model| (model, ModelSource::Claim));
    let asserted = asserted.map(|(model, source)| (model, *source));
    let (model, source) = claimed.or(asserted)?;
    Some(Model {
        name: model.name().into(),
        provider: model.provider().map(Into::into),
        version: model.version().map(Into::into),
        source,
    })
}

fn prompt(call: &Call) -> Option<Prompt<'_>> {
    Some(Prompt {
        reference: call.prompt.as_deref()?.into(),
        asserted: true,
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

pub(in crate::decision) fn chain<'a>(
    principal: &'a Principal,
    request: &'a Request,
) -> Vec<Link<'a>> {
    let link = |(index, actor): (usize, &'a Actor)| {
        let plain = actor.subject();
        let named = names(request).map_or(plain, |names| names.actor(index, plain));
        Link {
            sub: named.into(),
            iss: actor.issuer().map(Into::into),
        }
    };
    principal.actors().iter().enumerate().map(link).collect()
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
