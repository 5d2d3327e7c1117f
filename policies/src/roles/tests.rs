//! The allowlist against examples and against an obvious model.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::Row;
use crate::answer::{Answer, Denial};
use crate::error::{FaultKind, Origin, PolicyFault};
use crate::pattern::{Pattern, is_plain};
use crate::question::{Access, Question};
use crate::set::{PolicySet, PolicySource};

/// A set that is never asked for facts.
#[derive(Debug)]
struct Table(PolicySet);

impl Table {
    fn build(rows: Vec<Row>) -> Result<Self, Vec<PolicyFault>> {
        let cedar = Vec::new();
        PolicySet::build(PolicySource { rows, cedar }).map(Self)
    }

    fn decide(&self, question: &Question<'_>) -> Answer {
        self.0
            .decide(question, || unreachable!("no row has a condition"))
    }
}

fn row(role: &str, access: Access, pattern: &str, scopes: &[&str]) -> Row {
    Row {
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        ..Row::plain(role, "crm", access, pattern)
    }
}

fn tool(role: &str, pattern: &str) -> Row {
    row(role, Access::Tool, pattern, &[])
}

fn table(rows: Vec<Row>) -> Table {
    Table::build(rows).unwrap()
}

fn ask<'a>(
    roles: &'a [&'a str],
    access: Access,
    name: &'a str,
    scopes: &'a [&'a str],
) -> Question<'a> {
    Question {
        server: "crm",
        roles,
        access,
        name,
        scopes,
    }
}

fn rule(answer: &Answer) -> String {
    match answer {
        Answer::Allow(grant) => grant.rule.to_string(),
        Answer::Deny(denial) => panic!("should be allowed, is {denial:?}"),
    }
}

const NO_RULE: Answer = Answer::Deny(Denial::NoRule);

#[test]
fn the_empty_table_denies() {
    assert_eq!(
        table(Vec::new()).decide(&ask(&["analyst"], Access::Tool, "get", &[])),
        NO_RULE
    );
}

#[test]
fn a_role_that_no_row_names_grants_nothing() {
    let table = table(vec![tool("analyst", "*")]);
    assert_eq!(
        table.decide(&ask(&["guest"], Access::Tool, "get", &[])),
        NO_RULE
    );
    assert_eq!(table.decide(&ask(&[], Access::Tool, "get", &[])), NO_RULE);
    assert!(
        table
            .decide(&ask(&["analyst"], Access::Tool, "get", &[]))
            .is_allow()
    );
}

#[test]
fn a_row_counts_for_its_own_server_only() {
    let mut star = tool("analyst", "*");
    star.server = "*".to_owned();
    let table = table(vec![star, tool("analyst", "get")]);
    let elsewhere = Question {
        server: "erp",
        ..ask(&["analyst"], Access::Tool, "get", &[])
    };
    assert_eq!(table.decide(&elsewhere), NO_RULE);
    assert!(
        table
            .decide(&ask(&["analyst"], Access::Tool, "get", &[]))
            .is_allow()
    );
}

#[test]
fn a_row_counts_for_its_own_kind_only() {
    let table = table(vec![
        tool("analyst", "*"),
        row("analyst", Access::Prompt, "summarise", &[]),
    ]);
    assert_eq!(
        table.decide(&ask(&["analyst"], Access::Prompt, "get", &[])),
        NO_RULE
    );
    assert_eq!(
        table.decide(&ask(&["analyst"], Access::Resource, "get", &[])),
        NO_RULE
    );
    assert!(
        table
            .decide(&ask(&["analyst"], Access::Prompt, "summarise", &[]))
            .is_allow()
    );
}

#[test]
fn several_roles_add_up() {
    let table = table(vec![tool("reader", "get_*"), tool("writer", "put_*")]);
    for name in ["get_a", "put_a"] {
        assert!(
            table
                .decide(&ask(&["reader", "writer"], Access::Tool, name, &[]))
                .is_allow()
        );
    }
}

