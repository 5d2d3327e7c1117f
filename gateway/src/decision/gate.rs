//! The one decision: what a call is refused, a list hides. Asks the policy crate and nothing else.

use std::net::IpAddr;

use gatewright_policies::{
    Access, Annotations, Answer, Arguments, Cause, Denial, Grant, Question, RuleId, Tier,
};

use crate::decision::circumstance::Action;
use crate::decision::facts::Asking;
use crate::decision::freshness::Demands;
use crate::decision::mode::Mode;
use crate::decision::pins::ServerPins;
use crate::decision::regime::Rulebook;
use crate::decision::tiers::{self, Deed};
use crate::decision::verdict::Verdict;
use crate::identity::Principal;
use crate::identity::settings::Audience;
use crate::mcp::{self, Call, Listing, Method, Target};
use crate::model::{Reason, UnixTime};

/// The policy as one principal meets it at one server.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    /// What each role may do.
    pub rules: &'a Rulebook,
    /// What becomes of what it denies.
    pub mode: Mode,
    /// The server.
    pub audience: &'a Audience,
    /// How fresh tokens and logins must be.
    pub demands: &'a Demands,
    /// What its tools must be.
    pub pins: Option<&'a ServerPins>,
    /// Who asks.
    pub principal: &'a Principal,
    /// From where.
    pub source: Option<IpAddr>,
    /// When.
    pub now: UnixTime,
}

/// What is to be decided.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What a request wants to do.
    pub action: &'a Action<'a>,
    /// The bytes of `params.arguments`, when there are any.
    pub arguments: Option<&'a [u8]>,
}

