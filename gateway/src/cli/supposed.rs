//! A request that nobody made, or that somebody made long ago, put to a policy with the code that decides when serving.
//! Opens nothing: who asks here is not proven, and no answer leads to a permit.

use gatewright_policies::cases::Asker;
use gatewright_policies::{
    Access, Annotations, Answer, Arguments, Facts, Party, PolicySet, Question, Row,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::records::Recorded;
use crate::config::{Server, Settings, moment_of};
use crate::decision::gate;
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
    Answered(Answer),
}

impl Judged {
    /// Why it is refused; `None` when it is allowed.
    pub(super) fn refusal(&self, access: Access) -> Option<Reason> {
        match self {
            Self::NoServer => Some(Reason::PathUnknown),
            Self::Below { .. } => Some(Reason::ScopeInsufficient),
            Self::Answered(Answer::Allow(_)) => None,
            Self::Answered(Answer::Deny(denial)) => Some(gate::reason_of(access, denial)),
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

    /// What `settings` would answer.
    pub(super) fn judge(&self, settings: &Settings) -> Judged {
        let Some(server) = self.server_in(settings) else {
            return Judged::NoServer;
        };
        let lacks = |scope: &&String| !self.asker.scopes.contains(scope);
        let missing: Vec<_> = server
            .audience
            .scopes
            .iter()
            .filter(lacks)
            .cloned()
            .collect();
        if missing.is_empty() {
            Judged::Answered(self.ask(&settings.policy, &settings.zone))
        } else {
            Judged::Below { missing }
        }
    }

    /// The server, when there is one of its name.
    pub(super) fn server_in<'s>(&self, settings: &'s Settings) -> Option<&'s Server> {
        let mut servers = settings.servers.iter();
        servers.find(|server| server.audience.server.as_str() == self.server)
    }

    /// The rows that are about its roles and its server.
    pub(super) fn rows<'p>(&self, policy: &'p PolicySet) -> impl Iterator<Item = &'p Row> {
        let is_about = move |row: &&Row| {
            row.server == self.server
                && row.access == self.access
                && self.asker.roles.contains(&row.role)
        };
        policy.rows().iter().filter(is_about)
    }

    /// What `policy` answers.
    pub(super) fn ask(&self, policy: &PolicySet, zone: &TimeZone) -> Answer {
        policy.decide(&self.question(), || self.facts(zone))
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
        let asker = &self.asker;
        let model = asker.model.as_ref();
        Facts {
            party: Party {
                issuer: &asker.issuer,
                subject: &asker.subject,
                kind: asker.kind,
                client: asker.client.as_deref(),
                actors: asker.actors.iter().map(String::as_str).collect(),
                model: model.map(|(name, source)| (name.as_str(), *source)),
                claims: &asker.claims,
                details: &asker.details,
                acr: asker.acr.as_deref(),
                auth_age: asker.auth_age,
                token_age: asker.token_age,
            },
            method: method(self.access),
            source: asker.source,
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

const fn method(access: Access) -> &'static str {
    match access {
        Access::Tool => "tools/call",
        Access::Prompt => "prompts/get",
        Access::Resource => "resources/read",
    }
}

pub(super) const KINDS: [&str; 3] = ["user", "agent", "service"];
const SOURCES: [&str; 3] = ["claim", "meta", "header"];
