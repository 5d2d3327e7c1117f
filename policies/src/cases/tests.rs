//! Cases against small policies: what passes, what does not, and how the difference is told.

use super::{Asker, Case, Expected, Refusal, deciding, reached, run};
use crate::answer::{Answer, Cause, Denial, RuleId};
use crate::facts::{Annotations, Moment};
use crate::question::Access;
use crate::roles::Row;
use crate::set::{PolicySet, PolicySource};

fn policy() -> PolicySet {
    let scoped = Row {
        scopes: vec!["crm:refund".to_owned(), "crm:write".to_owned()],
        ..Row::plain("support", "crm", Access::Tool, "refund")
    };
    let rows = vec![Row::plain("support", "crm", Access::Tool, "get_*"), scoped];
    PolicySet::build(PolicySource {
        rows,
        ..PolicySource::default()
    })
    .unwrap()
}

fn case(target: &str, expected: Expected) -> Case {
    Case {
        asker: Asker::with_roles(&["support"]),
        server: "crm".to_owned(),
        access: Access::Tool,
        target: target.to_owned(),
        arguments: None,
        annotations: Annotations::default(),
        moment: Moment {
            unix_millis: 0,
            weekday: 4,
            minute: 0,
        },
        expected,
        missing: None,
        rule: None,
    }
}

fn told(case: &Case) -> Option<String> {
    run(&policy(), case)
        .difference
        .map(|difference| difference.to_string())
}

#[test]
fn a_case_passes_when_the_answer_is_as_expected() {
    assert_eq!(told(&case("get_customer", Expected::Allow)), None);
    assert_eq!(told(&case("delete_customer", Expected::Deny)), None);
    assert_eq!(told(&case("refund", Expected::Deny)), None);
    let missing = Expected::Refusal(Refusal::ScopeMissing);
    assert_eq!(told(&case("refund", missing)), None);
}

#[test]
fn a_case_fails_when_the_decision_or_the_reason_is_another() {
    let differences = [
        ("get_customer", Expected::Deny, "expected deny, got allow"),
        ("refund", Expected::Allow, "expected allow, got deny"),
        (
            "refund",
            Expected::Refusal(Refusal::NotAllowed),
            "expected tool_not_allowed, got insufficient_scope",
        ),
        (
            "get_customer",
            Expected::Refusal(Refusal::Hours),
            "expected outside_hours, got allow",
        ),
    ];
    for (target, expected, difference) in differences {
        assert_eq!(told(&case(target, expected)).as_deref(), Some(difference));
    }
}

#[test]
fn missing_scopes_are_compared_as_a_set() {
    let mut refund = case("refund", Expected::Deny);
    refund.asker.scopes = vec!["crm:write".to_owned()];
    refund.missing = Some(vec!["crm:refund".to_owned()]);
    assert_eq!(told(&refund), None);
    refund.asker.scopes.clear();
    assert_eq!(
        told(&refund).unwrap(),
        "expected the missing scopes `crm:refund`, got `crm:refund crm:write`"
    );
    refund.missing = Some(vec!["crm:write".to_owned(), "crm:refund".to_owned()]);
    assert_eq!(told(&refund), None);
}

#[test]
fn the_rule_that_decided_can_be_demanded() {
    let mut get = case("get_customer", Expected::Allow);
    get.rule = Some("roles.support.crm[0]".to_owned());
    assert_eq!(told(&get), None);
    get.rule = Some("roles.support.crm[1]".to_owned());
    assert_eq!(
        told(&get).unwrap(),
        "expected the rule `roles.support.crm[1]`, got `roles.support.crm[0]`"
    );
    let mut delete = case("delete_customer", Expected::Deny);
    delete.rule = Some("no-deletes".to_owned());
    assert_eq!(
        told(&delete).unwrap(),
        "expected the rule `no-deletes`, got none"
    );
}

#[test]
fn every_denial_has_its_reason_and_its_rules() {
    let rule = RuleId::of_row("support", "crm", 0);
    let unmet = |cause| Denial::Unmet {
        rule: rule.clone(),
        cause,
    };
    let denials = [
        (Denial::NoRule, "tool_not_allowed", 0),
        (unmet(Cause::Arguments), "argument_denied", 1),
        (unmet(Cause::Hours), "outside_hours", 1),
        (unmet(Cause::Other), "tool_not_allowed", 1),
        (
            Denial::Forbidden {
                rules: vec![rule.clone(), rule.clone()],
                cause: Cause::Arguments,
            },
            "argument_denied",
            2,
        ),
    ];
    for (denial, name, rules) in denials {
        assert_eq!(Refusal::of(&denial).name(Access::Tool), name);
        assert_eq!(deciding(&Answer::Deny(denial)).len(), rules);
    }
}

#[test]
fn a_case_reaches_every_rule_that_has_a_say() {
    let rows = vec![
        Row::plain("support", "crm", Access::Tool, "get_*"),
        Row::plain("support", "crm", Access::Tool, "get_customer"),
        Row::plain("support", "crm", Access::Tool, "put_*"),
    ];
    let policy = PolicySet::build(PolicySource {
        rows,
        ..PolicySource::default()
    });
    let policy = policy.unwrap();
    let ids = |target: &str| {
        let mut ids: Vec<_> = reached(&policy, &case(target, Expected::Allow))
            .iter()
            .map(ToString::to_string)
            .collect();
        ids.sort();
        ids.dedup();
        ids
    };
    assert_eq!(
        ids("get_customer"),
        ["roles.support.crm[0]", "roles.support.crm[1]"]
    );
    assert_eq!(ids("delete"), [""; 0]);
}