#[test]
fn rule_ids_count_within_their_role_and_server() {
    let table = table(vec![
        tool("a", "x"),
        tool("support", "get_*"),
        tool("support", "refund"),
    ]);
    assert_eq!(
        rule(&table.decide(&ask(&["support"], Access::Tool, "refund", &[]))),
        "roles.support.crm[1]"
    );
    assert_eq!(
        rule(&table.decide(&ask(&["support"], Access::Tool, "get_a", &[]))),
        "roles.support.crm[0]"
    );
}

#[test]
fn an_exact_row_is_named_before_a_glob() {
    let table = table(vec![tool("support", "*"), tool("support", "refund")]);
    assert_eq!(
        rule(&table.decide(&ask(&["support"], Access::Tool, "refund", &[]))),
        "roles.support.crm[1]"
    );
}

#[test]
fn q06_odd_tool_names_need_a_row_that_spells_them_out() {
    let table = table(vec![tool("support", "*"), tool("support", "run report")]);
    assert!(
        table
            .decide(&ask(&["support"], Access::Tool, "run report", &[]))
            .is_allow()
    );
    assert_eq!(
        table.decide(&ask(&["support"], Access::Tool, "run reports", &[])),
        NO_RULE
    );
    assert_eq!(
        table.decide(&ask(&["support"], Access::Tool, "", &[])),
        NO_RULE
    );
}

#[test]
fn odd_uris_need_a_row_that_spells_them_out() {
    let rows = ["file:///srv/**", "file:///srv/a%20b"]
        .map(|uri| row("support", Access::Resource, uri, &[]));
    let table = table(rows.to_vec());
    let decide = |uri| table.decide(&ask(&["support"], Access::Resource, uri, &[]));
    assert!(decide("file:///srv/a/b").is_allow());
    assert!(decide("file:///srv/a%20b").is_allow());
    assert_eq!(decide("file:///srv/a%20c"), NO_RULE);
    assert_eq!(decide("file:///srv/../etc/passwd"), NO_RULE);
}

#[test]
fn a_missing_scope_is_named_and_having_it_allows() {
    let table = table(vec![row(
        "support",
        Access::Tool,
        "refund",
        &["crm:read", "crm:refund"],
    )]);
    let answer = table.decide(&ask(&["support"], Access::Tool, "refund", &["crm:read"]));
    let Answer::Deny(Denial::ScopeMissing {
        missing,
        rule: needed,
    }) = answer
    else {
        panic!("a scope is missing: {answer:?}");
    };
    assert_eq!(missing, ["crm:refund"]);
    assert_eq!(needed.as_str(), "roles.support.crm[0]");
    assert!(
        table
            .decide(&ask(
                &["support"],
                Access::Tool,
                "refund",
                &["crm:refund", "crm:read"]
            ))
            .is_allow()
    );
}

#[test]
fn the_smallest_set_of_missing_scopes_is_told() {
    let table = table(vec![
        row("support", Access::Tool, "refund", &["a", "b"]),
        row("support", Access::Tool, "re*", &["c"]),
    ]);
    let answer = table.decide(&ask(&["support"], Access::Tool, "refund", &[]));
    assert!(
        matches!(answer, Answer::Deny(Denial::ScopeMissing { missing, .. }) if missing == ["c"])
    );
}

#[test]
fn all_faults_are_reported_with_their_rows() {
    let faults = Table::build(vec![
        tool("a", ""),
        tool("a", "fine"),
        tool("a", "get_[ab]"),
    ])
    .unwrap_err();
    assert_eq!(
        faults
            .iter()
            .map(|fault| fault.origin.clone())
            .collect::<Vec<_>>(),
        [Origin::Row(0), Origin::Row(2)]
    );
    assert_eq!(faults[0].kind, FaultKind::EmptyPattern);
    assert!(faults[1].to_string().contains("`[`"), "{}", faults[1]);
}

