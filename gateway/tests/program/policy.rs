//! `gatewright policy test` and `policy lint`, and that nothing starts while a test of the policy fails.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::run;

const CONFIGURATION: &str = "\
version: 1
public_url: https://mcp.example.com
issuers: [{ name: corp, url: https://auth.example.com }]
servers: [{ name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }]
policy:
  cedar: rules.cedar
  tests: tests/*.yaml
  roles:
    support:
      crm:
        - get_*
        - { tool: refund, when: \"context.args.amount <= 1000\" }
        - { tool: delete_customer, approval: { by: owners } }
";

const RULES: &str = "\
// Nobody works at night.
@id(\"night\")
forbid (principal, action, resource)
when { context.minute < 360 };
";

const CASES: &str = "\
defaults: { as: { roles: [support] } }
cases:
  - { tool: get_customer, expect: allow }
  - { tool: refund, args: { amount: 50 }, expect: allow }
  - { tool: refund, args: { amount: 150 }, expect: deny }
  - { name: at <night> & \"day\", tool: get_customer, at: 2027-01-04T05:59, expect: allow }
";

const TOOLS: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[
  {"name":"get_customer","inputSchema":{"type":"object","properties":{"id":{"type":"string"}}}},
  {"name":"get_order","inputSchema":{"type":"object"}},
  {"name":"refund","inputSchema":{"type":"object","properties":{"amount":{"type":"string"}}}}
]}}"#;

/// A folder with the configuration and all it names, `changes` made in each file.
fn folder(changes: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("tests")).unwrap();
    let files = [
        ("gatewright.yaml", CONFIGURATION),
        ("rules.cedar", RULES),
        ("tests/refund.yaml", CASES),
        ("tools.json", TOOLS),
    ];
    for (name, text) in files {
        let replace = |text: String, (from, to): &(&str, &str)| text.replace(from, to);
        let text = changes.iter().fold(text.to_owned(), replace);
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What makes every case pass.
const REPAIRED: [(&str, &str); 2] = [
    (
        "amount: 150 }, expect: deny",
        "amount: 1500 }, expect: deny",
    ),
    ("05:59", "06:00"),
];

fn test(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let mut line = vec!["policy", "test", "-c", "gatewright.yaml"];
    line.extend(more);
    let finished = run(folder, &line);
    (finished.code, finished.out, finished.talk)
}

#[test]
fn failed_tests_are_told_with_the_rule_that_decided() {
    let folder = folder(&[]);
    let told = "\
policy_tests: 2 passed, 2 failed
  tests/refund.yaml:5  support refund amount=150   expected deny, got allow   rule gatewright.yaml:12 `context.args.amount <= 1000`
  tests/refund.yaml:6  at <night> & \"day\"   expected allow, got deny   rule rules.cedar:2 `night`
";
    assert_eq!(
        test(folder.path(), &[]),
        (4, told.to_owned(), String::new())
    );
}

#[test]
fn tests_that_pass_are_counted_and_coverage_names_the_rest() {
    let folder = folder(&REPAIRED);
    let told = "\
policy_tests: 4 passed, 0 failed
coverage: 2 of 4 rules reached
  not reached  gatewright.yaml:13 `delete_customer`
  not reached  rules.cedar:2 `night`
";
    assert_eq!(
        test(folder.path(), &["--coverage"]),
        (0, told.to_owned(), String::new())
    );
}

#[test]
fn results_are_written_for_programs() {
    let folder = folder(&[]);
    let (code, out, _) = test(folder.path(), &["-o", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &json["passed"], &json["failed"]),
        (4, &2.into(), &2.into())
    );
    let case = &json["cases"][2];
    assert_eq!(case["file"], "tests/refund.yaml");
    assert_eq!((&case["line"], &case["passed"]), (&5.into(), &false.into()));
    assert_eq!(case["difference"], "expected deny, got allow");
    assert_eq!(case["rules"][0]["id"], "roles.support.crm[1]");
    assert_eq!(case["rules"][0]["place"], "gatewright.yaml:12");
    assert_eq!(json["coverage"]["rules"], 4);
    assert_eq!(
        json["coverage"]["unreached"][0]["place"],
        "gatewright.yaml:13"
    );
}

#[test]
fn results_are_written_for_systems_that_run_tests() {
    let folder = folder(&[]);
    let (code, out, _) = test(folder.path(), &["-o", "junit"]);
    assert_eq!(code, 4);
    let expected = "\
<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<testsuites name=\"policy\" tests=\"4\" failures=\"2\">
  <testsuite name=\"tests/refund.yaml\" tests=\"4\" failures=\"2\">
    <testcase classname=\"tests/refund.yaml\" name=\"support get_customer\" file=\"tests/refund.yaml\" line=\"3\"/>
";
    assert!(out.starts_with(expected), "{out}");
    assert!(
        out.contains("name=\"at &lt;night&gt; &amp; &quot;day&quot;\""),
        "{out}"
    );
    assert!(
        out.contains("<failure message=\"expected deny, got allow\">"),
        "{out}"
    );
    assert!(out.ends_with("  </testsuite>\n</testsuites>\n"), "{out}");
}

#[test]
fn nothing_starts_or_passes_a_check_while_a_test_of_the_policy_fails() {
    let failing = folder(&[]);
    for verb in ["check", "run"] {
        let finished = run(failing.path(), &[verb]);
        assert_eq!((finished.code, finished.out.as_str()), (4, ""), "{verb}");
        let shown = "\
error[failed-case]: support refund amount=150: expected deny, got allow
 --> tests/refund.yaml:5:5
  |
5 |   - { tool: refund, args: { amount: 150 }, expect: deny }
  |     ^";
        assert!(finished.talk.contains(shown), "{verb}: {}", finished.talk);
    }
    assert!(!failing.path().join("audit").exists());
    let with_mistake = folder(&[("version: 1", "version: 2")]);
    assert_eq!(run(with_mistake.path(), &["check"]).code, 3);
    assert_eq!(test(with_mistake.path(), &[]).0, 3);

    let passing = folder(&REPAIRED);
    let finished = run(passing.path(), &["check"]);
    assert_eq!((finished.code, finished.talk.as_str()), (0, ""));
    assert!(
        finished.out.ends_with("1 role, 4 policy tests passed\n"),
        "{}",
        finished.out
    );
}

#[test]
fn a_configuration_without_tests_is_told_so() {
    let folder = folder(&[("  tests: tests/*.yaml\n", "")]);
    let (code, out, talk) = test(folder.path(), &[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(talk.contains("names no tests"), "{talk}");
    assert_eq!(run(folder.path(), &["check"]).code, 0);
}

#[test]
fn z06_a_policy_that_does_not_type_check_is_shown_where_it_is_written() {
    let wrong = [
        (
            "context.args.amount <= 1000",
            "context.args.amount <= 1000 && context.weekdy == 1",
        ),
        ("context.minute < 360", "context.minute < \\\"6\\\""),
        ("\\\"", "\""),
    ];
    let folder = folder(&wrong[..1]);
    let finished = run(folder.path(), &["check"]);
    assert_eq!(finished.code, 3, "{}", finished.talk);
    assert!(
        finished.talk.contains("error[bad-condition]"),
        "{}",
        finished.talk
    );
    assert!(
        finished.talk.contains("--> gatewright.yaml:12:"),
        "{}",
        finished.talk
    );
    let underlined = underlined(&finished.talk);
    assert!(
        underlined.contains("weekdy"),
        "{underlined}: {}",
        finished.talk
    );

    std::fs::write(
        folder.path().join("rules.cedar"),
        RULES.replace("< 360", "< \"six\""),
    )
    .unwrap();
    let finished = run(folder.path(), &["check"]);
    assert_eq!(finished.code, 3);
    assert!(
        finished.talk.contains("error[bad-policy]"),
        "{}",
        finished.talk
    );
    assert!(
        finished.talk.contains("--> rules.cedar:4:"),
        "{}",
        finished.talk
    );
    assert!(
        finished.talk.contains("error[bad-condition]"),
        "all at once: {}",
        finished.talk
    );
}

/// What the first caret stands under.
fn underlined(talk: &str) -> String {
    let lines: Vec<_> = talk.lines().collect();
    let carets = lines.iter().position(|line| line.contains('^')).unwrap();
    let (from, count) = (
        lines[carets].find('^').unwrap(),
        lines[carets].matches('^').count(),
    );
    lines[carets - 1].chars().skip(from).take(count).collect()
}

#[test]
fn lint_finds_nothing_in_a_policy_that_means_what_it_says() {
    let folder = folder(&REPAIRED);
    let finished = run(folder.path(), &["policy", "lint"]);
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (
            0,
            "./gatewright.yaml: 0 warnings\n".trim_start_matches("./")
        ),
        "{}",
        finished.talk
    );
}

#[test]
fn z01_lint_holds_patterns_against_the_tools_that_there_are() {
    let folder = folder(&[(
        "get_*",
        "get_*, x_*, refnd, \"*\""
            .replace(", ", "\n        - ")
            .as_str(),
    )]);
    let finished = run(
        folder.path(),
        &["policy", "lint", "--tools", "tools.json", "-o", "json"],
    );
    assert_eq!(finished.code, 1, "{}", finished.talk);
    let found: Value = serde_json::from_str(&finished.out).unwrap();
    let told: Vec<_> = found
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let text = |key: &str| one[key].as_str().unwrap().to_owned();
            format!(
                "{} {} {}: {}",
                one["line"],
                text("level"),
                text("code"),
                text("message")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "11 warning shadowed-rule: `get_*` has no effect: another rule of the role allows the same for less (gatewright.yaml:14)",
            "11 note matches: `get_*` matches 2 today: get_customer, get_order",
            "12 warning shadowed-rule: `x_*` has no effect: another rule of the role allows the same for less (gatewright.yaml:14)",
            "12 warning empty-glob: `x_*` matches no tool of `crm`",
            "13 warning shadowed-rule: `refnd` has no effect: another rule of the role allows the same for less (gatewright.yaml:14)",
            "13 warning unknown-tool: `refnd` is about `refnd`, which is no tool of `crm`: did you mean `refund`?",
            "14 warning allows-everything: `*` allows everything, on no condition",
            "14 note matches: `*` matches 3 today: get_customer, get_order, refund",
            "15 warning shadowed-rule: `context.args.amount <= 1000` has no effect: another rule of the role allows the same for less (gatewright.yaml:14)",
            "15 warning argument-type: `context.args.amount <= 1000` compares `amount` as Long, which is string in the arguments of `refund`",
            "16 warning shadowed-rule: `delete_customer` has no effect: another rule of the role allows the same for less (gatewright.yaml:14)",
            "16 warning unknown-tool: `delete_customer` is about `delete_customer`, which is no tool of `crm`: did you mean `get_customer`?",
        ]
    );
    let finished = run(folder.path(), &["check"]);
    let warnings = finished.talk.matches("warning: gatewright.yaml:").count();
    assert_eq!((finished.code, warnings), (4, 0), "{}", finished.talk);
}

#[test]
fn z05_lint_finds_conditions_on_what_users_say_of_themselves() {
    let folder = folder(&[
        REPAIRED[0],
        REPAIRED[1],
        (
            "context.args.amount <= 1000",
            "context.args.amount <= 1000 || principal.claims.email == 'x'",
        ),
        ("'", "\\\""),
    ]);
    let finished = run(folder.path(), &["policy", "lint"]);
    assert_eq!(finished.code, 1, "{}", finished.talk);
    assert!(
        finished.out.contains("warning[editable-claim]"),
        "{}",
        finished.out
    );
    let checked = run(folder.path(), &["check"]);
    assert_eq!(checked.code, 0, "{}", checked.talk);
    assert!(
        checked.talk.starts_with("warning: ") && checked.talk.contains("the claim `email`"),
        "{}",
        checked.talk
    );
}

#[test]
fn lint_compares_the_roles_of_policy_and_tests_and_servers_of_cedar_policies() {
    let folder = folder(&[
        (
            "as: { roles: [support] } }\ncases:\n",
            "as: { roles: [suport] } }\ncases:\n",
        ),
        (
            "forbid (principal, action, resource)",
            "forbid (principal, action, resource in Server::\"cmr\")",
        ),
    ]);
    let finished = run(folder.path(), &["policy", "lint"]);
    assert_eq!(finished.code, 1);
    for expected in [
        "gatewright.yaml:11  note[unknown-role]  the role `support` is given by no rule and asked as by no test",
        "tests/refund.yaml:3  warning[unknown-role]  `suport get_customer` asks as `suport`: did you mean `support`?",
        "rules.cedar:2  warning[unknown-server]  `night` is about the server `cmr`, which there is not: did you mean `crm`?",
    ] {
        assert!(
            finished.out.contains(expected),
            "{expected}: {}",
            finished.out
        );
    }
}

#[test]
fn lint_says_what_it_cannot_use() {
    let folder = folder(&REPAIRED);
    for (tools, told) in [
        ("none.json", "cannot read `none.json`"),
        ("rules.cedar", "it is no answer to `tools/list`"),
        ("cmr=tools.json", "no server is named `cmr`"),
    ] {
        let finished = run(folder.path(), &["policy", "lint", "--tools", tools]);
        assert_eq!((finished.code, finished.out.as_str()), (2, ""), "{tools}");
        assert!(finished.talk.contains(told), "{tools}: {}", finished.talk);
    }
    let finished = run(
        folder.path(),
        &["policy", "lint", "--tools", "crm=tools.json"],
    );
    assert!(finished.out.contains("matches 2 today"), "{}", finished.out);
}
