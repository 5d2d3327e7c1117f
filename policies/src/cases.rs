//! Tests of a policy: what somebody asks, and what the answer must be. Asks as the gateway does, and knows no file.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::answer::{Answer, Cause, Denial, RuleId};
use crate::facts::{Annotations, Arguments, Facts, Moment, Party};
use crate::question::{Access, Question};
use crate::set::PolicySet;

/// One question and what its answer must be.
#[derive(Debug, Clone)]
pub struct Case {
    /// Who asks.
    pub asker: Asker,
    /// The server that is asked.
    pub server: String,
    /// The kind of thing that is asked for.
    pub access: Access,
    /// Its name or URI.
    pub target: String,
    /// What the call carries: a JSON object, or nothing.
    pub arguments: Option<Vec<u8>>,
    /// What the tool says of itself.
    pub annotations: Annotations,
    /// When.
    pub moment: Moment,
    /// What must be answered.
    pub expected: Expected,
    /// The scopes that must be named as missing, in any order, if they are to be looked at.
    pub missing: Option<Vec<String>>,
    /// The rule that must have decided, if it is to be looked at.
    pub rule: Option<String>,
}

/// Somebody who asks.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Every role.
    pub roles: Vec<String>,
    /// Every scope of the token.
    pub scopes: Vec<String>,
    /// `iss`.
    pub issuer: String,
    /// `sub`.
    pub subject: String,
    /// `user`, `agent` or `service`.
    pub kind: &'static str,
    /// The OAuth client.
    pub client: Option<String>,
    /// Who acts for it, the present actor first.
    pub actors: Vec<String>,
    /// The model, and who says so.
    pub model: Option<(String, &'static str)>,
    /// The claims of the token.
    pub claims: Map<String, Value>,
    /// Its `authorization_details`.
    pub details: Vec<Value>,
    /// `acr`.
    pub acr: Option<String>,
    /// How long ago the user logged in.
    pub auth_age: Option<Duration>,
    /// How long ago the token was issued.
    pub token_age: Option<Duration>,
    /// Where the connection comes from.
    pub source: Option<IpAddr>,
}

/// What a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// That it is allowed.
    Allow,
    /// That it is not, for whatever reason.
    Deny,
    /// That it is not, for this reason.
    Refusal(Refusal),
}

/// Why something is denied, in the words of the answers that clients see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody allows it, or somebody forbids it.
    NotAllowed,
    /// The token lacks a scope.
    ScopeMissing,
    /// The arguments are not allowed.
    Arguments,
    /// Not at this time.
    Hours,
    /// Not before a human agrees.
    Approval,
}

impl Refusal {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::NotAllowed,
        Self::ScopeMissing,
        Self::Arguments,
        Self::Hours,
        Self::Approval,
    ];

    /// Why this is denied.
    pub const fn of(denial: &Denial) -> Self {
        match denial {
            Denial::NoRule => Self::NotAllowed,
            Denial::ScopeMissing { .. } => Self::ScopeMissing,
            Denial::ApprovalRequired { .. } => Self::Approval,
            Denial::Unmet { cause, .. } | Denial::Forbidden { cause, .. } => match cause {
                Cause::Arguments => Self::Arguments,
                Cause::Hours => Self::Hours,
                Cause::Other => Self::NotAllowed,
            },
        }
    }

    /// The name of the reason, as answers and records have it.
    pub const fn name(self, access: Access) -> &'static str {
        match (self, access) {
            (Self::NotAllowed, Access::Tool) => "tool_not_allowed",
            (Self::NotAllowed, Access::Prompt) => "prompt_not_allowed",
            (Self::NotAllowed, Access::Resource) => "resource_not_allowed",
            (Self::ScopeMissing, _) => "insufficient_scope",
            (Self::Arguments, _) => "argument_denied",
            (Self::Hours, _) => "outside_hours",
            (Self::Approval, _) => "approval_required",
        }
    }
}

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Outcome {
    /// What the policy answers.
    pub answer: Answer,
    /// What is not as expected; nothing when the case passed.
    pub difference: Option<Difference>,
}

/// What is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another decision, or another reason.
    Decision {
        /// The word for what was expected.
        expected: &'static str,
        /// The word for what was answered.
        got: &'static str,
    },
    /// Other scopes are missing.
    Scopes {
        /// Those that should be.
        expected: Vec<String>,
        /// Those that are.
        got: Vec<String>,
    },
    /// Another rule decided.
    Rule {
        /// The one that should have.
        expected: String,
        /// Those that did.
        got: Vec<RuleId>,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decision { expected, got } => write!(f, "expected {expected}, got {got}"),
            Self::Scopes { expected, got } => write!(
                f,
                "expected the missing scopes `{}`, got `{}`",
                expected.join(" "),
                got.join(" ")
            ),
            Self::Rule { expected, got } if got.is_empty() => {
                write!(f, "expected the rule `{expected}`, got none")
            }
            Self::Rule { expected, got } => {
                let got: Vec<_> = got.iter().map(RuleId::as_str).collect();
                write!(f, "expected the rule `{expected}`, got `{}`", got.join(" "))
            }
        }
    }
}

