//! Small policies, and what is found in them.

use super::{LintKind, arguments, lint, matched};
use crate::answer::Approval;
use crate::attribute::Type;
use crate::limit::Limit;
use crate::question::Access;
use crate::roles::Row;
use crate::set::{CedarFile, PolicySet, PolicySource};
use crate::tier::Tier;

fn found(rows: Vec<Row>) -> Vec<(usize, LintKind)> {
    let policy = PolicySet::build(PolicySource {
        rows,
        ..PolicySource::default()
    });
    let found = lint(&policy.unwrap());
    found
        .into_iter()
        .map(|lint| (lint.rule, lint.kind))
        .collect()
}

fn when(condition: &str) -> Row {
    Row {
        when: Some(condition.to_owned()),
        ..tool("x")
    }
}

#[test]
fn a_condition_that_is_never_true_is_found() {
    for never in [
        "false",
        "1 > 2 && context.args.amount < 5",
        "context.args.amount < 5 && !(true || 1 > 2)",
    ] {
        assert_eq!(
            found(vec![when(never)]),
            [(0, LintKind::NeverTrue)],
            "{never}"
        );
    }
    for may in ["context.args.amount < 5", "context.weekday <= 5", "1 < 2"] {
        assert_eq!(found(vec![when(may)]), [], "{may}");
    }
}

#[test]
fn hours_that_never_come_are_found() {
    for never in [
        "context.weekday > 7",
        "context.minute >= 1020 && context.minute < 540",
        "context.args.amount < 5 && context.weekday > 5 && context.weekday < 6",
        "context.minute >= 17 * 60 && context.minute < 9 * 60",
        "!(context.minute < 1440)",
    ] {
        assert_eq!(
            found(vec![when(never)]),
            [(0, LintKind::NeverThen)],
            "{never}"
        );
    }
    for may in [
        "context.minute >= 540 && context.minute < 1020",
        "context.minute >= 9 * 60 && context.minute < 9 * 60 + 1",
        "context.minute < 1 && context.weekday == 7",
        "context.weekday > 7 || context.args.amount < 5",
        "context.minute >= 1020 || context.minute < 540",
    ] {
        assert_eq!(found(vec![when(may)]), [], "{may}");
    }
}

#[test]
fn z01_a_cedar_policy_that_allows_anybody_anything_is_found() {
    let found = |text: &str| {
        let cedar = vec![CedarFile {
            name: "a.cedar".to_owned(),
            text: text.to_owned(),
        }];
        let policy = PolicySet::build(PolicySource {
            cedar,
            ..PolicySource::default()
        });
        lint(&policy.unwrap())
            .into_iter()
            .map(|lint| lint.kind)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("permit (principal, action, resource);"),
        [LintKind::AllowsEverything]
    );
    for fine in [
        "forbid (principal, action, resource);",
        "@scopes(\"all\") permit (principal, action, resource);",
        "permit (principal in Role::\"a\", action, resource);",
        "permit (principal == Principal::\"a#b\", action, resource);",
        "permit (principal, action, resource) when { context.weekday < 6 };",
    ] {
        assert_eq!(found(fine), [], "{fine}");
    }
    assert_eq!(
        found("forbid (principal, action, resource) when { 1 > 2 };"),
        [LintKind::NeverTrue]
    );
}

#[test]
fn the_arguments_that_a_condition_reads_can_be_listed() {
    let rows = vec![when(
        "context.args.amount <= 5 && context.args.order.id like \"a*\" && context.args has note",
    )];
    let policy = PolicySet::build(PolicySource {
        rows,
        ..PolicySource::default()
    });
    let policy = policy.unwrap();
    let read = arguments(&policy, &policy.rules()[0]);
    let told: Vec<_> = read
        .iter()
        .map(|argument| (argument.path.join("."), argument.kind))
        .collect();
    let expected = [
        ("amount".to_owned(), Some(Type::Long)),
        ("order.id".to_owned(), Some(Type::String)),
        ("note".to_owned(), None),
    ];
    assert_eq!(told, expected);
}

fn tool(pattern: &str) -> Row {
    Row::plain("a", "crm", Access::Tool, pattern)
}

fn scoped(pattern: &str, scopes: &[&str]) -> Row {
    Row {
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..tool(pattern)
    }
}

#[test]
fn rows_that_mean_what_they_say_are_left_in_peace() {
    let approved = Row {
        approval: Some(Approval {
            by: "owners".to_owned(),
            ttl: None,
        }),
        ..tool("*")
    };
    let rows = vec![
        tool("get_*"),
        tool("put_*"),
        tool("x"),
        scoped("*", &["all"]),
        approved,
        Row::plain("b", "crm", Access::Tool, "get_*"),
        Row::plain("a", "other", Access::Tool, "get_*"),
        Row::plain("a", "crm", Access::Prompt, "get_*"),
        Row::plain("a", "crm", Access::Resource, "crm://customers/*"),
    ];
    assert_eq!(found(rows), []);
}

#[test]
fn z01_a_row_that_allows_everything_is_found() {
    for row in [
        tool("*"),
        tool("**"),
        Row::plain("a", "crm", Access::Resource, "**"),
    ] {
        assert_eq!(found(vec![row]), [(0, LintKind::AllowsEverything)]);
    }
}

#[test]
fn a_row_that_another_one_covers_is_found() {
    let approved = Row {
        approval: Some(Approval {
            by: "owners".to_owned(),
            ttl: None,
        }),
        ..tool("get_secret")
    };
    let rows = vec![
        tool("get_customer"),
        tool("get_*"),
        scoped("get_order", &["s"]),
        approved,
        scoped("put_*", &["s"]),
        tool("put_x"),
        scoped("put_y", &["t"]),
        tool("get_*"),
    ];
    assert_eq!(
        found(rows),
        [
            (0, LintKind::Shadowed(1)),
            (2, LintKind::Shadowed(1)),
            (3, LintKind::Shadowed(1)),
            (7, LintKind::Repeated(1)),
        ]
    );
}

#[test]
fn a_row_whose_terms_count_beside_a_wider_one_is_left_in_peace() {
    let tiered = |tier| Row {
        tier: Some(tier),
        ..tool("get_x")
    };
    let rows = |tier| vec![tool("get_*"), tiered(tier)];
    assert_eq!(found(rows(Tier::Medium)), []);
    assert_eq!(found(rows(Tier::High)), [(1, LintKind::Shadowed(0))]);
    assert_eq!(found(rows(Tier::Low)), [(1, LintKind::Shadowed(0))]);
    let limited = Row {
        limits: vec![Limit::parse("10/hour").unwrap()],
        ..tool("get_x")
    };
    assert_eq!(found(vec![tool("get_*"), limited.clone()]), []);
    assert_eq!(found(vec![limited, tool("get_x")]), []);
}

#[test]
fn z01_a_pattern_that_no_name_can_match_is_found() {
    let rows = vec![
        tool("get customer*"),
        tool("get customer"),
        Row::plain("a", "crm", Access::Resource, "crm://%2e/*"),
        Row::plain("a", "crm", Access::Prompt, "a b*"),
    ];
    assert_eq!(
        found(rows),
        [(0, LintKind::MatchesNoName), (2, LintKind::MatchesNoName)]
    );
}

#[test]
fn z01_what_a_pattern_matches_can_be_listed() {
    let names = ["get_a", "Get_a", "get_", "xget_a", "get_a b"];
    assert_eq!(matched(&tool("get_*"), names), ["get_a", "get_"]);
    assert_eq!(matched(&tool("get_a b"), names), ["get_a b"]);
}
