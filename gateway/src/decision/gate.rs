//! The one decision: what a call is refused, a list hides. Asks the policy crate and nothing else.

use std::sync::LazyLock;

use gatewright_policies::{
    Access, Annotations, Answer, Arguments, Denial, Facts, Moment, Party, PolicySet, Question,
    RuleId,
};
use serde_json::{Map, Value};

use crate::decision::circumstance::Action;
use crate::decision::freshness::Demands;
use crate::decision::verdict::Verdict;
use crate::identity::settings::Audience;
use crate::identity::{Actor, Principal};
use crate::mcp::{self, Listing, Target};
use crate::model::{Reason, UnixTime};

/// The policy as one principal meets it at one server.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// What each role may do.
    pub policy: &'a PolicySet,
    /// The server.
    pub audience: &'a Audience,
    /// How fresh tokens and logins must be.
    pub demands: &'a Demands,
    /// Who asks.
    pub principal: &'a Principal,
    /// When.
    pub now: UnixTime,
}

impl Gate<'_> {
    /// Whether `action` may pass.
    pub fn judge(&self, action: &Action<'_>) -> Verdict {
        let missing = self.missing_minimum();
        if !missing.is_empty() {
            return Verdict::deny(Reason::ScopeInsufficient, missing);
        }
        let (verdict, tool) = match action {
            Action::Call(call) => (
                self.judge_call(call.method.access(), &call.target),
                call.target.tool(),
            ),
            Action::OwnTask { call, tool } => self.judge_own_task(call.method.access(), tool),
            Action::Notify { method, .. } => {
                (self.judge_call(method.access(), &Target::None), None)
            }
            Action::Reply | Action::OpenStream | Action::EndSession => {
                (Verdict::allow(Vec::new()), None)
            }
        };
        // Who may not do it anyway need not log in again.
        if verdict.refusal().is_some() {
            return verdict;
        }
        match self.demands.lacking(self.principal, tool, self.now) {
            Some(stale) => verdict.stale(stale),
            None => verdict,
        }
    }

    /// Whether a list may show `name`. What it hides is what a call of that name is refused.
    pub fn shows(&self, listing: Listing, name: &str) -> bool {
        let access = match listing {
            Listing::Tools => Access::Tool,
            Listing::Prompts => Access::Prompt,
            Listing::Resources | Listing::Templates => Access::Resource,
        };
        match self.ask(access, name) {
            // A call would be answered with the scopes to ask for: hidden, nobody could ever ask.
            Answer::Allow { .. } | Answer::Deny(Denial::ScopeMissing { .. }) => true,
            Answer::Deny(
                Denial::NoRule
                | Denial::Unmet { .. }
                | Denial::Forbidden { .. }
                | Denial::ApprovalRequired { .. },
            ) => false,
        }
    }

    /// What a task did is seen by who may call its tool; who made it may always end it.
    fn judge_own_task<'t>(&self, access: mcp::Access, tool: &'t str) -> (Verdict, Option<&'t str>) {
        match access {
            mcp::Access::Maker => (self.judge_names(Access::Tool, &[tool.into()]), Some(tool)),
            mcp::Access::FormerMaker => (Verdict::allow(Vec::new()), None),
            mcp::Access::Open | mcp::Access::ByTarget | mcp::Access::Denied => {
                (self.judge_call(access, &Target::None), None)
            }
        }
    }

    fn missing_minimum(&self) -> Vec<String> {
        let held = self.principal.scopes();
        let lacks = |scope: &&String| !held.iter().any(|have| **have == ***scope);
        self.audience.scopes.iter().filter(lacks).cloned().collect()
    }

    fn judge_call(&self, access: mcp::Access, target: &Target) -> Verdict {
        match (access, target) {
            (mcp::Access::Denied, _) => Verdict::deny(Reason::MethodNotAllowed, Vec::new()),
            (mcp::Access::Open, _) => Verdict::allow(Vec::new()),
            // Whose task it is was not found out: it is nobody's.
            (mcp::Access::Maker | mcp::Access::FormerMaker, _) => {
                Verdict::deny(Reason::TaskUnknown, Vec::new())
            }
            (mcp::Access::ByTarget, Target::Tool(name)) => {
                self.judge_names(Access::Tool, std::slice::from_ref(name))
            }
            (mcp::Access::ByTarget, Target::Prompt(name)) => {
                self.judge_names(Access::Prompt, std::slice::from_ref(name))
            }
            (mcp::Access::ByTarget, Target::Resource(uri)) => {
                self.judge_names(Access::Resource, std::slice::from_ref(uri))
            }
            (mcp::Access::ByTarget, Target::Resources(uris)) => {
                self.judge_names(Access::Resource, uris)
            }
            // A method that needs a target and has none is not one this table knows how to judge.
            (mcp::Access::ByTarget, Target::None | Target::Task(_)) => {
                Verdict::deny(Reason::MethodNotAllowed, Vec::new())
            }
        }
    }

    /// Every name must be allowed; the first that is not decides.
    fn judge_names(&self, access: Access, names: &[Box<str>]) -> Verdict {
        let mut rules: Vec<RuleId> = Vec::with_capacity(names.len());
        let mut used = Vec::new();
        for name in names {
            match self.ask(access, name) {
                Answer::Allow(grant) => {
                    rules.push(grant.rule);
                    used.extend(grant.scopes);
                }
                Answer::Deny(Denial::ScopeMissing { missing, rule }) => {
                    return Verdict::deny(Reason::ScopeInsufficient, missing).by(rule);
                }
                Answer::Deny(denial) => {
                    return Verdict::deny(reason_of(access, &denial), Vec::new());
                }
            }
        }
        Verdict::allow(rules).using(used)
    }

    fn ask(&self, access: Access, name: &str) -> Answer {
        let question = Question {
            server: self.audience.server.as_str(),
            roles: self.principal.roles(),
            access,
            name,
            scopes: self.principal.scopes(),
        };
        self.policy.decide(&question, || self.facts(access))
    }

    fn facts(&self, access: Access) -> Facts<'_> {
        let principal = self.principal;
        Facts {
            party: Party {
                issuer: principal.issuer().as_str(),
                subject: principal.subject(),
                kind: principal.kind().name(),
                client: principal.client_id(),
                actors: principal.actors().iter().map(Actor::subject).collect(),
                model: principal.model().map(|model| (model, "claim")),
                claims: &NO_CLAIMS,
                details: &[],
                acr: principal.acr(),
                auth_age: principal.authenticated().map(|at| self.now.since(at)),
                token_age: principal.issued().map(|at| self.now.since(at)),
            },
            method: match access {
                Access::Tool => "tools/call",
                Access::Prompt => "prompts/get",
                Access::Resource => "resources/read",
            },
            source: None,
            moment: Moment {
                unix_millis: i64::try_from(self.now.millis()).unwrap_or(i64::MAX),
                weekday: 1,
                minute: 0,
            },
            arguments: Arguments::Open,
            annotations: Annotations::default(),
        }
    }
}

static NO_CLAIMS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// What a denial is called, in answers, records and explanations alike.
pub const fn reason_of(access: Access, denial: &Denial) -> Reason {
    match denial {
        Denial::ScopeMissing { .. } => Reason::ScopeInsufficient,
        Denial::NoRule
        | Denial::Unmet { .. }
        | Denial::Forbidden { .. }
        | Denial::ApprovalRequired { .. } => unlisted(access),
    }
}

const fn unlisted(access: Access) -> Reason {
    match access {
        Access::Tool => Reason::ToolNotAllowed,
        Access::Prompt => Reason::PromptNotAllowed,
        Access::Resource => Reason::ResourceNotAllowed,
    }
}
