//! A request that nobody made, or that somebody made long ago, put to a policy with the code that decides when serving.
//! Opens nothing: who asks here is not proven, and no answer leads to a permit.

use std::net::IpAddr;
use std::time::Duration;

use gatewright_policies::{
    Access, Annotations, Answer, Arguments, Facts, Moment, Party, PolicySet, Question, Row,
};
use serde_json::{Map, Value};

use super::records::Recorded;
use crate::config::{Server, Settings};
use crate::decision::gate;
use crate::identity::principal;
use crate::model::{Reason, UnixTime};

/// Who would ask for what, when and from where.
#[derive(Debug, Clone)]
pub(super) struct Supposed {
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) kind: &'static str,
    pub(super) client: Option<String>,
    pub(super) actors: Vec<String>,
    pub(super) model: Option<(String, &'static str)>,
    pub(super) roles: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) details: Vec<Value>,
    pub(super) acr: Option<String>,
    pub(super) auth_age: Option<Duration>,
    pub(super) token_age: Option<Duration>,
    pub(super) server: String,
    pub(super) access: Access,
    pub(super) name: String,
    pub(super) arguments: Known,
    pub(super) source: Option<IpAddr>,
    pub(super) at: UnixTime,
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
        Some(Self {
            issuer: subject.iss.clone(),
            subject: subject.id.clone(),
            kind: KINDS.into_iter().find(|kind| *kind == subject.kind)?,
            client: record.actor.client_id.clone(),
            actors: chain.map(|link| link.sub.clone()).collect(),
            model: record.model.as_ref().and_then(|model| {
                let source = SOURCES.into_iter().find(|known| *known == model.source)?;
                Some((model.name.clone(), source))
            }),
            roles: subject.roles.clone(),
            scopes: record.authn.scopes.clone(),
            claims: Map::new(),
            details: Vec::new(),
            acr: None,
            auth_age: None,
            token_age: None,
            server: mcp.server.clone(),
            access: access(mcp.method.as_deref()?)?,
            name: mcp.name.clone()?,
            arguments: Known::Not,
            source: record.source.as_ref().map(|source| source.ip),
            at: record.timestamp,
        })
    }

    /// What `settings` would answer.
    pub(super) fn judge(&self, settings: &Settings) -> Judged {
        let Some(server) = self.server_in(settings) else {
            return Judged::NoServer;
        };
        let lacks = |scope: &&String| !self.scopes.contains(scope);
        let missing: Vec<_> = server
            .audience
            .scopes
            .iter()
            .filter(lacks)
            .cloned()
            .collect();
        if missing.is_empty() {
            Judged::Answered(self.ask(&settings.policy))
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
            row.server == self.server && row.access == self.access && self.roles.contains(&row.role)
        };
        policy.rows().iter().filter(is_about)
    }

    /// What `policy` answers.
    pub(super) fn ask(&self, policy: &PolicySet) -> Answer {
        policy.decide(&self.question(), || self.facts())
    }

    /// The question that a call would put.
    pub(super) fn question(&self) -> Question<'_, String, String> {
        Question {
            server: &self.server,
            roles: &self.roles,
            access: self.access,
            name: &self.name,
            scopes: &self.scopes,
        }
    }

    /// What conditions would see.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            party: Party {
                issuer: &self.issuer,
                subject: &self.subject,
                kind: self.kind,
                client: self.client.as_deref(),
                actors: self.actors.iter().map(String::as_str).collect(),
                model: self
                    .model
                    .as_ref()
                    .map(|(name, source)| (name.as_str(), *source)),
                claims: &self.claims,
                details: &self.details,
                acr: self.acr.as_deref(),
                auth_age: self.auth_age,
                token_age: self.token_age,
            },
            method: method(self.access),
            source: self.source,
            moment: moment(self.at),
            arguments: match &self.arguments {
                Known::Given(text) => Arguments::Given(text.as_deref()),
                Known::Not => Arguments::Open,
            },
            annotations: Annotations::default(),
        }
    }

    /// Adds the roles that the configuration gives to whom they are about.
    pub(super) fn grant(&mut self, settings: &Settings) {
        let party = (self.subject.as_str(), self.client.as_deref());
        let given = principal::granted(&settings.grants, &self.issuer, party, &self.scopes);
        self.roles
            .extend(given.into_iter().map(|role| role.to_string()));
        self.roles.sort();
        self.roles.dedup();
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

fn moment(at: UnixTime) -> Moment {
    let minutes = at.seconds() / 60;
    Moment {
        unix_millis: i64::try_from(at.millis()).unwrap_or(i64::MAX),
        // 1970 began on a Thursday.
        weekday: u8::try_from((minutes / DAY + 3) % 7 + 1).unwrap_or(1),
        minute: u16::try_from(minutes % DAY).unwrap_or(0),
    }
}

/// Minutes.
const DAY: u64 = 1440;
pub(super) const KINDS: [&str; 3] = ["user", "agent", "service"];
const SOURCES: [&str; 3] = ["claim", "meta", "header"];
