//! What fuzzing does with the text of policies. Never part of a gateway that serves.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::facts::{Annotations, Arguments, Facts, Moment, Party};
use crate::question::{Access, Question};
use crate::roles::Row;
use crate::set::{CedarFile, PolicySet, PolicySource};

/// Reads `text` as a condition and as a file of policies. What loads decides, explains and lists without harm; no fault
/// points outside the text; what a call may do, a list shows.
pub fn policy_text(text: &str) {
    let row = Row {
        when: Some(text.to_owned()),
        details: Some("flights".to_owned()),
        ..Row::plain("support", "crm", Access::Tool, "refund")
    };
    let condition = PolicySource {
        rows: vec![row],
        ..PolicySource::default()
    };
    let file = PolicySource {
        cedar: vec![CedarFile {
            name: "fuzz.cedar".to_owned(),
            text: text.to_owned(),
        }],
        ..PolicySource::default()
    };
    for source in [condition, file] {
        match PolicySet::build(source) {
            Ok(policy) => ask(&policy),
            Err(faults) => assert!(!faults.is_empty(), "a refusal says why"),
        }
    }
}

fn ask(policy: &PolicySet) {
    let question = Question {
        server: "crm",
        roles: &["support"],
        access: Access::Tool,
        name: "refund",
        scopes: &["crm:refund"],
    };
    let claims = Map::new();
    let details = [Value::Object(Map::from_iter([(
        "type".to_owned(),
        Value::from("flights"),
    )]))];
    let is_shown = policy
        .decide(&question, || facts(Arguments::Open, &claims, &details))
        .is_allow();
    for bytes in ARGUMENTS {
        let given = facts(Arguments::Given(Some(bytes)), &claims, &details);
        let explanation = policy.explain(&question, &given);
        let answer = policy.decide(&question, || given);
        assert_eq!(explanation.answer, answer, "one answer");
        assert!(
            is_shown || !answer.is_allow(),
            "no list shows what may be called"
        );
    }
}

fn facts<'f>(
    arguments: Arguments<'f>,
    claims: &'f Map<String, Value>,
    details: &'f [Value],
) -> Facts<'f> {
    Facts {
        party: Party {
            issuer: "https://id.example",
            subject: "agent-7",
            kind: "agent",
            client: None,
            actors: Vec::new(),
            model: None,
            claims,
            details,
            acr: None,
            auth_age: Some(Duration::from_secs(1)),
            token_age: None,
        },
        method: "tools/call",
        source: None,
        moment: Moment {
            unix_millis: 0,
            weekday: 4,
            minute: 0,
        },
        arguments,
        annotations: Annotations::default(),
    }
}

const ARGUMENTS: [&[u8]; 4] = [
    b"{}",
    br#"{"amount": 5, "a": "b", "file": "/data/a"}"#,
    br#"{"amount": "5", "a": [1, "b"], "file": "../a"}"#,
    b"[",
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::policy_text;

    #[test]
    fn seeds_and_their_pieces_do_no_harm() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../gateway/fuzz/seeds/policy_text");
        let mut seeds = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            seeds += 1;
            policy_text(&text);
            let cuts: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
            for cut in cuts.chunks(7).map(|chunk| chunk[0]) {
                let (head, tail) = text.split_at(cut);
                policy_text(head);
                policy_text(&format!("{head}{}", tail.get(1..).unwrap_or("")));
            }
        }
        assert!(seeds > 5, "the seeds are there");
    }
}
