//! A decision and its reasons, in words and as JSON. Shows text of others only as far as a terminal can bear it.

use gatewright_policies::{
    Access, Answer, Approval, Considered, Denial, Explanation, Lack, Obstacle, RuleId, Tier,
};
use serde_json::{Value, json};

use crate::cli::lines::visible;
use crate::cli::rules::{Rule, rules};
use crate::cli::supposed::{Judged, Supposed};
use crate::config::Loaded;
use crate::decision::freshness::Freshness;
use crate::model::Reason;

/// What is told.
#[derive(Debug)]
pub(super) struct Told {
    /// Who asks for what.
    asked: String,
    refusal: Option<Reason>,
    missing: Vec<String>,
    tier: Tier,
    /// The rules that decided, each with what its author says about it.
    decided: Vec<(Rule, Option<String>)>,
    /// What of the first of them is not as it should be.
    faults: Vec<String>,
    nearest: Option<Rule>,
    /// All of these together would make it allowed.
    would_allow: Vec<String>,
    /// What else there is to know.
    notes: Vec<String>,
}

impl Told {
    /// What `loaded` would decide.
    pub(super) fn of(supposed: &Supposed, loaded: &Loaded) -> Self {
        let settings = &loaded.settings;
        let judged = supposed.judge(settings);
        let below = match &judged {
            Judged::Below { missing } => missing.clone(),
            Judged::NoServer | Judged::Answered { .. } => Vec::new(),
        };
        let mut told = Self {
            asked: asked(supposed),
            refusal: judged.refusal(),
            missing: below.clone(),
            tier: Tier::Low,
            decided: Vec::new(),
            faults: Vec::new(),
            nearest: None,
            would_allow: below.iter().map(|scope| format!("scope {scope}")).collect(),
            notes: Vec::new(),
        };
        // What the policy says counts once the server lets the token in.
        let mut within = supposed.clone();
        within.asker.scopes.extend(below);
        let facts = within.facts(&settings.zone);
        let explanation = settings.policy.explain(&within.question(), &facts);
        match judged {
            Judged::NoServer => {}
            Judged::Below { .. } => {
                told.notes.push(format!(
                    "server `{}` asks these scopes of everybody",
                    supposed.server
                ));
                told.look_for(&explanation, loaded);
            }
            Judged::Answered {
                answer,
                tier,
                refused,
            } => {
                told.tier = tier;
                told.answer(&answer, refused, loaded);
                told.name_faults(&answer, &explanation);
                told.note_freshness(supposed, loaded);
                told.look_for(&explanation, loaded);
            }
        }
        told
    }

    /// Whether it is allowed.
    pub(super) const fn is_allowed(&self) -> bool {
        self.refusal.is_none()
    }

    fn answer(&mut self, answer: &Answer, refused: Option<Reason>, loaded: &Loaded) {
        let ids: Vec<RuleId> = match answer {
            Answer::Allow(grant) => {
                self.notes.extend(grant.charges.iter().map(|charge| {
                    let (most, window) = (charge.limit.most, charge.limit.window.as_secs());
                    format!(
                        "takes {} of a budget of {most} in {window} s, which is not counted here",
                        charge.amount
                    )
                }));
                if refused == Some(Reason::ApprovalRequired) {
                    self.would_allow.push(APPROVAL.to_owned());
                }
                vec![grant.rule.clone()]
            }
            Answer::Deny(Denial::NoRule) => Vec::new(),
            Answer::Deny(Denial::ScopeMissing { rule, missing }) => {
                self.missing.clone_from(missing);
                vec![rule.clone()]
            }
            Answer::Deny(Denial::Unmet { rule, .. }) => vec![rule.clone()],
            Answer::Deny(Denial::Forbidden { rules, .. }) => rules.clone(),
            Answer::Deny(Denial::ApprovalRequired { rule, ask, .. }) => {
                self.would_allow.push(approval(ask));
                vec![rule.clone()]
            }
        };
        self.decided = ids
            .iter()
            .filter_map(|id| Some((rule(id, loaded)?, message(id, loaded))))
            .collect();
    }

    /// What of the rule that came nearest is not as it should be. A rule that forbids has no fault.
    fn name_faults(&mut self, answer: &Answer, explanation: &Explanation) {
        if let Answer::Deny(Denial::Unmet { rule, .. }) = answer {
            let mut considered = explanation.considered.iter();
            let found = considered.find(|considered| considered.rule == *rule);
            self.faults = found.map(faults).unwrap_or_default();
        }
    }

    /// Whoever is allowed may still have to log in again.
    fn note_freshness(&mut self, supposed: &Supposed, loaded: &Loaded) {
        let server = supposed.server_in(&loaded.settings);
        let demands = server.map(|server| &server.demands);
        let is_fresh = demands.is_none_or(|demands| {
            demands.server == Freshness::default() && demands.tiers.is_empty()
        });
        if self.is_allowed() && !is_fresh {
            self.notes
                .push("how fresh token and login must be is not asked here".to_owned());
        }
    }