impl Gate<'_> {
    /// Whether this may pass, if the policy is enforced. Budgets are not asked here.
    pub fn judge(&self, asked: &Asked<'_>) -> Verdict {
        let missing = self.missing_minimum();
        if !missing.is_empty() {
            return Verdict::deny(Reason::ScopeInsufficient, missing);
        }
        let ruled = match asked.action {
            Action::Call(call) => self.judge_call(call, asked.arguments),
            Action::OwnTask { call, tool } => self.judge_own_task(call, tool),
            Action::Notify { method, .. } => judge_plain(method.access()),
            Action::Reply | Action::OpenStream | Action::EndSession => Verdict::allow(Vec::new()),
        };
        self.weigh(ruled, asked)
    }

    /// Whether this may pass, were it not for the policy.
    pub(in crate::decision) fn excuse(&self, asked: &Asked<'_>) -> Verdict {
        let excused = Verdict::allow(Vec::new());
        let deed = self.deed(asked, Tier::Low);
        match self.demands.lacking(self.principal, &deed, self.now) {
            Some(stale) => excused.stale(stale),
            None => self.withhold(excused, asked),
        }
    }

    /// Whether a list may show `name`. What it hides is what a call of that name is refused. What a call needs besides,
    /// such as approval or room in a budget, hides nothing: nobody could ever ask.
    pub fn shows(&self, listing: Listing, name: &str) -> bool {
        if self.mode == Mode::Shadow {
            return true;
        }
        let (access, method) = match listing {
            Listing::Tools => (Access::Tool, Method::ToolsCall),
            Listing::Prompts => (Access::Prompt, Method::PromptsGet),
            Listing::Resources | Listing::Templates => (Access::Resource, Method::ResourcesRead),
        };
        let asking = Asking {
            method: method.name(),
            model: None,
            arguments: Arguments::Open,
        };
        match self.ask((access, name), asking) {
            Answer::Allow(_)
            | Answer::Deny(Denial::ScopeMissing { .. } | Denial::ApprovalRequired { .. }) => true,
            Answer::Deny(Denial::NoRule | Denial::Unmet { .. } | Denial::Forbidden { .. }) => false,
        }
    }

    /// What follows from the tier of what the policy allows, and from the pin of its tool.
    fn weigh(&self, ruled: Verdict, asked: &Asked<'_>) -> Verdict {
        // Who may not do it anyway need not log in again. Who needs approval needs a login that it can be given to.
        let waits = ruled.refusal() == Some(Reason::ApprovalRequired);
        if ruled.refusal().is_some() && !waits {
            return ruled;
        }
        let deed = self.deed(asked, ruled.tier);
        let tier = tiers::tier(&self.demands.tiers, &deed);
        let ruled = ruled.of_tier(tier);
        if let Some(stale) = self.demands.lacking(self.principal, &deed, self.now) {
            return ruled.stale(stale);
        }
        // A task was agreed to when it was made.
        let is_call = matches!(asked.action, Action::Call(_));
        if is_call && tiers::waits_for_approval(&self.demands.tiers, tier) {
            return ruled.refused(Reason::ApprovalRequired);
        }
        self.withhold(ruled, asked)
    }

    fn deed<'d>(&self, asked: &Asked<'d>, ruled: Tier) -> Deed<'d> {
        let tool = match asked.action {
            Action::Call(call) => call.target.tool(),
            Action::OwnTask { tool, .. } => Some(*tool),
            Action::Notify { .. } | Action::Reply | Action::OpenStream | Action::EndSession => None,
        };
        let reads = self.demands.tiers.iter().any(|row| !row.hints.is_empty());
        let said = tool.filter(|_| reads).map(|tool| self.said(tool));
        Deed {
            tool,
            ruled,
            said: said.unwrap_or_else(Annotations::default),
        }
    }

    /// Refuses what would be allowed, when it is a call of a tool that lists do not show.
    fn withhold(&self, verdict: Verdict, asked: &Asked<'_>) -> Verdict {
        let (Some(pins), Action::Call(call)) = (self.pins, asked.action) else {
            return verdict;
        };
        match call.target.tool() {
            Some(tool) if verdict.refusal().is_none() && pins.withholds(tool) => {
                verdict.refused(Reason::ToolWithheld)
            }
            Some(_) | None => verdict,
        }
    }

    /// What a task did is seen by who may call its tool; who made it may always end it.
    fn judge_own_task(&self, call: &Call, tool: &str) -> Verdict {
        match call.method.access() {
            mcp::Access::Maker => {
                // With which arguments it was called is not known any more: it is seen by who may call it with some.
                let asking = Asking {
                    method: Method::ToolsCall.name(),
                    model: call.model.as_deref(),
                    arguments: Arguments::Open,
                };
                match self.ask((Access::Tool, tool), asking) {
                    Answer::Allow(grant) => {
                        let Grant {
                            rule, scopes, tier, ..
                        } = grant;
                        Verdict::allow(vec![rule]).using(scopes).of_tier(tier)
                    }
                    Answer::Deny(Denial::ApprovalRequired { rule, .. }) => {
                        Verdict::allow(vec![rule]).of_tier(Tier::High)
                    }
                    Answer::Deny(denial) => refusal(Access::Tool, denial),
                }
            }
            mcp::Access::FormerMaker => Verdict::allow(Vec::new()),
            access @ (mcp::Access::Open | mcp::Access::ByTarget | mcp::Access::Denied) => {
                judge_plain(access)
            }
        }
    }

    fn missing_minimum(&self) -> Vec<String> {
        let held = self.principal.scopes();
        let lacks = |scope: &&String| !held.iter().any(|have| **have == ***scope);
        self.audience.scopes.iter().filter(lacks).cloned().collect()
    }

    fn judge_call(&self, call: &Call, arguments: Option<&[u8]>) -> Verdict {
        let access = call.method.access();
        let (access, names) = match (access, &call.target) {
            (mcp::Access::ByTarget, Target::Tool(name)) => {
                (Access::Tool, std::slice::from_ref(name))
            }
            (mcp::Access::ByTarget, Target::Prompt(name)) => {
                (Access::Prompt, std::slice::from_ref(name))
            }
            (mcp::Access::ByTarget, Target::Resource(uri)) => {
                (Access::Resource, std::slice::from_ref(uri))
            }
            (mcp::Access::ByTarget, Target::Resources(uris)) => (Access::Resource, &**uris),
            (mcp::Access::ByTarget, Target::None | Target::Task(_))
            | (
                mcp::Access::Denied
                | mcp::Access::Open
                | mcp::Access::Maker
                | mcp::Access::FormerMaker,
                _,
            ) => return judge_plain(access),
        };
        let asking = Asking {
            method: call.method.name(),
            model: call.model.as_deref(),
            arguments: Arguments::Given(arguments),
        };
        let verdict = self.judge_names(access, names, asking);
        if is_use(call.method) {
            verdict
        } else {
            verdict.free()
        }
    }

    /// Every name must be allowed; the first that is not decides.
    fn judge_names(&self, access: Access, names: &[Box<str>], asking: Asking<'_>) -> Verdict {
        let mut verdict = Verdict::allow(Vec::with_capacity(names.len()));
        for name in names {
            match self.ask((access, name), asking) {
                Answer::Allow(grant) => verdict.add(grant),
                // What such a tier asks for is the server's to say.
                Answer::Deny(Denial::ApprovalRequired { rule, grant, .. })
                    if self.asks_by_tier_alone(&rule) =>
                {
                    verdict.add(*grant);
                }
                Answer::Deny(denial) => return refusal(access, denial),
            }
        }
        verdict
    }

    /// Whether the rule asks for approval because of its tier, and not in so many words.
    fn asks_by_tier_alone(&self, rule: &RuleId) -> bool {
        let rule = self.rules.policy.rule(rule);
        rule.is_some_and(|rule| rule.terms.approval.is_none() && rule.terms.tier == Tier::High)
    }

    fn ask(&self, (access, name): (Access, &str), asking: Asking<'_>) -> Answer {
        let question = Question {
            server: self.audience.server.as_str(),
            roles: self.principal.roles(),
            access,
            name,
            scopes: self.principal.scopes(),
        };
        let policy = &self.rules.policy;
        policy.decide(&question, || self.facts(asking, name))
    }
}

