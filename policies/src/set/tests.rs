//! Conditions, Cedar policies and terms, decided end to end.

use serde_json::json;

use super::scene::{self, Call, cedar, policy, refund, when};
use crate::answer::{Answer, Cause, Denial};
use crate::limit::Limit;
use crate::roles::Row;
use crate::tier::Tier;

fn cause(answer: &Answer) -> Cause {
    match answer {
        Answer::Deny(Denial::Unmet { cause, .. } | Denial::Forbidden { cause, .. }) => *cause,
        other => panic!("a condition should decide: {other:?}"),
    }
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
fn approval_is_asked_for_unless_another_rule_allows() {
    let high = Row {
        tier: Some(Tier::High),
        ..refund()
    };
    let asking = policy(vec![high.clone()], "");
    let answer = Call::no_args().ask(&asking);
    assert!(
        matches!(&answer, Answer::Deny(Denial::ApprovalRequired { grant, .. }) if grant.tier == Tier::High)
    );
    let free = policy(vec![high, when("context.args.amount < 5")], "");
    assert!(Call::args(r#"{"amount": 1}"#).ask(&free).is_allow());
    assert!(matches!(
        Call::args(r#"{"amount": 9}"#).ask(&free),
        Answer::Deny(Denial::ApprovalRequired { .. })
    ));
    let text =
        r#"@advice("approval") @by("owners") @ttl("10m") permit (principal, action, resource);"#;
    let Answer::Deny(Denial::ApprovalRequired { ask, .. }) =
        Call::no_args().ask(&policy(Vec::new(), text))
    else {
        panic!("a human should be asked");
    };
    assert_eq!(
        (ask.by.as_str(), ask.ttl.map(|ttl| ttl.as_secs())),
        ("owners", Some(600))
    );
}

#[test]
fn budgets_of_all_rules_that_allow_are_charged() {
    let limited = |text: &str, row: Row| Row {
        limits: vec![Limit::parse(text).unwrap()],
        ..row
    };
    let rows = vec![
        limited("10/hour", refund()),
        limited(
            "sum(args.amount) <= 500/day",
            when("context.args.amount < 100"),
        ),
    ];
    let policy = policy(rows, "");
    let Answer::Allow(grant) = Call::args(r#"{"amount": 70}"#).ask(&policy) else {
        panic!("should be allowed")
    };
    let amounts: Vec<_> = grant.charges.iter().map(|charge| charge.amount).collect();
    assert_eq!(amounts, [1, 70]);
}

#[test]
fn a_sum_of_nothing_denies() {
    let row = Row {
        limits: vec![Limit::parse("sum(args.amount) <= 500/day").unwrap()],
        ..refund()
    };
    let policy = policy(vec![row], "");
    for args in [
        "{}",
        r#"{"amount": -1}"#,
        r#"{"amount": 1.5}"#,
        r#"{"amount": "5"}"#,
    ] {
        assert_eq!(
            cause(&Call::args(args).ask(&policy)),
            Cause::Arguments,
            "{args}"
        );
    }
    assert!(Call::list().ask(&policy).is_allow());
}

#[test]
fn annotations_mean_what_row_keys_mean() {
    let text = r#"@id("m") @scopes("a b") @tier("medium") @limit("5/day,1/minute") @message("ask first")
        permit (principal, action, resource == Tool::"crm/refund");"#;
    let policy = policy(Vec::new(), text);
    let denied = Call {
        scopes: &["a"],
        ..Call::no_args()
    }
    .ask(&policy);
    assert!(
        matches!(denied, Answer::Deny(Denial::ScopeMissing { missing, .. }) if missing == ["b"])
    );
    let Answer::Allow(grant) = Call {
        scopes: &["a", "b"],
        ..Call::no_args()
    }
    .ask(&policy) else {
        panic!("should be allowed")
    };
    assert_eq!(
        (grant.tier, grant.charges.len(), grant.scopes.len()),
        (Tier::Medium, 2, 2)
    );
    assert_eq!(
        policy.rules()[0].terms.message.as_deref(),
        Some("ask first")
    );
    assert!(
        !Call {
            tool: "other",
            scopes: &["a", "b"],
            ..Call::no_args()
        }
        .ask(&policy)
        .is_allow()
    );
}

#[test]
fn a_name_that_could_be_read_as_another_matches_no_broad_permit() {
    let policy = policy(Vec::new(), "permit (principal, action, resource);");
    assert!(Call::no_args().ask(&policy).is_allow());
    assert!(
        !Call {
            tool: "re fund",
            ..Call::no_args()
        }
        .ask(&policy)
        .is_allow()
    );
}

#[test]
fn what_does_not_check_does_not_load() {
    for condition in [
        "context.args.amount",
        "context.args.amount <= 100 &&",
        "context.minutes > 5",
        "context.args.x",
        "context.minute > \"9\"",
        "context.args.a > 1 && context.args.a like \"b\"",
        "context.args.a.isInRange(ip(\"10.0.0.0/8\"))",
        "context.details.max > 1",
        "true } when { false",
        "context.acr == \"x\"",
        "resource.read_only == 1",
        "context.__0 == 1",
        "path(\"/a\") == \"b\"",
        "1",
        "",
    ] {
        let built = scene::build(vec![when(condition)], Vec::new());
        if condition == "context.args.x" || condition == "context.args.amount" {
            assert!(
                built.is_ok(),
                "{condition}: a bare argument is true or false"
            );
        } else {
            assert!(built.is_err(), "{condition} should not load");
        }
    }
    for text in [
        "permit (principal, action, resource)",
        "permit (principal, action == Action::\"tools/cal\", resource);",
        "@scope(\"a\") permit (principal, action, resource);",
        "@limit(\"5/day\") forbid (principal, action, resource);",
        "permit (principal == ?principal, action, resource);",
        "@id(\"a\") permit (principal, action, resource); @id(\"a\") forbid (principal, action, resource);",
        "permit (principal, action, resource) when { resource.read_only };",
        "nonsense",
    ] {
        assert!(
            scene::build(Vec::new(), cedar(text)).is_err(),
            "{text} should not load"
        );
    }
}
