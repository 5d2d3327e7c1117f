//! A request that nobody made, or that somebody made long ago, put to a policy with the code that decides when serving.
//! Opens nothing: who asks here is not proven, and no answer leads to a permit.

use gatewright_policies::cases::Asker;
use gatewright_policies::{
    Access, Annotations, Answer, Arguments, Facts, PolicySet, Question, Rule, Tier,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::records::Recorded;
use crate::config::{Server, Settings, moment_of};
use crate::decision::gate;
use crate::decision::ruling::is_too_much;
use crate::decision::tiers::{self, Deed};
use crate::model::Reason;

/// Who would ask for what, when and from where.
#[derive(Debug, Clone)]
pub(super) struct Supposed {
    pub(super) asker: Asker,
    pub(super) server: String,
    pub(super) access: Access,
    pub(super) name: String,
    pub(super) arguments: Known,
    pub(super) annotations: Annotations,
    pub(super) at: Timestamp,
}

/// The arguments of a supposed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// A JSON object, or none.
    Given(Option<Vec<u8>>),
    /// Nobody knows them any more.
    Not,
}

/// What would happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judged {
    /// The configuration has no such server.
    NoServer,
    /// The token has not even the scopes that the server asks of everybody.
    Below {
        /// Those that it lacks.
        missing: Vec<String>,
    },
    /// The policy answers.
    Answered {
        /// What.
        answer: Answer,
        /// How much harm the call can do, where the policy allows it.
        tier: Tier,
        /// Why it is refused all the same.
        refused: Option<Reason>,
    },
}

impl Judged {
    /// Why it is refused; `None` when it is allowed.
    pub(super) const fn refusal(&self) -> Option<Reason> {
        match self {
            Self::NoServer => Some(Reason::PathUnknown),
            Self::Below { .. } => Some(Reason::ScopeInsufficient),
            Self::Answered { refused, .. } => *refused,
        }
    }
}

impl Supposed {
    /// What was asked when `record` was made; `None` when it asked for nothing that a policy has rules for, or when what is
    /// recorded of it is not whole.
    pub(super) fn of_record(record: &Recorded) -> Option<Self> {
        if record.is_cut() {
            return None;
        }
        let (subject, mcp) = (record.subject.as_ref()?, record.mcp.as_ref()?);
        let chain = record.actor.chain.iter();
        let asker = Asker {
            roles: subject.roles.clone(),
            scopes: record.authn.scopes.clone(),
            issuer: subject.iss.clone(),
            subject: subject.id.clone(),
            kind: KINDS.into_iter().find(|kind| *kind == subject.kind)?,
            client: record.actor.client_id.clone(),
            actors: chain.map(|link| link.sub.clone()).collect(),
            model: record.model.as_ref().and_then(|model| {
                let source = SOURCES.into_iter().find(|known| *known == model.source)?;
                Some((model.name.clone(), source))
            }),
            source: record.source.as_ref().map(|source| source.ip),
            ..Asker::with_roles(&[])
        };
        Some(Self {
            asker,
            server: mcp.server.clone(),
            access: access(mcp.method.as_deref()?)?,
            name: mcp.name.clone()?,
            arguments: Known::Not,
            annotations: Annotations::default(),
            at: record.timestamp,
        })
    }

    /// What `settings` would answer. Budgets, freshness and pins are not asked.
    pub(super) fn judge(&self, settings: &Settings) -> Judged {
        let Some(server) = self.server_in(settings) else {
            return Judged::NoServer;
        };
        let missing = self.below(server);
        if !missing.is_empty() {
            return Judged::Below { missing };
        }
        let facts = || self.facts(&settings.zone);
        let answer = settings.policy.decide(&self.question(), facts);
        self.settle(answer, server)
    }

    /// Those of the server's own scopes that it lacks.
    pub(super) fn below(&self, server: &Server) -> Vec<String> {
        let lacks = |scope: &&String| !self.asker.scopes.contains(scope);
        let scopes = server.audience.scopes.iter();
        scopes.filter(lacks).cloned().collect()
    }

