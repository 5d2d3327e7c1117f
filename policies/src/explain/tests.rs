//! What an explanation says of rules that apply, and of those that do not.

use super::Obstacle;
use crate::answer::RuleId;
use crate::roles::Row;
use crate::rule::Effect;
use crate::set::scene::{Call, policy, refund, when};
use crate::value::Lack;

fn obstacles(call: &Call<'_>, rows: Vec<Row>, text: &str) -> Vec<Vec<Obstacle>> {
    let explanation = call.explain(&policy(rows, text));
    let considered = explanation.considered.into_iter();
    considered.map(|rule| rule.obstacles).collect()
}

fn text(obstacle: &Obstacle) -> &str {
    let Obstacle::Clause { text, .. } = obstacle else {
        panic!("a clause should be false: {obstacle:?}");
    };
    text
}

fn lacking(obstacle: &Obstacle) -> Vec<(String, Lack)> {
    let Obstacle::Unknown { lacks, .. } = obstacle else {
        panic!("a clause should be unknown: {obstacle:?}");
    };
    lacks.clone()
}

#[test]
fn every_false_part_of_a_condition_is_told() {
    let row = when(
        "context.args.amount <= 100 && (context.minute < 60 || context.minute > 1200) && principal.kind == \"agent\"",
    );
    let found = obstacles(&Call::args(r#"{"amount": 500}"#), vec![row], "");
    let texts: Vec<_> = found[0].iter().map(text).collect();
    assert_eq!(
        texts,
        [
            "context.args.amount <= 100",
            "context.minute < 60 || context.minute > 1200"
        ]
    );
}

#[test]
fn what_is_missing_or_mistyped_is_named() {
    let row = when("context.args.a > 1 && context.args.b > 1 && principal.claims.c == 1");
    let found = obstacles(&Call::args(r#"{"a": "2", "b": 2}"#), vec![row], "");
    let lacks: Vec<_> = found[0].iter().map(lacking).collect();
    let named = |text: &str, lack| vec![(text.to_owned(), lack)];
    assert_eq!(
        lacks,
        [
            named("context.args.a", Lack::Mistyped),
            named("principal.claims.c", Lack::Missing),
        ]
    );
}

#[test]
fn the_nearest_rule_is_the_one_with_the_fewest_obstacles() {
    let other = Row {
        role: "admin".to_owned(),
        scopes: vec!["x".to_owned()],
        ..refund()
    };
    let scoped = Row {
        scopes: vec!["crm:refund".to_owned()],
        ..refund()
    };
    let elsewhere = Row {
        pattern: "get_*".to_owned(),
        ..refund()
    };
    let set = policy(vec![other, elsewhere, scoped], "");
    let explanation = Call::no_args().explain(&set);
    assert_eq!(explanation.nearest, Some(2));
    assert_eq!(
        explanation.considered[2].obstacles,
        [Obstacle::Scopes {
            missing: vec!["crm:refund".to_owned()]
        }]
    );
    assert_eq!(
        explanation.considered[0].obstacles[0],
        Obstacle::Role {
            role: "admin".to_owned()
        }
    );
    assert_eq!(
        explanation.considered[1].obstacles,
        [Obstacle::Name {
            pattern: "get_*".to_owned()
        }]
    );
    assert_eq!(explanation.applied().count(), 0);
}

#[test]
fn rules_that_apply_are_named_with_those_that_forbid() {
    let text = "@id(\"never\") forbid (principal, action, resource) when { context.minute > 100 };";
    let set = policy(vec![refund()], text);
    let explanation = Call::no_args().explain(&set);
    let applied: Vec<_> = explanation.applied().map(RuleId::as_str).collect();
    assert_eq!(applied, ["roles.support.crm[0]", "never"]);
    assert_eq!(explanation.considered[1].effect, Effect::Forbid);
    assert!(!explanation.answer.is_allow());
}

#[test]
fn a_token_without_a_detail_of_the_type_lacks_it() {
    let row = Row {
        details: Some("flights".to_owned()),
        ..when("context.details.max > 1")
    };
    let found = obstacles(&Call::no_args(), vec![row], "");
    assert_eq!(
        found[0],
        [Obstacle::Details {
            kind: "flights".to_owned()
        }]
    );
}
