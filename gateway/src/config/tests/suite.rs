//! Tests of policies: what their files may say, and that nothing loads while one fails.

use tempfile::TempDir;

use crate::config::load::{load, load_untested};
use crate::config::suite::Suite;

const CONFIGURATION: &str = "\
version: 1
public_url: https://mcp.example.com
issuers:
  - { name: corp, url: https://auth.example.com }
  - { name: other, url: https://other.example.com }
servers:
  - { name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }
policy:
  tests: tests/*.yaml
  roles:
    support:
      crm:
        - get_*
        - { tool: refund, scopes: [crm:refund] }
        - { prompt: summarise }
        - { resource: \"crm://customers/*\" }
      grant:
        - { issuer: other, scopes: [help], client: desk }
";

/// A folder with the configuration and one file of tests.
fn folder(cases: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    std::fs::write(folder.path().join("gatewright.yaml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("tests/a.yaml"), cases).unwrap();
    folder
}

/// Every mistake: file, place, code and message.
fn found(cases: &str) -> Vec<String> {
    let folder = folder(cases);
    match load(&folder.path().join("gatewright.yaml"), &|_| None) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes
            .iter()
            .map(|mistake| {
                let name = mistake.path.strip_prefix(folder.path()).unwrap().display();
                let (line, column) = (mistake.line, mistake.column);
                format!(
                    "{name}:{line}:{column} {} {}",
                    mistake.code, mistake.message
                )
            })
            .collect(),
    }
}

fn suite(cases: &str) -> Suite {
    let folder = folder(cases);
    let path = folder.path().join("gatewright.yaml");
    let loaded = load_untested(&path, &|_| None);
    loaded.unwrap_or_else(|mistakes| panic!("{mistakes}")).suite
}

#[test]
fn cases_that_pass_let_the_configuration_load() {
    let cases = "\
- { as: { roles: [support] }, tool: get_customer, expect: allow }
- { as: { roles: [support] }, server: crm, tool: refund, expect: insufficient_scope, scopes_missing: [crm:refund] }
- { as: { roles: [support], scopes: [crm:refund] }, tool: refund, expect: allow, rule: \"roles.support.crm[1]\" }
- { as: { roles: [support] }, prompt: summarise, expect: allow }
- { as: { roles: [support] }, resource: \"crm://customers/7\", expect: allow }
- { as: { roles: [support] }, resource: \"crm://invoices/7\", expect: resource_not_allowed }
- { as: {}, tool: get_customer, expect: tool_not_allowed }
- { tool: get_customer, expect: deny }
";
    assert_eq!(found(cases), [""; 0]);
}

#[test]
fn a_case_that_fails_is_a_mistake_at_its_place() {
    let cases = "\
- { as: { roles: [support] }, tool: get_customer, expect: allow }
- { name: support refunds, as: { roles: [support] }, tool: refund, expect: allow }
- { as: { roles: [support] }, tool: get_all, args: { amount: 150, deep: { a: b } }, expect: deny }
";
    assert_eq!(
        found(cases),
        [
            "tests/a.yaml:2:3 failed-case support refunds: expected allow, got deny",
            "tests/a.yaml:3:3 failed-case support get_all amount=150 deep={\"a\":\"b\"}: expected deny, got allow",
        ]
    );
}

#[test]
fn defaults_are_what_cases_leave_out_and_of_the_asker_each_key_by_itself() {
    let cases = "\
defaults:
  as: { roles: [support], scopes: [crm:refund], sub: ann }
  tool: refund
  expect: allow
cases:
  - {}
  - { as: { scopes: [] }, expect: insufficient_scope }
  - { as: { roles: [] }, expect: deny }
  - { prompt: summarise }
";
    assert_eq!(found(cases), [""; 0]);
    let suite = suite(cases);
    let askers: Vec<_> = suite.tests().iter().map(|test| &test.case.asker).collect();
    assert!(askers.iter().all(|asker| asker.subject == "ann"));
    assert_eq!(askers[1].roles, ["support"]);
    let lines: Vec<_> = suite.tests().iter().map(|test| test.line).collect();
    assert_eq!(lines, [6, 7, 8, 9]);
}

#[test]
fn a_case_has_the_roles_that_the_configuration_gives() {
    let asker = |more: &str| {
        format!(
            "- {{ as: {{ client: desk, scopes: [help]{more} }}, tool: get_a, expect: allow }}\n"
        )
    };
    assert_eq!(found(&asker(", issuer: other")), [""; 0]);
    assert_eq!(found(&asker("")).len(), 1, "of another issuer");
}

const TELLING: &str = "\
- as:
    roles: [a, b]
    sub: ann
    client: desk
    kind: user
    actors: [bot]
    model: m1
    model_source: meta
    claims: { tenant: acme, level: 3 }
    acr: mfa
    auth_age: 5m
    token_age: 10s
    source: 10.0.0.7
  tool: refund
  args: { amount: 100.0, note: x, list: [1, null, true] }
  details: [{ type: flights, up_to: 800 }]
  annotations: { read_only: true, destructive: false }
  at: 2027-01-09T23:59
  expect: deny
- { tool: refund, args: '{\"amount\": 1e2}', at: 2027-01-04T00:30:00+01:00, expect: deny }
";

#[test]
fn who_asks_in_a_case_is_whom_conditions_see() {
    let suite = suite(TELLING);
    let facts = suite.tests()[0].case.facts();
    let party = &facts.party;
    let texts = (party.subject, party.kind, party.issuer);
    assert_eq!(texts, ("ann", "user", "https://auth.example.com"));
    assert_eq!((party.client, party.acr), (Some("desk"), Some("mfa")));
    assert_eq!(
        (party.model, party.actors.as_slice()),
        (Some(("m1", "meta")), &["bot"][..])
    );
    let (level, most) = (&party.claims["level"], &party.details[0]["up_to"]);
    assert_eq!((level, most), (&3.into(), &800.into()));
    let ages = [party.auth_age, party.token_age].map(|age| age.map(|age| age.as_secs()));
    assert_eq!(ages, [Some(300), Some(10)]);
    assert_eq!(facts.source, Some("10.0.0.7".parse().unwrap()));
}

#[test]
fn what_a_case_asks_is_what_conditions_see() {
    let suite = suite(TELLING);
    let case = &suite.tests()[0].case;
    assert_eq!((case.moment.weekday, case.moment.minute), (6, 1439));
    let hints = case.annotations;
    assert!(hints.read_only && !hints.destructive);
    assert!(hints.open_world, "what is not said is the worst");
    let text = String::from_utf8(case.arguments.clone().unwrap()).unwrap();
    assert!(text.contains("\"amount\":100.0"), "{text}");
    let same = serde_json::json!({ "amount": 100.0, "note": "x", "list": [1, null, true] });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&text).unwrap(),
        same
    );
    let other = &suite.tests()[1].case;
    let spelled = r#"{"amount": 1e2}"#.as_bytes();
    assert_eq!(other.arguments.as_deref(), Some(spelled));
    assert_eq!((other.moment.weekday, other.moment.minute), (7, 1410));
}

/// A file, and the places and codes of its mistakes.
const WRONG: [(&str, &str); 19] = [
    (
        "- { tol: x, expect: deny }",
        "3 ambiguous-rule|5 unknown-key",
    ),
    ("- { tool: x, prompt: y, expect: deny }", "3 ambiguous-rule"),
    ("- { tool: x }", "3 missing-key"),
    ("- { tool: x, expect: denied }", "22 unknown-value"),
    (
        "- { prompt: x, expect: tool_not_allowed }",
        "24 unknown-value",
    ),
    (
        "- { server: cmr, tool: x, expect: deny }",
        "13 unknown-server",
    ),
    ("- { tool: x, args: [1], expect: deny }", "20 wrong-type"),
    ("- { tool: x, args: '[1]', expect: deny }", "20 wrong-type"),
    (
        "- { tool: x, args: { a: 1, a: 2 }, expect: deny }",
        "28 duplicate-key",
    ),
    ("- { tool: x, at: monday, expect: deny }", "18 bad-time"),
    (
        "- { as: { kind: robot }, tool: x, expect: deny }",
        "17 unknown-value",
    ),
    (
        "- { as: { source: a }, tool: x, expect: deny }",
        "19 bad-address",
    ),
    (
        "- { as: { issuer: crp }, tool: x, expect: deny }",
        "19 unknown-issuer",
    ),
    (
        "- { as: { auth_age: 5 }, tool: x, expect: deny }",
        "21 wrong-type",
    ),
    (
        "- { as: { scopes: [\"a b\"] }, tool: x, expect: deny }",
        "20 bad-scope",
    ),
    ("- x", "3 wrong-type"),
    ("[]", "1 empty-list"),
    ("cases: []", "1 empty-list"),
    ("- [", "3 syntax"),
];

#[test]
fn every_wrong_key_or_value_of_a_case_is_a_mistake_at_its_place() {
    for (case, expected) in WRONG {
        let found = found(&format!("{case}\n"));
        let short: Vec<_> = found
            .iter()
            .map(|line| {
                let words: Vec<_> = line.split(' ').take(2).collect();
                let place = words[0].strip_prefix("tests/a.yaml:").unwrap();
                format!("{} {}", place.strip_prefix("1:").unwrap_or(place), words[1])
            })
            .collect();
        assert_eq!(short.join("|"), expected, "{case}");
    }
}