    /// What follows from the tier of what the policy allows, and from its budgets.
    fn settle(&self, answer: Answer, server: &Server) -> Judged {
        let grant = match &answer {
            Answer::Allow(grant) => grant,
            Answer::Deny(denial) => {
                let refused = Some(gate::reason_of(self.access, denial));
                return Judged::Answered {
                    answer,
                    tier: Tier::Low,
                    refused,
                };
            }
        };
        let deed = Deed {
            tool: (self.access == Access::Tool).then_some(self.name.as_str()),
            ruled: grant.tier,
            said: self.annotations,
        };
        let tier = tiers::tier(&server.demands.tiers, &deed);
        let refused = if tiers::waits_for_approval(&server.demands.tiers, tier) {
            Some(Reason::ApprovalRequired)
        } else {
            let too_much = grant.charges.iter().any(is_too_much);
            too_much.then_some(Reason::ArgumentDenied)
        };
        Judged::Answered {
            answer,
            tier,
            refused,
        }
    }

    /// What is answered whatever is not known of it; nothing when that makes a difference.
    pub(super) fn certainly(&self, settings: &Settings) -> Option<Judged> {
        if self.arguments != Known::Not {
            return Some(self.judge(settings));
        }
        let is_unclear = |rule: &Rule| UNRECORDED.iter().any(|fact| rule.text.contains(fact));
        if self.rules(&settings.policy).any(is_unclear) {
            return None;
        }
        // The best and the worst arguments there could have been.
        let best = self.judge(settings);
        let bare = Self {
            arguments: Known::Given(None),
            ..self.clone()
        };
        let worst = bare.judge(settings);
        (best.refusal().is_some() == worst.refusal().is_some()).then_some(best)
    }

    /// The server, when there is one of its name.
    pub(super) fn server_in<'s>(&self, settings: &'s Settings) -> Option<&'s Server> {
        let mut servers = settings.servers.iter();
        servers.find(|server| server.audience.server.as_str() == self.server)
    }

    /// The rules that are about its roles, its server and its kind of thing.
    pub(super) fn rules<'p>(&self, policy: &'p PolicySet) -> impl Iterator<Item = &'p Rule> {
        let is_about = move |rule: &&Rule| {
            let subject = &rule.subject;
            let is_of = |wanted: &Option<String>, held: &dyn Fn(&String) -> bool| {
                wanted.as_ref().is_none_or(held)
            };
            subject.accesses.contains(&self.access)
                && is_of(&subject.server, &|server| *server == self.server)
                && is_of(&subject.role, &|role| self.asker.roles.contains(role))
        };
        policy.rules().iter().filter(is_about)
    }

    /// The question that a call would put.
    pub(super) fn question(&self) -> Question<'_, String, String> {
        Question {
            server: &self.server,
            roles: &self.asker.roles,
            access: self.access,
            name: &self.name,
            scopes: &self.asker.scopes,
        }
    }

    /// What conditions would see, where hours are counted in `zone`.
    pub(super) fn facts(&self, zone: &TimeZone) -> Facts<'_> {
        Facts {
            party: self.asker.party(),
            method: self.access.action(),
            source: self.asker.source,
            moment: moment_of(&self.at.to_zoned(zone.clone())),
            arguments: match &self.arguments {
                Known::Given(text) => Arguments::Given(text.as_deref()),
                Known::Not => Arguments::Open,
            },
            annotations: self.annotations,
        }
    }

    /// The roles that the configuration gives to whom they are about, those that it has already left out.
    pub(super) fn granted(&self, settings: &Settings) -> Vec<String> {
        let asker = &self.asker;
        let party = (asker.subject.as_str(), asker.client.as_deref());
        let grants = settings.grants.iter().filter(|grant| {
            grant.issuer.as_str() == asker.issuer && grant.applies(party, &asker.scopes)
        });
        let mut roles: Vec<_> = grants.map(|grant| grant.role.to_string()).collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// The same with the roles that the configuration gives.
    pub(super) fn with_granted(mut self, settings: &Settings) -> Self {
        self.asker.roles.extend(self.granted(settings));
        self.asker.roles.sort();
        self.asker.roles.dedup();
        self
    }
}

/// What a method asks for by name; `None` when no rule is about it.
fn access(method: &str) -> Option<Access> {
    match method {
        "tools/call" => Some(Access::Tool),
        "prompts/get" => Some(Access::Prompt),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            Some(Access::Resource)
        }
        _ => None,
    }
}

/// Attributes of which records say nothing.
const UNRECORDED: [&str; 11] = [
    "principal.claims",
    "context.details",
    "context.acr",
    "context.auth_age",
    "context.token_age",
    "context.approved",
    "context.argument_bytes",
    "resource.read_only",
    "resource.destructive",
    "resource.idempotent",
    "resource.open_world",
];
pub(super) const KINDS: [&str; 3] = ["user", "agent", "service"];
const SOURCES: [&str; 3] = ["claim", "meta", "header"];
