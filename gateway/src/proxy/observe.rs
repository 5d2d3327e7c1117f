//! What a server may send besides the answer, and who keeps books on what it sent. Never looks at a result.

use crate::config::ServerRequest;
use crate::decision::Gate;
use crate::mcp::{Ask, Capability, Era, Item, Judge, Kind, Listing, Onward, Seen, is_sound};
use crate::proxy::progress::{Forwarding, Passage};
use crate::proxy::{keep, pins};

/// Whether what a server sent goes on to the client. Asked once for each message, in the order in which they came.
pub(crate) fn observe(forwarding: &Forwarding, seen: &Seen<'_>) -> Onward {
    let expected = match *seen {
        Seen::EventId(_) | Seen::Response { .. } => Onward::Pass,
        Seen::Request { method, .. } => request(forwarding, method),
        Seen::Notification {
            method,
            progress_token,
            ..
        } => notification(forwarding, method, progress_token),
    };
    match expected {
        // What does not go on is in no book: nobody may answer a question that was never asked.
        Onward::Drop => Onward::Drop,
        Onward::Pass => keep::keep(forwarding, seen),
    }
}

/// Since 2026-07-28 a server sends no requests (basic/transports/streamable-http).
fn request(forwarding: &Forwarding, method: &str) -> Onward {
    let may = &forwarding.bench.route.answers.server_requests;
    let is_expected = match method {
        "ping" => true,
        "sampling/createMessage" => may.contains(&ServerRequest::Sampling),
        "elicitation/create" => may.contains(&ServerRequest::Elicitation),
        "roots/list" => may.contains(&ServerRequest::Roots),
        _ => false,
    };
    passes_if(is_expected && forwarding.era == Era::Legacy)
}

/// Progress belongs to the request that asked for it; on the stream of a session that may be any of the session.
fn notification(forwarding: &Forwarding, method: &str, token: Option<&str>) -> Onward {
    if method != "notifications/progress" || matches!(forwarding.passage, Passage::OpenStream) {
        return Onward::Pass;
    }
    let call = forwarding.passage.call();
    let asked = call.and_then(|call| call.progress_token.as_ref());
    let is_asked = asked
        .zip(token)
        .is_some_and(|(asked, token)| asked.is_written(token));
    passes_if(is_asked)
}

const fn passes_if(is_expected: bool) -> Onward {
    if is_expected {
        Onward::Pass
    } else {
        Onward::Drop
    }
}

/// Decides for one request what of its answer passes.
pub(crate) struct Observer<'a> {
    forwarding: &'a Forwarding,
    gate: Gate<'a>,
    /// How many messages were dropped.
    pub(crate) dropped: usize,
    /// How many tools were taken out of a list because of an annotation.
    pub(crate) unsound: usize,
}

impl<'a> Observer<'a> {
    pub(crate) fn new(forwarding: &'a Forwarding) -> Self {
        Self {
            forwarding,
            gate: forwarding.gate(),
            dropped: 0,
            unsound: 0,
        }
    }

    /// Whether the client said that it can do this. Before 2026-07-28 it said so at the start of its session.
    fn is_declared(&self, capability: Capability) -> bool {
        let call = self.forwarding.passage.call();
        self.forwarding.era == Era::Legacy
            || call.is_some_and(|call| call.capabilities.contains(&capability))
    }

    fn is_host(&self, host: &str) -> bool {
        let hosts = &self.forwarding.bench.route.answers.elicitation_hosts;
        hosts.iter().any(|allowed| match allowed.strip_prefix('*') {
            // What is left of the pattern starts with the dot.
            Some(below) => host.len() > below.len() && host.ends_with(below),
            None => allowed == host,
        })
    }
}

impl Judge for Observer<'_> {
    fn shows(&mut self, listing: Listing, item: Item<'_>) -> bool {
        let is_pinned = pins::judge(self.forwarding, listing, item);
        if !is_pinned || !self.gate.shows(listing, item.name) {
            return false;
        }
        if listing != Listing::Tools {
            return true;
        }
        if !is_sound(item.text) {
            self.unsound += 1;
            return false;
        }
        self.forwarding.route.metrics.learn_tool(item.name);
        true
    }

    fn passes(&mut self, seen: &Seen<'_>) -> Onward {
        observe(self.forwarding, seen)
    }

    fn permits(&mut self, ask: &Ask) -> bool {
        let leads_somewhere_known = match ask {
            Ask::Page(host) => host.as_deref().is_some_and(|host| self.is_host(host)),
            Ask::Form | Ask::Sampling | Ask::Roots => true,
            Ask::Other => false,
        };
        leads_somewhere_known && ask.needs().is_some_and(|needed| self.is_declared(needed))
    }

    fn dropped(&mut self, kind: Kind) {
        self.dropped += 1;
        self.forwarding.route.metrics.message_dropped(kind);
    }
}