    /// The nearest rule and what it takes. Nothing helps against a rule that forbids.
    fn look_for(&mut self, explanation: &Explanation, loaded: &Loaded) {
        if matches!(explanation.answer, Answer::Deny(Denial::Forbidden { .. })) {
            return;
        }
        let nearest = explanation
            .nearest
            .and_then(|at| explanation.considered.get(at));
        let Some(nearest) = nearest.filter(|_| !explanation.answer.is_allow()) else {
            return;
        };
        self.nearest = rule(&nearest.rule, loaded);
        self.would_allow
            .extend(nearest.obstacles.iter().flat_map(needs));
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let head = match self.refusal {
            None => "allow".to_owned(),
            Some(reason) if self.missing.is_empty() => format!("deny  {}", reason.name()),
            Some(reason) => format!("deny  {} [{}]", reason.name(), self.missing.join(" ")),
        };
        let mut lines = vec![head, line("asked", &self.asked)];
        for (rule, message) in &self.decided {
            lines.push(line("rule", &shown(rule)));
            lines.extend(message.iter().map(|message| line("", message)));
        }
        lines.extend(self.faults.iter().map(|fault| line("because", fault)));
        if self.tier != Tier::Low {
            lines.push(line("tier", self.tier.name()));
        }
        let is_decided = |nearest: &&Rule| !self.decided.iter().any(|(rule, _)| rule == *nearest);
        let nearest = self.nearest.as_ref().filter(is_decided);
        lines.extend(nearest.map(|rule| line("nearest rule", &shown(rule))));
        if !self.would_allow.is_empty() {
            lines.push(line("would allow", &self.would_allow.join(" + ")));
        }
        lines.extend(self.notes.iter().map(|note| line("note", note)));
        lines
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let rule = |rule: &Rule| json!({ "id": rule.id, "place": rule.place, "text": rule.text });
        let decided = self.decided.iter();
        json!({
            "decision": if self.is_allowed() { "allow" } else { "deny" },
            "reason": self.refusal.map(Reason::name),
            "code": self.refusal.map(Reason::code),
            "missing_scopes": self.missing,
            "tier": self.tier.name(),
            "rules": decided.map(|(decided, _)| rule(decided)).collect::<Vec<_>>(),
            "because": self.faults,
            "nearest": self.nearest.as_ref().map(rule),
            "would_allow": self.would_allow,
            "notes": self.notes,
        })
    }
}

fn line(name: &str, text: &str) -> String {
    format!("  {name:<12}  {}", visible(text))
}

fn shown(rule: &Rule) -> String {
    let short: String = rule.text.chars().take(WIDEST).collect();
    let rest = if short.len() < rule.text.len() {
        " …"
    } else {
        ""
    };
    format!("{}  {}  {short}{rest}", rule.place, rule.id)
}

/// `alice via planner, roles analyst, scopes crm:read: tool crm/refund`.
fn asked(supposed: &Supposed) -> String {
    let asker = &supposed.asker;
    let via = asker.actors.first().or(asker.client.as_ref());
    let via = via.map_or_else(String::new, |actor| format!(" via {actor}"));
    let list = |all: &[String]| match all {
        [] => "(none)".to_owned(),
        all => all.join(" "),
    };
    let kind = match supposed.access {
        Access::Tool => "tool",
        Access::Prompt => "prompt",
        Access::Resource => "resource",
    };
    format!(
        "{}{via}, roles {}, scopes {}: {kind} {}/{}",
        asker.subject,
        list(&asker.roles),
        list(&asker.scopes),
        supposed.server,
        supposed.name
    )
}

pub(super) fn rule(id: &RuleId, loaded: &Loaded) -> Option<Rule> {
    let mut all = rules(loaded).into_iter();
    all.find(|rule| rule.id == id.as_str())
}

fn message(id: &RuleId, loaded: &Loaded) -> Option<String> {
    let rule = loaded.settings.policy.rule(id)?;
    rule.terms.message.clone()
}

fn approval(ask: &Approval) -> String {
    match ask.by.as_str() {
        "" => APPROVAL.to_owned(),
        by => format!("the approval of {by}"),
    }
}

/// What keeps a rule from applying, in words.
fn faults(considered: &Considered) -> Vec<String> {
    let fault = |obstacle: &Obstacle| match obstacle {
        Obstacle::Name { pattern } => format!("it is about `{pattern}`"),
        Obstacle::Role { role } => format!("it is for the role {role}"),
        Obstacle::Scopes { missing } => format!("the token lacks {}", missing.join(" ")),
        Obstacle::Details { kind } => {
            format!("the token has no authorization_details of type {kind}")
        }
        Obstacle::Clause { text, .. } => format!("`{}` is false", one_line(text)),
        Obstacle::Unknown { text, lacks, .. } => {
            let lacks: Vec<_> = lacks
                .iter()
                .map(|(name, lack)| lacking(name, *lack))
                .collect();
            format!("`{}` cannot be told: {}", one_line(text), lacks.join(", "))
        }
        Obstacle::Amount => "a budget adds up an argument that is no whole number".to_owned(),
    };
    considered.obstacles.iter().map(fault).collect()
}

fn lacking(name: &str, lack: Lack) -> String {
    match lack {
        Lack::Missing => format!("{name} is missing"),
        Lack::Mistyped => format!("{name} is of another type"),
        Lack::Oversized => format!("{name} is too large"),
    }
}

/// What would take the obstacle away.
fn needs(obstacle: &Obstacle) -> Vec<String> {
    match obstacle {
        Obstacle::Name { pattern } => vec![format!("a name like {pattern}")],
        Obstacle::Role { role } => vec![format!("role {role}")],
        Obstacle::Scopes { missing } => missing
            .iter()
            .map(|scope| format!("scope {scope}"))
            .collect(),
        Obstacle::Details { kind } => vec![format!("authorization_details of type {kind}")],
        Obstacle::Clause { text, .. } | Obstacle::Unknown { text, .. } => vec![one_line(text)],
        Obstacle::Amount => vec!["a whole number to add up".to_owned()],
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters of a rule that are shown to people.
const WIDEST: usize = 200;
const APPROVAL: &str = "the approval of a human";
