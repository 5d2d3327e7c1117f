//! Learns from what it is told, and finds what is unusual. Knows no clock but the times of requests.

use std::sync::Arc;

use super::baseline::Baseline;
use super::lately::Lately;
use super::lookout::{Decided, Ended};
use super::token::Token;
use crate::audit::anomaly::{Anomaly, AnomalyKind};
use crate::audit::names::Names;
use crate::config::AnomalySettings;
use crate::decision::Request;
use crate::identity::{Principal, PrincipalKind};
use crate::model::{Digest, ServerName};

/// Something unusual that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// What it is.
    pub kind: AnomalyKind,
    pub(super) first: Option<Box<str>>,
    pub(super) count: Option<u64>,
    pub(super) within: Option<u64>,
    pub(super) usual: Option<f64>,
}

impl Finding {
    const fn new(kind: AnomalyKind) -> Self {
        Self {
            kind,
            first: None,
            count: None,
            within: None,
            usual: None,
        }
    }

    /// As a record says it.
    pub fn anomaly(&self) -> Anomaly<'_> {
        Anomaly {
            kind: self.kind,
            first: self.first.as_deref().map(Into::into),
            count: self.count,
            within_s: self.within,
            usual: self.usual,
        }
    }
}

/// What is known of principals and of tokens.
#[derive(Debug)]
pub struct Learner {
    settings: AnomalySettings,
    principals: Lately<Baseline>,
    tokens: Lately<Token>,
}

impl Learner {
    /// One that knows nobody yet.
    pub fn new(settings: AnomalySettings) -> Self {
        let most = usize::try_from(settings.principals).unwrap_or(usize::MAX);
        Self {
            settings,
            principals: Lately::new(most),
            tokens: Lately::new(most),
        }
    }

    /// What is unusual about a request that was decided.
    pub fn decided(&mut self, decided: &Decided) -> Vec<Finding> {
        let Some(server) = &decided.request.server else {
            return Vec::new();
        };
        let mut found: Vec<_> = self.rate(decided, server).into_iter().collect();
        let at = decided.request.at;
        let settings = &self.settings;
        let person = person(&decided.principal);
        let baseline = self.principals.used(person, || Baseline::new(at));
        if decided.refusal.is_some() {
            let count = baseline.denials.count(settings.window, at);
            if count == u64::from(settings.denials) {
                let burst = (AnomalyKind::DenialBurst, server);
                let is_news = baseline.may_tell(burst, settings.quiet, at);
                found.extend(is_news.then(|| counted(burst.0, count, settings)));
            }
            return found;
        }
        found.extend(first_seen(decided, server, baseline, settings));
        let is_person = decided.principal.kind() == PrincipalKind::User;
        let is_late = settings
            .hours
            .as_ref()
            .is_some_and(|hours| !hours.contain(at));
        let late = (AnomalyKind::AfterHours, server);
        if is_person && is_late && baseline.may_tell(late, settings.quiet, at) {
            found.push(Finding::new(late.0));
        }
        found
    }

    /// The first use of a token far above its past.
    fn rate(&mut self, decided: &Decided, server: &ServerName) -> Option<Finding> {
        let (settings, at) = (&self.settings, decided.request.at);
        let token = self.tokens.used(decided.token?, || {
            Token::new(
                Arc::clone(&decided.principal),
                decided.request.names.clone(),
                at,
            )
        });
        token.names.clone_from(&decided.request.names);
        let limits = (settings.calls, settings.factor);
        let (count, usual) = token.used(limits, settings.window, at)?;
        let baseline = self
            .principals
            .used(person(&decided.principal), || Baseline::new(at));
        let rate = (AnomalyKind::TokenRate, server);
        let is_news = settings.calls > 0 && baseline.may_tell(rate, settings.quiet, at);
        is_news.then(|| Finding {
            usual: Some(usual),
            ..counted(rate.0, count, settings)
        })
    }

    /// Whose token it is that goes on being used after its end, when that is unusual.
    pub fn ended(&mut self, ended: &Ended) -> Option<(Finding, Arc<Principal>, Request)> {
        let (settings, at) = (&self.settings, ended.request.at);
        let server = ended.request.server.as_ref()?;
        let token = self.tokens.known(&ended.token)?;
        let count = token.ended.count(settings.window, at);
        if count != u64::from(settings.expired) {
            return None;
        }
        let principal = Arc::clone(&token.principal);
        let names = token.names.clone();
        let baseline = self
            .principals
            .used(person(&principal), || Baseline::new(at));
        let failures = (AnomalyKind::RenewalFailures, server);
        if !baseline.may_tell(failures, settings.quiet, at) {
            return None;
        }
        let mut request = ended.request.clone();
        request.names = names.map(|names| Arc::new(renamed(&names, &request)));
        Some((counted(failures.0, count, settings), principal, request))
    }
}

/// The names of an earlier request, with the address of this one.
fn renamed(names: &Names, request: &Request) -> Names {
    let seal = |address: std::net::SocketAddr| {
        let alias = names.subject.as_deref()?;
        Some(alias.seal(&address.ip().to_string()).into())
    };
    Names {
        source: request.source.and_then(seal),
        ..names.clone()
    }
}

fn first_seen(
    decided: &Decided,
    server: &ServerName,
    baseline: &mut Baseline,
    settings: &AnomalySettings,
) -> Vec<Finding> {
    let at = decided.request.at;
    // A scope is one whatever the server; a tool is its server's.
    let named = |kind, place: &str, name: &str| -> (AnomalyKind, String, Box<str>) {
        (kind, format!("{place} {name}"), name.into())
    };
    let place = format!("tool {server}");
    let scopes = decided.principal.scopes().iter();
    let scopes = scopes.map(|scope| named(AnomalyKind::NewScope, "scope", scope));
    let tool = decided.tool.as_deref();
    let tool = tool.map(|tool| named(AnomalyKind::NewTool, &place, tool));
    let mut found = Vec::new();
    for (kind, key, name) in scopes.chain(tool) {
        if baseline.is_new(key, settings.learning, at) {
            found.push(Finding {
                first: Some(name),
                ..Finding::new(kind)
            });
        }
    }
    found
}

fn counted(kind: AnomalyKind, count: u64, settings: &AnomalySettings) -> Finding {
    Finding {
        count: Some(count),
        within: Some(settings.window.as_secs().max(1)),
        ..Finding::new(kind)
    }
}

/// Identity is issuer and subject together.
fn person(principal: &Principal) -> Digest {
    let issuer = principal.issuer().as_str().as_bytes();
    let length = (issuer.len() as u64).to_be_bytes();
    Digest::of_parts(&[&length, issuer, principal.subject().as_bytes()])
}
