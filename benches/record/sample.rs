//! Records as a gateway writes them for one call. Never about anybody.

use gatewright::audit::Ledger;
use gatewright::audit::event::{Decision, Event, Kind};
use gatewright::audit::part::{
    Actor, Authentication, Gateway, Mcp, Policy, PolicyMode, Subject, SubjectKind,
};
use gatewright::audit::text::{Joined, RequestId};
use gatewright::model::{Clock as _, Digest, SystemClock};

/// About as long as a decision is in the file.
pub(crate) const BYTES: usize = 1500;

/// A decision, or the outcome of one.
pub(crate) fn record<'a>(ledger: &Ledger, kind: Kind) -> Event<'a> {
    let at = SystemClock.now();
    let digest = Digest::of(b"sample");
    let gateway = Gateway {
        instance: "0192f0c1-2b3c-7d4e-8f50-616263646566".into(),
        version: "0.1.0".into(),
        config: digest,
    };
    Event {
        sub: Some("user-00017@corp.example".into()),
        act: Some("agent-desktop".into()),
        action: Some(Joined::action("tools/call", None)),
        resource: Some(Joined::resource("crm", Some("search_customers"))),
        decision: Some(Decision::Allow),
        token_id: Some("0f9a5ad1-1234-5678-9abc-def012345678".into()),
        scopes_used: SCOPES.into(),
        subject: Some(Subject {
            iss: "https://issuer.example".into(),
            id: "user-00017@corp.example".into(),
            kind: SubjectKind::User,
            roles: ROLES.into(),
        }),
        actor: Some(Actor {
            client_id: Some("agent-desktop".into()),
            ..Actor::default()
        }),
        mcp: Some(Mcp {
            method: Some("tools/call".into()),
            name: Some("search_customers".into()),
            protocol_version: Some("2026-07-28".into()),
            server: "crm".into(),
            jsonrpc_id: Some(RequestId::from_json("17")),
        }),
        authn: Some(Authentication {
            scheme: "bearer".into(),
            result: "ok".into(),
            jkt: None,
            cert_sha256: None,
            token_exp: Some(at.seconds()),
            scopes: SCOPES.into(),
        }),
        policy: Some(policy(digest)),
        request_id: Some("0192f0c1-2b3c-7d4e-8f50-616263646566".into()),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        ..Event::new(kind, at, ledger.event_id(at), gateway)
    }
}

fn policy<'a>(digest: Digest) -> Policy<'a> {
    Policy {
        ids: RULES.into(),
        digest,
        mode: PolicyMode::Enforce,
        tier: None,
        shadow: None,
    }
}

const SCOPES: &[&str] = &["crm:read", "crm:write"];
const ROLES: &[&str] = &["analyst", "support"];
const RULES: &[&str] = &["roles.analyst.crm[1]"];