#[test]
fn exact_tools_are_listed_once_and_without_globs() {
    let rows = vec![
        tool("b", "refund"),
        tool("a", "refund"),
        tool("a", "get_*"),
        tool("a", "add"),
    ];
    let table = table([rows, vec![row("a", Access::Prompt, "summarise", &[])]].concat());
    assert_eq!(
        table.0.exact_tools("crm").collect::<Vec<_>>(),
        ["add", "refund"]
    );
    assert_eq!(table.0.exact_tools("erp").count(), 0);
}

/// What a table means, said as plainly as possible.
fn obvious(rows: &[Row], question: &Question<'_>) -> bool {
    rows.iter().any(|row| {
        let is_about = row.server == question.server
            && row.access == question.access
            && question.roles.contains(&row.role.as_str());
        let names_it = match Pattern::parse(row.access, &row.pattern).unwrap() {
            Pattern::Exact => row.pattern == question.name,
            Pattern::Glob(glob) => {
                let tail = question.name.strip_prefix(glob.prefix());
                is_plain(row.access, question.name)
                    && tail.is_some_and(|tail| glob.matches_after_prefix(tail))
            }
        };
        is_about
            && names_it
            && row
                .scopes
                .iter()
                .all(|scope| question.scopes.contains(&scope.as_str()))
    })
}

fn any_access() -> impl Strategy<Value = Access> {
    prop_oneof![
        Just(Access::Tool),
        Just(Access::Prompt),
        Just(Access::Resource)
    ]
}

fn any_row() -> impl Strategy<Value = Row> {
    (
        any_access(),
        "[ab]",
        "[st]",
        "[xy/*?]{1,4}",
        proptest::collection::vec("[pq]", 0..3),
    )
        .prop_map(|(access, role, server, pattern, scopes)| Row {
            scopes,
            ..Row::plain(&role, &server, access, &pattern)
        })
}

#[derive(Debug)]
struct Asked {
    server: String,
    roles: Vec<&'static str>,
    access: Access,
    name: String,
    scopes: Vec<&'static str>,
}

impl Asked {
    fn question(&self) -> Question<'_> {
        Question {
            server: &self.server,
            roles: &self.roles,
            access: self.access,
            name: &self.name,
            scopes: &self.scopes,
        }
    }
}

fn any_question() -> impl Strategy<Value = Asked> {
    let roles = proptest::sample::subsequence(vec!["a", "b", "c"], 0..=3);
    let scopes = proptest::sample::subsequence(vec!["p", "q"], 0..=2);
    ("[st]", roles, any_access(), "[xy/]{0,4}", scopes).prop_map(
        |(server, roles, access, name, scopes)| Asked {
            server,
            roles,
            access,
            name,
            scopes,
        },
    )
}

fn any_rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec(any_row(), 0..12)
}

proptest! {
    #[test]
    fn a_decision_is_what_the_obvious_model_says(rows in any_rows(), asked in any_question()) {
        let expected = obvious(&rows, &asked.question());
        assert_eq!(table(rows).decide(&asked.question()).is_allow(), expected);
    }

    #[test]
    fn taking_a_row_away_never_adds_access(rows in any_rows(), at in any::<proptest::sample::Index>(), asked in any_question()) {
        proptest::prop_assume!(!rows.is_empty());
        let mut fewer = rows.clone();
        fewer.remove(at.index(rows.len()));
        if table(fewer).decide(&asked.question()).is_allow() {
            assert!(table(rows).decide(&asked.question()).is_allow(), "a row took access away");
        }
    }

    #[test]
    fn the_order_of_roles_is_irrelevant(rows in any_rows(), asked in any_question()) {
        let table = table(rows);
        let mut turned = asked.roles.clone();
        turned.reverse();
        let again = Question { roles: &turned, ..asked.question() };
        assert_eq!(table.decide(&asked.question()), table.decide(&again));
    }

    #[test]
    fn the_order_of_rows_changes_no_access(rows in any_rows(), asked in any_question()) {
        let mut turned = rows.clone();
        turned.reverse();
        assert_eq!(
            table(rows).decide(&asked.question()).is_allow(),
            table(turned).decide(&asked.question()).is_allow()
        );
    }
}
