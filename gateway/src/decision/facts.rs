//! What conditions may look at, gathered from what was proven of one request. Gathered only when a condition asks.

use gatewright_policies::{Annotations, Arguments, Facts, Party};

use crate::decision::gate::Gate;
use crate::decision::tiers::Trust;
use crate::identity::Actor;

/// What of a message conditions may look at.
#[derive(Debug, Clone, Copy)]
pub(in crate::decision) struct Asking<'a> {
    /// The MCP method.
    pub(in crate::decision) method: &'a str,
    /// What the agent says its model is.
    pub(in crate::decision) model: Option<&'a str>,
    pub(in crate::decision) arguments: Arguments<'a>,
}

impl Gate<'_> {
    /// The facts about something of this `name`.
    pub(in crate::decision) fn facts<'f>(&'f self, asking: Asking<'f>, name: &str) -> Facts<'f> {
        Facts {
            party: self.party(asking.model),
            method: asking.method,
            // A client that reached an IPv6 socket over IPv4 is where its IPv4 address is.
            source: self.source.map(|source| source.to_canonical()),
            moment: self.rules.zone.moment(self.now),
            arguments: asking.arguments,
            annotations: self.said(name),
        }
    }

    fn party<'f>(&'f self, asserted: Option<&'f str>) -> Party<'f> {
        let principal = self.principal;
        // An issuer's word comes before an agent's own.
        let claimed = principal.model().map(|model| (model, "claim"));
        Party {
            issuer: principal.issuer().as_str(),
            subject: principal.subject(),
            kind: principal.kind().name(),
            client: principal.client_id(),
            actors: principal.actors().iter().map(Actor::subject).collect(),
            model: claimed.or(asserted.map(|model| (model, "meta"))),
            claims: principal.claims(),
            details: principal.details(),
            acr: principal.acr(),
            auth_age: principal.authenticated().map(|at| self.now.since(at)),
            token_age: principal.issued().map(|at| self.now.since(at)),
        }
    }

    /// What a tool says of itself: the worst, unless its server is trusted and the tool is what was pinned.
    pub(in crate::decision) fn said(&self, tool: &str) -> Annotations {
        match (self.demands.trust, self.pins) {
            (Trust::Pinned, Some(pins)) => pins.annotations(tool),
            (Trust::Pinned | Trust::Nobody, _) => Annotations::default(),
        }
    }
}
