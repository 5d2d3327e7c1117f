//! What must hold of every policy: the rows mean what they mean as Cedar policies, nothing is allowed by default,
//! permits only add and forbids only take away, and lists show what may be called.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet as CedarPolicies,
    Request, RestrictedExpression,
};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::Index;

use crate::question::Access;
use crate::roles::Row;
use crate::set::PolicySet;
use crate::set::scene::{Call, build, cedar};

/// Conditions that look at no argument.
const WITHOUT_ARGUMENTS: [&str; 4] = [
    "principal.kind == \"agent\"",
    "context.minute < 720",
    "context.scopes.contains(\"p\")",
    "resource.name like \"*x\" || principal in Role::\"a\"",
];

/// Conditions that do.
const WITH_ARGUMENTS: [&str; 4] = [
    "context.args.n <= 5",
    "context.args has n && context.args.n > 1",
    "!(context.args.s like \"a*\") || context.minute < 720",
    "context.args.n == 3 && principal.kind == \"user\"",
];

#[derive(Debug, Clone)]
struct World {
    rows: Vec<Row>,
    policies: Vec<String>,
}

impl World {
    fn build(&self) -> PolicySet {
        build(self.rows.clone(), cedar(&self.policies.concat()))
            .unwrap_or_else(|faults| panic!("should load: {faults:?}"))
    }

    /// The same without conditions on arguments.
    fn without_arguments(mut self) -> Self {
        let looks = |text: &str| text.contains("context.args");
        self.rows
            .retain(|row| !row.when.as_deref().is_some_and(looks));
        self.policies.retain(|text| !looks(text));
        self
    }
}

#[derive(Debug, Clone)]
struct Asked {
    server: String,
    roles: Vec<&'static str>,
    scopes: Vec<&'static str>,
    tool: String,
    arguments: &'static str,
    kind: &'static str,
    minute: u16,
}

impl Asked {
    fn call(&self) -> Call<'_> {
        Call {
            server: &self.server,
            tool: &self.tool,
            roles: &self.roles,
            scopes: &self.scopes,
            kind: self.kind,
            minute: self.minute,
            ..Call::args(self.arguments)
        }
    }

    fn is_allowed(&self, policy: &PolicySet) -> bool {
        self.call().ask(policy).is_allow()
    }

    fn is_shown(&self, policy: &PolicySet) -> bool {
        let list = Call {
            arguments: Call::list().arguments,
            ..self.call()
        };
        list.ask(policy).is_allow()
    }
}

fn any_condition() -> impl Strategy<Value = &'static str> {
    proptest::sample::select([WITHOUT_ARGUMENTS, WITH_ARGUMENTS].concat())
}

fn any_row() -> impl Strategy<Value = Row> {
    (
        "[ab]",
        "[st]",
        "[xy*]{1,3}",
        proptest::collection::vec("[pq]", 0..2),
        proptest::option::of(any_condition()),
    )
        .prop_map(|(role, server, pattern, scopes, when)| Row {
            scopes,
            when: when.map(str::to_owned),
            ..Row::plain(&role, &server, Access::Tool, &pattern)
        })
}

fn any_policy(effect: &'static str) -> impl Strategy<Value = String> {
    let scope = prop_oneof![
        Just("principal, action, resource is Tool"),
        Just("principal in Role::\"a\", action == Action::\"tools/call\", resource"),
        Just("principal, action in Action::\"use\", resource in Server::\"s\""),
        Just("principal is Principal in Role::\"b\", action, resource == Tool::\"t/x\""),
    ];
    let clause = prop_oneof![Just("when"), Just("unless")];
    // Not every condition fits every scope: those of tools alone are for tools.
    (scope, clause, any_condition()).prop_map(move |(scope, clause, condition)| {
        format!("{effect} ({scope}) {clause} {{ {condition} }};\n")
    })
}

fn any_world() -> impl Strategy<Value = World> {
    let policy = prop_oneof![any_policy("permit"), any_policy("forbid")];
    (
        proptest::collection::vec(any_row(), 0..6),
        proptest::collection::vec(policy, 0..4),
    )
        .prop_map(|(rows, policies)| World { rows, policies })
}