/// Methods about which the policy has nothing to say.
fn judge_plain(access: mcp::Access) -> Verdict {
    match access {
        mcp::Access::Open => Verdict::allow(Vec::new()),
        // A method that needs a target and has none is not one this table knows how to judge.
        mcp::Access::Denied | mcp::Access::ByTarget => {
            Verdict::deny(Reason::MethodNotAllowed, Vec::new())
        }
        // Whose task it is was not found out: it is nobody's.
        mcp::Access::Maker | mcp::Access::FormerMaker => {
            Verdict::deny(Reason::TaskUnknown, Vec::new())
        }
    }
}

/// Whether a request uses its target, which is what budgets count, and not only says or asks something about it.
fn is_use(method: Method) -> bool {
    [Method::ToolsCall, Method::PromptsGet, Method::ResourcesRead].contains(&method)
}

fn refusal(access: Access, denial: Denial) -> Verdict {
    let reason = reason_of(access, &denial);
    match denial {
        Denial::NoRule => Verdict::deny(reason, Vec::new()),
        Denial::ScopeMissing { missing, rule } => Verdict::deny(reason, missing).by(vec![rule]),
        Denial::Unmet { rule, .. } => Verdict::deny(reason, Vec::new()).by(vec![rule]),
        Denial::Forbidden { rules, .. } => Verdict::deny(reason, Vec::new()).by(rules),
        Denial::ApprovalRequired { rule, ask, .. } => Verdict::deny(reason, Vec::new())
            .by(vec![rule])
            .of_tier(Tier::High)
            .approved_by(ask.by),
    }
}

/// How a client is told of a denial.
pub const fn reason_of(access: Access, denial: &Denial) -> Reason {
    match denial {
        Denial::ScopeMissing { .. } => Reason::ScopeInsufficient,
        Denial::ApprovalRequired { .. } => Reason::ApprovalRequired,
        Denial::NoRule => unlisted(access),
        Denial::Unmet { cause, .. } | Denial::Forbidden { cause, .. } => match cause {
            Cause::Arguments => Reason::ArgumentDenied,
            Cause::Hours => Reason::OutsideHours,
            Cause::Other => unlisted(access),
        },
    }
}

const fn unlisted(access: Access) -> Reason {
    match access {
        Access::Tool => Reason::ToolNotAllowed,
        Access::Prompt => Reason::PromptNotAllowed,
        Access::Resource => Reason::ResourceNotAllowed,
    }
}
