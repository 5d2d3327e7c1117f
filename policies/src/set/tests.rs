//! Conditions and Cedar policies, decided end to end.

mod laws;
mod loading;
mod terms;

use serde_json::json;

use super::scene::{Call, policy, refund, when};
use crate::answer::{Answer, Cause, Denial};
use crate::attribute::ATTRIBUTES;
use crate::roles::Row;

pub(crate) fn cause(answer: &Answer) -> Cause {
    let Answer::Deny(Denial::Unmet { cause, .. } | Denial::Forbidden { cause, .. }) = answer else {
        panic!("a condition should decide: {answer:?}");
    };
    *cause
}

#[test]
fn a_condition_on_an_argument_decides() {
    let policy = policy(vec![when("context.args.amount <= 100")], "");
    assert!(Call::args(r#"{"amount": 100}"#).ask(&policy).is_allow());
    let denied = Call::args(r#"{"amount": 101}"#).ask(&policy);
    assert_eq!(cause(&denied), Cause::Arguments);
}

#[test]
fn a_missing_or_mistyped_argument_denies() {
    let policy = policy(vec![when("context.args.amount <= 100")], "");
    for args in [
        "{}",
        r#"{"amount": null}"#,
        r#"{"amount": "1"}"#,
        r#"{"amount": 1.0}"#,
        r#"{"amount": 1e1}"#,
        r#"{"amount": [1]}"#,
        "not json",
    ] {
        let denied = Call::args(args).ask(&policy);
        assert_eq!(cause(&denied), Cause::Arguments, "{args}");
    }
    assert!(!Call::no_args().ask(&policy).is_allow());
}

#[test]
fn a_forbid_wins_and_one_that_errs_forbids() {
    let forbid = r#"@id("cap") forbid (principal, action == Action::"tools/call", resource)
        when { context.args.amount > 100 };"#;
    let policy = policy(vec![refund()], forbid);
    assert!(Call::args(r#"{"amount": 1}"#).ask(&policy).is_allow());
    for args in [r#"{"amount": 101}"#, r#"{"amount": "1"}"#, "{}"] {
        let denied = Call::args(args).ask(&policy);
        let Answer::Deny(Denial::Forbidden { rules, cause }) = denied else {
            panic!("{args} should be forbidden: {denied:?}");
        };
        assert_eq!(rules[0].as_str(), "cap");
        assert_eq!(cause, Cause::Arguments);
    }
}

#[test]
fn a_cedar_policy_allows_what_no_row_does() {
    let permit = r#"permit (principal in Role::"support", action in Action::"use", resource in Server::"crm")
        when { resource.name like "get_*" && principal.kind == "agent" };"#;
    let policy = policy(Vec::new(), permit);
    let get = Call {
        tool: "get_customer",
        ..Call::no_args()
    };
    let Answer::Allow(grant) = get.ask(&policy) else {
        panic!("should be allowed")
    };
    assert_eq!(grant.rule.as_str(), "test.cedar#0");
    assert!(!Call::no_args().ask(&policy).is_allow());
    assert!(
        !Call {
            roles: &["guest"],
            ..get.clone()
        }
        .ask(&policy)
        .is_allow()
    );
    assert!(
        !Call {
            server: "erp",
            ..get.clone()
        }
        .ask(&policy)
        .is_allow()
    );
    assert!(
        !Call {
            kind: "user",
            ..get
        }
        .ask(&policy)
        .is_allow()
    );
}

#[test]
fn hours_are_their_own_cause() {
    let policy = policy(
        vec![when(
            "context.weekday <= 5 && context.minute >= 540 && context.minute < 1080",
        )],
        "",
    );
    assert!(
        Call {
            minute: 600,
            ..Call::no_args()
        }
        .ask(&policy)
        .is_allow()
    );
    assert_eq!(
        cause(
            &Call {
                minute: 1080,
                ..Call::no_args()
            }
            .ask(&policy)
        ),
        Cause::Hours
    );
}

#[test]
fn the_cause_is_that_of_the_false_part() {
    let policy = policy(
        vec![when(
            "context.minute < 600 && context.args.amount < 5 && principal.kind == \"agent\"",
        )],
        "",
    );
    let args = r#"{"amount": 9}"#;
    assert_eq!(
        cause(
            &Call {
                minute: 1,
                ..Call::args(args)
            }
            .ask(&policy)
        ),
        Cause::Arguments
    );
    assert_eq!(
        cause(
            &Call {
                minute: 700,
                ..Call::args(args)
            }
            .ask(&policy)
        ),
        Cause::Hours
    );
    let user = Call {
        minute: 1,
        kind: "user",
        ..Call::args(r#"{"amount": 1}"#)
    };
    assert_eq!(cause(&user.ask(&policy)), Cause::Other);
}

#[test]
fn conversions_are_made_by_the_host() {
    let allowed = |condition: &str, args: &str| {
        Call::args(args)
            .ask(&policy(vec![when(condition)], ""))
            .is_allow()
    };
    let host = r#"ip(context.args.host).isInRange(ip("10.0.0.0/8"))"#;
    assert!(allowed(host, r#"{"host": "10.1.2.3"}"#));
    assert!(!allowed(host, r#"{"host": "11.1.2.3"}"#));
    assert!(!allowed(host, r#"{"host": "localhost"}"#));
    let price = r#"decimal(context.args.price).lessThanOrEqual(decimal("800.0"))"#;
    assert!(allowed(price, r#"{"price": 799.99}"#) && allowed(price, r#"{"price": 800}"#));
    assert!(!allowed(price, r#"{"price": 800.01}"#) && !allowed(price, r#"{"price": 8e1}"#));
    let file = r#"path(context.args.file) like "/data/*""#;
    assert!(allowed(file, r#"{"file": "/data/./a"}"#));
    assert!(!allowed(file, r#"{"file": "/data/../etc/passwd"}"#));
    assert!(!allowed(file, r#"{"file": "data/a"}"#));
}

#[test]
fn sizes_and_times_are_converted_too() {
    let allowed = |condition: &str, args: &str| {
        Call::args(args)
            .ask(&policy(vec![when(condition)], ""))
            .is_allow()
    };
    let size = "size(context.args.text) <= 3";
    assert!(allowed(size, r#"{"text": "abc"}"#) && !allowed(size, r#"{"text": "abcd"}"#));
    let day = r#"datetime(context.args.at) < context.now && duration(context.args.for) <= duration("1h")"#;
    assert!(allowed(day, r#"{"at": "1969-12-31", "for": "30m"}"#));
    assert!(!allowed(day, r#"{"at": "2999-12-31", "for": "30m"}"#));
    assert!(!allowed(day, r#"{"at": "1969-12-31", "for": "2h"}"#));
}

#[test]
fn sets_and_presence_are_read() {
    let allowed = |condition: &str, args: &str| {
        Call::args(args)
            .ask(&policy(vec![when(condition)], ""))
            .is_allow()
    };
    let tags = r#"["a", "b"].containsAll(context.args.tags)"#;
    assert!(allowed(tags, r#"{"tags": ["b"]}"#) && allowed(tags, r#"{"tags": []}"#));
    assert!(!allowed(tags, r#"{"tags": ["c"]}"#) && !allowed(tags, r#"{"tags": [1]}"#));
    let region = r#"["eu", "us"].contains(context.args["x-region"])"#;
    assert!(allowed(region, r#"{"x-region": "eu"}"#) && !allowed(region, r#"{"x-region": "cn"}"#));
    let absent = "!(context.args has force)";
    assert!(allowed(absent, "{}") && !allowed(absent, r#"{"force": null}"#));
    let nested = "context has args.order.total && context.args.order.total < 5";
    assert!(allowed(nested, r#"{"order": {"total": 1}}"#));
    assert!(!allowed(nested, r#"{"order": {}}"#) && !allowed(nested, r#"{"order": 1}"#));
}

#[test]
fn claims_are_compared_with_arguments() {
    let policy = policy(
        vec![when("context.args.tenant == principal.claims.tenant")],
        "",
    );
    assert_eq!(policy.claims(), ["tenant"]);
    let of = |tenant: &str| Call {
        claims: json!({"tenant": tenant}),
        ..Call::args(r#"{"tenant": "acme"}"#)
    };
    assert!(of("acme").ask(&policy).is_allow());
    assert!(!of("other").ask(&policy).is_allow());
    assert!(!Call::args(r#"{"tenant": "acme"}"#).ask(&policy).is_allow());
}

#[test]
fn one_detail_of_the_right_type_that_holds_is_enough() {
    let row = Row {
        details: Some("flights".to_owned()),
        ..when("context.args.price <= context.details.max")
    };
    let policy = policy(vec![row], "");
    let with = |details: serde_json::Value| Call {
        details,
        ..Call::args(r#"{"price": 700}"#)
    };
    assert!(
        with(json!([{"type": "flights", "max": 500}, {"type": "flights", "max": 800}]))
            .ask(&policy)
            .is_allow()
    );
    assert!(
        !with(json!([{"type": "flights", "max": 500}]))
            .ask(&policy)
            .is_allow()
    );
    assert!(
        !with(json!([{"type": "hotels", "max": 800}]))
            .ask(&policy)
            .is_allow()
    );
    assert!(!with(json!([{"type": "flights"}])).ask(&policy).is_allow());
    assert!(!with(json!([])).ask(&policy).is_allow());
}

#[test]
fn lists_show_what_some_call_may_do() {
    let open = |condition: &str| {
        Call::list()
            .ask(&policy(vec![when(condition)], ""))
            .is_allow()
    };
    assert!(open("context.args.amount <= 100"));
    assert!(open(
        "!(context.args.amount <= 100) || principal.kind == \"user\""
    ));
    assert!(!open(
        "context.args.amount <= 100 && principal.kind == \"user\""
    ));
    assert!(!open("context.minute > 2000"));
    let forbid = |condition: &str| {
        let text = format!("forbid (principal, action, resource is Tool) when {{ {condition} }};");
        Call::list().ask(&policy(vec![refund()], &text)).is_allow()
    };
    assert!(forbid("context.args.amount > 100"));
    assert!(!forbid(
        "context.args.amount > 100 || principal.kind == \"agent\""
    ));
    assert!(!forbid("principal.kind == \"agent\""));
}

#[test]
fn a_scope_is_missing_only_under_a_condition_that_holds() {
    let row = Row {
        scopes: vec!["crm:refund".to_owned()],
        ..when("context.args.amount <= 100")
    };
    let policy = policy(vec![row], "");
    let low = Call::args(r#"{"amount": 1}"#).ask(&policy);
    assert!(
        matches!(low, Answer::Deny(Denial::ScopeMissing { missing, .. }) if missing == ["crm:refund"])
    );
    let high = Call::args(r#"{"amount": 101}"#).ask(&policy);
    assert_eq!(cause(&high), Cause::Arguments);
    let granted = Call {
        scopes: &["crm:refund"],
        ..Call::args(r#"{"amount": 1}"#)
    };
    assert!(granted.ask(&policy).is_allow());
}

#[test]
fn every_attribute_of_the_table_has_a_value() {
    for attribute in ATTRIBUTES {
        let (word, name) = (attribute.owner.word(), attribute.name);
        let condition = format!("{word} has {name} && {word}.{name} == {word}.{name}");
        let answer = Call::no_args().ask(&policy(vec![when(&condition)], ""));
        assert!(answer.is_allow(), "{condition}: {answer:?}");
    }
}