/// Asks `policy` what the case asks, and compares.
///
/// ```
/// use gatewright_policies::cases::{Asker, Case, Expected, run};
/// use gatewright_policies::{Access, Annotations, Moment, PolicySet, PolicySource, Row};
///
/// let rows = vec![Row::plain("analyst", "crm", Access::Tool, "get_*")];
/// let policy = PolicySet::build(PolicySource { rows, ..PolicySource::default() }).expect("a good pattern");
/// let case = Case {
///     asker: Asker::with_roles(&["analyst"]),
///     server: "crm".to_owned(),
///     access: Access::Tool,
///     target: "refund".to_owned(),
///     arguments: None,
///     annotations: Annotations::default(),
///     moment: Moment { unix_millis: 0, weekday: 4, minute: 0 },
///     expected: Expected::Allow,
///     missing: None,
///     rule: None,
/// };
/// let difference = run(&policy, &case).difference.expect("no row allows it");
/// assert_eq!(difference.to_string(), "expected allow, got deny");
/// ```
pub fn run(policy: &PolicySet, case: &Case) -> Outcome {
    let answer = policy.decide(&case.question(), || case.facts());
    let difference = case.difference(&answer);
    Outcome { answer, difference }
}

impl Asker {
    /// An agent with these roles, of whom nothing else is known.
    pub fn with_roles(roles: &[&str]) -> Self {
        Self {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            scopes: Vec::new(),
            issuer: String::new(),
            subject: String::new(),
            kind: "agent",
            client: None,
            actors: Vec::new(),
            model: None,
            claims: Map::new(),
            details: Vec::new(),
            acr: None,
            auth_age: None,
            token_age: None,
            source: None,
        }
    }

    /// The same, as conditions see it.
    pub fn party(&self) -> Party<'_> {
        let model = self.model.as_ref();
        Party {
            issuer: &self.issuer,
            subject: &self.subject,
            kind: self.kind,
            client: self.client.as_deref(),
            actors: self.actors.iter().map(String::as_str).collect(),
            model: model.map(|(name, source)| (name.as_str(), *source)),
            claims: &self.claims,
            details: &self.details,
            acr: self.acr.as_deref(),
            auth_age: self.auth_age,
            token_age: self.token_age,
        }
    }
}

/// The rules that have a say in a case: those that made the answer, and those that apply besides.
pub fn reached(policy: &PolicySet, case: &Case) -> Vec<RuleId> {
    let explanation = policy.explain(&case.question(), &case.facts());
    let applied = explanation.applied();
    let deciding = deciding(&explanation.answer).iter();
    deciding.chain(applied).cloned().collect()
}

impl Case {
    fn question(&self) -> Question<'_, String, String> {
        Question {
            server: &self.server,
            roles: &self.asker.roles,
            access: self.access,
            name: &self.target,
            scopes: &self.asker.scopes,
        }
    }

    /// What conditions may look at.
    pub fn facts(&self) -> Facts<'_> {
        Facts {
            party: self.asker.party(),
            method: self.access.action(),
            source: self.asker.source,
            moment: self.moment,
            arguments: Arguments::Given(self.arguments.as_deref()),
            annotations: self.annotations,
        }
    }

    fn difference(&self, answer: &Answer) -> Option<Difference> {
        let got = match answer {
            Answer::Allow(_) => None,
            Answer::Deny(denial) => Some(Refusal::of(denial)),
        };
        let decision = |expected| Difference::Decision {
            expected,
            got: match (self.expected, got) {
                (_, None) => "allow",
                (Expected::Allow | Expected::Deny, Some(_)) => "deny",
                (Expected::Refusal(_), Some(got)) => got.name(self.access),
            },
        };
        match (self.expected, got) {
            (Expected::Allow, Some(_)) => return Some(decision("allow")),
            (Expected::Deny, None) => return Some(decision("deny")),
            (Expected::Refusal(expected), got) if got != Some(expected) => {
                return Some(decision(expected.name(self.access)));
            }
            (Expected::Allow | Expected::Deny | Expected::Refusal(_), _) => {}
        }
        self.other_scopes(answer)
            .or_else(|| self.other_rule(answer))
    }

    fn other_scopes(&self, answer: &Answer) -> Option<Difference> {
        let expected = self.missing.as_ref()?;
        let got = match answer {
            Answer::Deny(Denial::ScopeMissing { missing, .. }) => missing.as_slice(),
            Answer::Allow(_)
            | Answer::Deny(
                Denial::NoRule
                | Denial::Unmet { .. }
                | Denial::Forbidden { .. }
                | Denial::ApprovalRequired { .. },
            ) => &[],
        };
        let set = |scopes: &[String]| scopes.iter().cloned().collect::<BTreeSet<_>>();
        (set(expected) != set(got)).then(|| Difference::Scopes {
            expected: expected.clone(),
            got: got.to_vec(),
        })
    }

    fn other_rule(&self, answer: &Answer) -> Option<Difference> {
        let expected = self.rule.as_ref()?;
        let got = deciding(answer);
        let is_among = got.iter().any(|rule| rule.as_str() == expected);
        (!is_among).then(|| Difference::Rule {
            expected: expected.clone(),
            got: got.to_vec(),
        })
    }
}

/// The rules that made this answer.
pub fn deciding(answer: &Answer) -> &[RuleId] {
    match answer {
        Answer::Allow(grant) => std::slice::from_ref(&grant.rule),
        Answer::Deny(Denial::NoRule) => &[],
        Answer::Deny(
            Denial::ScopeMissing { rule, .. }
            | Denial::Unmet { rule, .. }
            | Denial::ApprovalRequired { rule, .. },
        ) => std::slice::from_ref(rule),
        Answer::Deny(Denial::Forbidden { rules, .. }) => rules,
    }
}

#[cfg(test)]
mod tests;