fn any_asked() -> impl Strategy<Value = Asked> {
    let roles = proptest::sample::subsequence(vec!["a", "b"], 0..=2);
    let scopes = proptest::sample::subsequence(vec!["p", "q"], 0..=2);
    let arguments = proptest::sample::select(vec![
        "{}",
        r#"{"n": 3}"#,
        r#"{"n": 9, "s": "ab"}"#,
        r#"{"n": "3", "s": 1}"#,
        r#"{"s": "zz"}"#,
    ]);
    let kind = proptest::sample::select(vec!["user", "agent"]);
    (
        "[st]",
        roles,
        scopes,
        "[xy]{1,3}",
        arguments,
        kind,
        0_u16..1440,
    )
        .prop_map(
            |(server, roles, scopes, tool, arguments, kind, minute)| Asked {
                server,
                roles,
                scopes,
                tool,
                arguments,
                kind,
                minute,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn z03_the_empty_policy_and_a_policy_of_forbids_allow_nothing(asked in any_asked(), forbids in proptest::collection::vec(any_policy("forbid"), 0..3)) {
        let world = World { rows: Vec::new(), policies: forbids };
        assert!(!asked.is_allowed(&world.build()));
        assert!(!asked.is_shown(&world.build()));
    }

    #[test]
    fn taking_a_permit_away_never_adds_access(world in any_world(), permit in any_policy("permit"), row in any_row(), asked in any_asked()) {
        let mut more = world.clone();
        more.policies.push(permit);
        more.rows.push(row);
        if asked.is_allowed(&world.build()) {
            assert!(asked.is_allowed(&more.build()), "a permit took access away");
        }
    }

    #[test]
    fn z03_adding_a_forbid_never_adds_access(world in any_world(), forbid in any_policy("forbid"), at in any::<Index>(), asked in any_asked()) {
        let mut more = world.clone();
        more.policies.insert(at.index(world.policies.len() + 1), forbid);
        if asked.is_allowed(&more.build()) {
            assert!(asked.is_allowed(&world.build()), "a forbid gave access");
        }
    }

    #[test]
    fn a_list_shows_all_that_may_be_called_and_without_conditions_on_arguments_nothing_else(world in any_world(), asked in any_asked()) {
        if asked.is_allowed(&world.build()) {
            assert!(asked.is_shown(&world.build()), "a call passes that no list shows");
        }
        let plain = world.without_arguments().build();
        assert_eq!(asked.is_shown(&plain), asked.is_allowed(&plain));
    }

    #[test]
    fn the_order_of_rules_changes_no_access(world in any_world(), asked in any_asked()) {
        let mut turned = world.clone();
        turned.rows.reverse();
        turned.policies.reverse();
        assert_eq!(asked.is_allowed(&world.build()), asked.is_allowed(&turned.build()));
    }

    #[test]
    fn an_explanation_has_the_answer_of_the_decision_and_names_who_made_it(world in any_world(), asked in any_asked()) {
        let policy = world.build();
        let explanation = asked.call().explain(&policy);
        assert_eq!(explanation.answer, asked.call().ask(&policy));
        for rule in &explanation.considered {
            assert_eq!(rule.applies, rule.obstacles.is_empty(), "{rule:?}");
        }
        if explanation.answer.is_allow() {
            assert!(explanation.applied().count() > 0);
        }
    }

    #[test]
    fn the_index_answers_as_cedar_does_with_the_rows_written_out(rows in proptest::collection::vec(any_row(), 0..6), asked in any_asked()) {
        let mut rows = rows;
        for row in &mut rows {
            row.when = row.when.take().filter(|when| WITHOUT_ARGUMENTS.contains(&when.as_str()));
        }
        let policy = build(rows.clone(), Vec::new()).unwrap();
        assert_eq!(asked.is_allowed(&policy), cedar_allows(&rows, &asked), "{rows:?}");
    }
}

/// Rows as Cedar policies, every demand in Cedar's own words.
fn written_out(rows: &[Row]) -> String {
    let policies = rows.iter().map(|row| {
        let scopes: Vec<_> = row.scopes.iter().map(|scope| format!("\"{scope}\"")).collect();
        let held = if scopes.is_empty() {
            String::new()
        } else {
            format!("when {{ context.scopes.containsAll([{}]) }}", scopes.join(", "))
        };
        format!(
            "permit (principal in Role::\"{}\", action in Action::\"use\", resource is Tool in Server::\"{}\")\n\
             when {{ resource.name like \"{}\" }} {held} when {{ {} }};\n",
            row.role,
            row.server,
            row.pattern,
            row.when.as_deref().unwrap_or("true")
        )
    });
    policies.collect()
}

fn cedar_allows(rows: &[Row], asked: &Asked) -> bool {
    let uid = |text: String| EntityUid::from_str(&text).unwrap();
    let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let roles: HashSet<_> = asked
        .roles
        .iter()
        .map(|role| uid(format!("Role::\"{role}\"")))
        .collect();
    let principal = uid("Principal::\"p\"".to_owned());
    let action = uid("Action::\"tools/call\"".to_owned());
    let resource = uid(format!("Tool::\"{}/{}\"", asked.server, asked.tool));
    let entities = Entities::from_entities(
        [
            Entity::new(
                principal.clone(),
                HashMap::from([("kind".to_owned(), string(asked.kind))]),
                roles,
            )
            .unwrap(),
            Entity::new_no_attrs(
                action.clone(),
                HashSet::from([uid("Action::\"use\"".to_owned())]),
            ),
            Entity::new(
                resource.clone(),
                HashMap::from([("name".to_owned(), string(&asked.tool))]),
                HashSet::from([uid(format!("Server::\"{}\"", asked.server))]),
            )
            .unwrap(),
        ],
        None,
    )
    .unwrap();
    let scopes = asked.scopes.iter().map(|scope| string(scope));
    let context = Context::from_pairs([
        ("scopes".to_owned(), RestrictedExpression::new_set(scopes)),
        (
            "minute".to_owned(),
            RestrictedExpression::new_long(asked.minute.into()),
        ),
    ])
    .unwrap();
    let request = Request::new(principal, action, resource, context, None).unwrap();
    let policies = CedarPolicies::from_str(&written_out(rows)).unwrap();
    let response = Authorizer::new().is_authorized(&request, &policies, &entities);
    response.decision() == Decision::Allow
}
