//! What else rules say when they allow: scopes, approval, tiers, budgets.

use super::cause;
use crate::answer::{Answer, Cause, Denial};
use crate::limit::Limit;
use crate::roles::Row;
use crate::set::scene::{Call, policy, refund, when};
use crate::tier::Tier;

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
