//! Ways in which role policies slip, each held by a test under its row in `gateway/docs/threats.md`.

#![cfg(test)]

use std::net::IpAddr;

use gatewright_policies::cases::{Asker, Case, Expected, run};
use gatewright_policies::{
    Access, Annotations, Answer, CedarFile, Denial, Moment, PolicySet, PolicySource, Row,
};

fn policy(rows: Vec<Row>, cedar: &str) -> PolicySet {
    let cedar = vec![CedarFile {
        name: "rules.cedar".to_owned(),
        text: cedar.to_owned(),
    }];
    PolicySet::build(PolicySource { rows, cedar }).unwrap()
}

fn row(role: &str, pattern: &str) -> Row {
    Row::plain(role, "crm", Access::Tool, pattern)
}

fn case(roles: &[&str], tool: &str) -> Case {
    Case {
        asker: Asker::with_roles(roles),
        server: "crm".to_owned(),
        access: Access::Tool,
        target: tool.to_owned(),
        arguments: None,
        annotations: Annotations::default(),
        moment: Moment {
            unix_millis: 0,
            weekday: 4,
            minute: 600,
        },
        expected: Expected::Allow,
        missing: None,
        rule: None,
    }
}

fn allows(policy: &PolicySet, case: &Case) -> bool {
    run(policy, case).answer.is_allow()
}

#[test]
fn z01_patterns_are_anchored_and_exact_about_case() {
    let policy = policy(
        vec![row("a", "get_*"), row("a", "tool_a"), row("a", "x?")],
        "",
    );
    for tool in ["get_a", "get_", "tool_a", "xy"] {
        assert!(allows(&policy, &case(&["a"], tool)), "{tool}");
    }
    for tool in [
        "xget_a",
        "GET_a",
        "Get_a",
        "tool_a_delete",
        "atool_a",
        "tool_",
        "x",
        "xyz",
        "get_\u{0430} ",
        "get_ a",
        "",
    ] {
        assert!(!allows(&policy, &case(&["a"], tool)), "{tool}");
    }
}

#[test]
fn z02_nothing_written_allows_nothing() {
    let nothing = [
        PolicySet::default(),
        policy(Vec::new(), ""),
        policy(Vec::new(), "// nothing\n"),
        policy(vec![row("b", "*")], ""),
    ];
    for policy in nothing {
        assert!(!allows(&policy, &case(&["a"], "get_a")));
        assert!(!allows(&policy, &case(&[], "get_a")));
    }
    assert!(allows(
        &policy(vec![row("a", "*")], ""),
        &case(&["a"], "get_a")
    ));
}

#[test]
fn z03_what_one_role_is_forbidden_no_other_role_allows() {
    let forbid = "forbid (principal in Role::\"intern\", action, resource) when { resource.name == \"refund\" };";
    let policy = policy(vec![row("support", "*"), row("intern", "*")], forbid);
    assert!(allows(&policy, &case(&["support"], "refund")));
    for roles in [
        &["intern"][..],
        &["support", "intern"],
        &["intern", "support"],
    ] {
        assert!(!allows(&policy, &case(roles, "refund")), "{roles:?}");
        assert!(allows(&policy, &case(roles, "get_a")), "{roles:?}");
    }
}

#[test]
fn z04_scopes_are_compared_whole() {
    let scoped = Row {
        scopes: vec!["crm:read".to_owned()],
        ..row("a", "get_*")
    };
    let policy = policy(vec![scoped], "");
    let with = |scope: &str| {
        let mut case = case(&["a"], "get_a");
        case.asker.scopes = vec![scope.to_owned()];
        case
    };
    assert!(allows(&policy, &with("crm:read")));
    for scope in [
        "crm:rea",
        "xcrm:read",
        "crm:read ",
        "CRM:READ",
        "crm:*",
        "crm",
        "crm:read\tcrm:write",
        "",
    ] {
        let answer = run(&policy, &with(scope)).answer;
        let is_missing = matches!(answer, Answer::Deny(Denial::ScopeMissing { .. }));
        assert!(is_missing, "{scope:?}: {answer:?}");
    }
}

#[test]
fn z06_what_cannot_be_evaluated_allows_nothing_and_still_forbids() {
    let conditional = Row {
        when: Some("context.args.amount <= 100".to_owned()),
        ..row("a", "refund")
    };
    let forbid =
        "forbid (principal, action, resource) when { context.args.note like \"*secret*\" };";
    let rows = vec![conditional, row("a", "get_*")];
    let (open, guarded) = (policy(rows.clone(), ""), policy(rows, forbid));
    let with = |tool: &str, arguments: &str| {
        let mut case = case(&["a"], tool);
        case.arguments = Some(arguments.as_bytes().to_vec());
        case
    };
    assert!(allows(&open, &with("refund", r#"{"amount": 100}"#)));
    for bad in [
        r#"{"amount": "100"}"#,
        r#"{"amount": 100.0}"#,
        "{}",
        r#"{"amount": null}"#,
    ] {
        assert!(!allows(&open, &with("refund", bad)), "{bad}");
    }
    assert!(allows(&guarded, &with("get_a", r#"{"note": "fine"}"#)));
    for bad in [r#"{"note": "a secret"}"#, r#"{"note": 1}"#, "{}"] {
        assert!(!allows(&guarded, &with("get_a", bad)), "{bad}");
    }
}

#[test]
fn z06_one_policy_that_is_wrong_leaves_no_policy_at_all() {
    for wrong in [
        "forbid (principal, action, resource) when { context.args.a < \"b\" };",
        "forbid (principal, action, resource) when { context.nowhere };",
        "forbid (principal, action",
        "forbid (principal, action, resource) when { context.source };",
    ] {
        let cedar = vec![CedarFile {
            name: "rules.cedar".to_owned(),
            text: format!("permit (principal, action, resource);\n{wrong}"),
        }];
        let rows = vec![row("a", "*")];
        let faults = PolicySet::build(PolicySource { rows, cedar }).unwrap_err();
        assert!(!faults.is_empty(), "{wrong}");
    }
}

#[test]
fn a_source_that_is_not_known_meets_no_condition_on_it() {
    let near = Row {
        when: Some("context has source && context.source.isInRange(ip(\"10.0.0.0/8\"))".to_owned()),
        ..row("a", "get_*")
    };
    let policy = policy(vec![near], "");
    let from = |source: Option<IpAddr>| {
        let mut case = case(&["a"], "get_a");
        case.asker.source = source;
        case
    };
    assert!(allows(&policy, &from("10.1.2.3".parse().ok())));
    assert!(!allows(&policy, &from("192.0.2.1".parse().ok())));
    assert!(!allows(&policy, &from(None)));
}
