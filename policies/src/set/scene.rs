//! Calls and policies for tests.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::error::PolicyFault;
use crate::explain::Explanation;
use crate::facts::{Annotations, Arguments, Facts, Moment, Party};
use crate::question::{Access, Question};
use crate::roles::Row;
use crate::set::{CedarFile, PolicySet, PolicySource};

/// A call of a tool with everything that conditions may look at.
#[derive(Debug, Clone)]
pub(crate) struct Call<'a> {
    pub(crate) server: &'a str,
    pub(crate) tool: &'a str,
    pub(crate) roles: &'a [&'a str],
    pub(crate) scopes: &'a [&'a str],
    pub(crate) kind: &'static str,
    pub(crate) minute: u16,
    pub(crate) claims: Value,
    pub(crate) details: Value,
    pub(crate) arguments: Arguments<'a>,
}

impl<'a> Call<'a> {
    pub(crate) fn args(json: &'a str) -> Self {
        Self {
            arguments: Arguments::Given(Some(json.as_bytes())),
            ..Self::no_args()
        }
    }

    pub(crate) fn list() -> Self {
        Self {
            arguments: Arguments::Open,
            ..Self::no_args()
        }
    }

    pub(crate) fn no_args() -> Self {
        Self {
            server: "crm",
            tool: "refund",
            roles: &["support"],
            scopes: &[],
            kind: "agent",
            minute: 600,
            claims: json!({}),
            details: json!([]),
            arguments: Arguments::Given(None),
        }
    }

    pub(crate) fn question(&self) -> Question<'a> {
        Question {
            server: self.server,
            roles: self.roles,
            access: Access::Tool,
            name: self.tool,
            scopes: self.scopes,
        }
    }

    pub(crate) fn ask(&self, policy: &PolicySet) -> Answer {
        let claims = self.claims.as_object().cloned().unwrap_or_default();
        policy.decide(&self.question(), || self.facts(&claims))
    }

    pub(crate) fn explain(&self, policy: &PolicySet) -> Explanation {
        let claims = self.claims.as_object().cloned().unwrap_or_default();
        policy.explain(&self.question(), &self.facts(&claims))
    }

    pub(crate) fn facts<'f>(&'f self, claims: &'f Map<String, Value>) -> Facts<'f> {
        Facts {
            party: Party {
                issuer: "https://issuer.example",
                subject: "agent-7",
                kind: self.kind,
                client: Some("client-7"),
                actors: vec!["robot-1"],
                model: Some(("model-1", "claim")),
                claims,
                details: self.details.as_array().map_or(&[], Vec::as_slice),
                acr: Some("phr"),
                auth_age: Some(Duration::from_secs(60)),
                token_age: Some(Duration::from_secs(5)),
            },
            method: "tools/call",
            source: Some([10, 0, 0, 1].into()),
            moment: Moment {
                unix_millis: 0,
                weekday: 4,
                minute: self.minute,
            },
            arguments: self.arguments,
            annotations: Annotations::default(),
        }
    }
}

/// The row that lets support call `refund`.
pub(crate) fn refund() -> Row {
    Row::plain("support", "crm", Access::Tool, "refund")
}

/// The same under a condition.
pub(crate) fn when(condition: &str) -> Row {
    Row {
        when: Some(condition.to_owned()),
        ..refund()
    }
}

pub(crate) fn cedar(text: &str) -> Vec<CedarFile> {
    vec![CedarFile {
        name: "test.cedar".to_owned(),
        text: text.to_owned(),
    }]
}

pub(crate) fn build(rows: Vec<Row>, cedar: Vec<CedarFile>) -> Result<PolicySet, Vec<PolicyFault>> {
    PolicySet::build(PolicySource { rows, cedar })
}

pub(crate) fn policy(rows: Vec<Row>, text: &str) -> PolicySet {
    build(rows, cedar(text)).unwrap_or_else(|faults| panic!("should load: {faults:?}"))
}
