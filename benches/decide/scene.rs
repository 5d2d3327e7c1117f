//! Policies of any size and one question for each. Measures nothing.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;
use std::time::Duration;

use gatewright_policies::{
    Access, Annotations, Arguments, CedarFile, Facts, Moment, Party, PolicySet, PolicySource,
    Question, Row,
};
use serde_json::{Map, Value};

/// The condition of every conditional rule.
pub(crate) const CONDITION: &str = "context.args.amount <= 100 && principal.kind == \"agent\"";

/// What the call carries.
pub(crate) const ARGUMENTS: &str =
    r#"{"customer": "c-1", "amount": 70, "reason": "arrived broken"}"#;

/// Rows without conditions, one of which is asked for.
pub(crate) fn plain(rows: usize) -> PolicySource {
    let mut all: Vec<_> = (1..rows)
        .map(|number| {
            let role = if number % 2 == 0 {
                "support"
            } else {
                "analyst"
            };
            let pattern = match number % 3 {
                0 => format!("report_{number}_*"),
                _ => format!("tool_{number}"),
            };
            Row::plain(role, "crm", Access::Tool, &pattern)
        })
        .collect();
    all.push(Row::plain("support", "crm", Access::Tool, "get_customer"));
    PolicySource {
        rows: all,
        ..PolicySource::default()
    }
}

/// Rows with a condition each, on different tools, one of which is asked for.
pub(crate) fn conditions(rows: usize) -> PolicySource {
    let row = |number: usize| Row {
        when: Some(CONDITION.replace("100", &(number + 100).to_string())),
        ..Row::plain("support", "crm", Access::Tool, &name(number))
    };
    PolicySource {
        rows: (0..rows).map(row).collect(),
        ..PolicySource::default()
    }
}

fn name(number: usize) -> String {
    match number {
        0 => "refund".to_owned(),
        other => format!("tool_{other}"),
    }
}

/// A row that allows, and so many policies that look at the call and do not forbid it.
pub(crate) fn forbids(policies: usize) -> PolicySource {
    PolicySource {
        rows: vec![Row::plain("support", "crm", Access::Tool, "refund")],
        cedar: vec![CedarFile {
            name: "caps.cedar".to_owned(),
            text: forbidding(policies, "context.args.amount"),
        }],
    }
}

/// The same in Cedar, the amount under the name `amount`.
pub(crate) fn forbidding(policies: usize, amount: &str) -> String {
    let mut text = String::new();
    for number in 0..policies {
        let cap = number + 1000;
        let _ = writeln!(
            text,
            "@id(\"cap-{number}\") forbid (principal, action == Action::\"tools/call\", resource)\n\
             when {{ {amount} > {cap} && principal.kind == \"agent\" }};"
        );
    }
    text
}

/// A question that is answered with yes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    tool: &'static str,
}

impl Asked {
    pub(crate) const fn plain() -> Self {
        Self {
            tool: "get_customer",
        }
    }

    pub(crate) const fn refund() -> Self {
        Self { tool: "refund" }
    }

    pub(crate) fn is_allowed(self, policy: &PolicySet) -> bool {
        let question = Question {
            server: "crm",
            roles: &["support"],
            access: Access::Tool,
            name: self.tool,
            scopes: &["crm:read"],
        };
        policy.decide(&question, facts).is_allow()
    }
}

fn facts() -> Facts<'static> {
    Facts {
        party: Party {
            issuer: "https://id.example",
            subject: "agent-7",
            kind: "agent",
            client: Some("client-7"),
            actors: Vec::new(),
            model: Some(("model-1", "claim")),
            claims: &NO_CLAIMS,
            details: &[],
            acr: None,
            auth_age: None,
            token_age: Some(Duration::from_secs(30)),
        },
        method: "tools/call",
        source: Some(IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3))),
        moment: Moment {
            unix_millis: 1_764_000_000_000,
            weekday: 1,
            minute: 600,
        },
        arguments: Arguments::Given(Some(ARGUMENTS.as_bytes())),
        annotations: Annotations::default(),
    }
}

static NO_CLAIMS: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
