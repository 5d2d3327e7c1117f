//! What the part about the policy says besides patterns: what each key becomes, and every mistake in it.

use std::path::Path;
use std::time::Duration;

use gatewright_policies::{Approval, Limit, Row, Tier};
use tempfile::TempDir;

use crate::config::load::parse;
use crate::config::{Mistakes, Settings};
use crate::decision::Mode;

use super::{SMALLEST, loaded, only, plus};

/// A row of the role `a` at the server `crm`.
fn row(entry: &str) -> String {
    plus(&format!(
        "policy: {{ roles: {{ a: {{ crm: [{{ tool: x, {entry} }}] }} }} }}"
    ))
}

fn first(entry: &str) -> Row {
    loaded(&row(entry)).policy.rows()[0].clone()
}

/// A folder with these files, and the smallest configuration with a policy.
fn in_folder(policy: &str, files: &[(&str, &str)]) -> (TempDir, Result<Settings, Mistakes>) {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let settings = parse_in(folder.path(), policy);
    (folder, settings)
}

fn parse_in(folder: &Path, policy: &str) -> Result<Settings, Mistakes> {
    let text = format!("{SMALLEST}policy: {policy}\n");
    parse(&text, &folder.join("gatewright.yaml"), &|_| None)
}

/// `file:line:column code` of every mistake.
fn places((folder, found): &(TempDir, Result<Settings, Mistakes>)) -> Vec<String> {
    let mistakes = found.as_ref().expect_err("should be refused");
    let shown = mistakes.iter().map(|mistake| {
        let name = mistake.path.strip_prefix(folder.path()).unwrap().display();
        format!(
            "{name}:{}:{} {}",
            mistake.line, mistake.column, mistake.code
        )
    });
    shown.collect()
}

#[test]
fn an_approval_names_who_agrees_and_for_how_long() {
    let asked = |ttl| {
        Some(Approval {
            by: "owners".to_owned(),
            ttl,
        })
    };
    let ten_minutes = Some(Duration::from_secs(600));
    assert_eq!(
        first("approval: { by: owners, ttl: 10m }").approval,
        asked(ten_minutes)
    );
    assert_eq!(first("approval: { by: owners }").approval, asked(None));
    assert_eq!(first("scopes: [s]").approval, None);
    only(
        &row("approval: { ttl: 10m }"),
        "missing-key 7:52 [{] add `by: crm-owners`",
    );
    only(
        &row("approval: { by: \"\" }"),
        "empty-value 7:58 [\"\"] write a name, or remove the key",
    );
    only(
        &row("approval: { by: o, ttl: 2d }"),
        "bad-duration 7:66 [2d] write a number with its unit, like `250ms`, `30s`, `10m` or `1h`",
    );
}

#[test]
fn a_tier_is_one_of_three() {
    assert_eq!(first("tier: high").tier, Some(Tier::High));
    assert_eq!(first("tier: low").tier, Some(Tier::Low));
    only(
        &row("tier: hihg"),
        "unknown-value 7:48 [hihg] did you mean `high`?",
    );
}

#[test]
fn shadow_mode_is_kept_apart_from_what_the_policy_says() {
    let enforced = loaded(&plus("policy: { roles: { a: { crm: [x] } } }"));
    let shadowed = loaded(&plus(
        "policy: { mode: shadow, roles: { a: { crm: [x] } } }",
    ));
    assert_eq!(
        (enforced.mode, shadowed.mode),
        (Mode::Enforce, Mode::Shadow)
    );
    assert_eq!(enforced.policy_digest, shadowed.policy_digest);
    assert_ne!(enforced.config_digest, shadowed.config_digest);
}

#[test]
fn a_time_zone_is_a_name_of_the_iana_database() {
    let zone = |name: &str| plus(&format!("policy: {{ time_zone: {name} }}"));
    assert_eq!(loaded(SMALLEST).zone.iana_name(), Some("UTC"));
    let berlin = loaded(&zone("Europe/Berlin"));
    assert_eq!(berlin.zone.iana_name(), Some("Europe/Berlin"));
    assert_ne!(berlin.policy_digest, loaded(SMALLEST).policy_digest);
    only(
        &zone("Europe/Berln"),
        "unknown-time-zone 7:22 [Europe/Berln] did you mean `Europe/Berlin`?",
    );
    only(
        &zone("\"+01:00\""),
        "unknown-time-zone 7:22 [\"+01:00\"] write `UTC` or a name like `Europe/Berlin`",
    );
}

#[test]
fn every_key_of_a_row_is_part_of_the_digest() {
    let digest = |entry: &str| loaded(&row(entry)).policy_digest;
    let digests = [
        digest("scopes: []"),
        digest("scopes: [s]"),
        digest("tier: low"),
        digest("tier: high"),
        digest("approval: { by: a }"),
        digest("approval: { by: b }"),
        digest("approval: { by: b, ttl: 1m }"),
    ];
    for (at, one) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(one), "{at}");
    }
}

#[test]
fn cedar_files_are_named_alone_or_by_folder_in_the_order_of_their_names() {
    let files = [
        ("rules/b.cedar", "// b\n"),
        ("rules/a.cedar", "// a\n"),
        ("rules/README.md", "no policy"),
        ("other.cedar", "// other\n"),
    ];
    let (folder, both) = in_folder("{ cedar: [rules/, other.cedar] }", &files);
    let both = both.unwrap();
    let text = "{ cedar: [rules/a.cedar, rules/b.cedar, rules, other.cedar] }";
    let listed = parse_in(folder.path(), text).unwrap();
    assert_eq!(both.policy_digest, listed.policy_digest);
    let one = parse_in(folder.path(), "{ cedar: other.cedar }").unwrap();
    assert_ne!(one.policy_digest, both.policy_digest);
    let none = parse_in(folder.path(), "{}").unwrap();
    assert_ne!(one.policy_digest, none.policy_digest);
    assert_ne!(one.config_digest, none.config_digest);

    std::fs::write(folder.path().join("other.cedar"), "// changed\n").unwrap();
    let changed = parse_in(folder.path(), "{ cedar: other.cedar }").unwrap();
    assert_ne!(one.policy_digest, changed.policy_digest);
    assert_ne!(one.config_digest, changed.config_digest);
}

#[test]
fn z02_a_folder_without_policies_or_tests_is_a_mistake() {
    let nothing = [("empty/README.md", "")];
    let found = in_folder("{ cedar: empty, tests: [empty, \"t/*.yaml\"] }", &nothing);
    assert_eq!(
        places(&found),
        [
            "gatewright.yaml:7:18 no-match",
            "gatewright.yaml:7:33 no-match",
            "gatewright.yaml:7:40 missing-file",
        ]
    );
    let found = in_folder(
        "{ cedar: none.cedar, tests: none.yaml, shadow: no.yaml }",
        &[],
    );
    assert_eq!(
        places(&found),
        [
            "gatewright.yaml:7:18 missing-file",
            "gatewright.yaml:7:37 missing-file",
            "gatewright.yaml:7:56 missing-file",
        ]
    );
}

#[test]
fn z06_a_policy_file_that_cannot_be_read_is_a_mistake() {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join("rules")).unwrap();
    std::fs::write(folder.path().join("rules/a.cedar"), b"\xff\xfe").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("rules/b.cedar")).unwrap();
    let settings = parse_in(folder.path(), "{ cedar: rules }");
    let found = settings.unwrap_err();
    let codes: Vec<_> = found.iter().map(|mistake| mistake.code).collect();
    assert_eq!(codes, ["missing-file", "missing-file"], "{found}");
}

#[test]
fn of_a_shadow_file_the_policy_alone_counts() {
    let whole = format!(
        "{}policy: {{ mode: shadow, time_zone: Asia/Tokyo, roles: {{ a: {{ crm: [y] }} }} }}\n",
        SMALLEST.replace("https://mcp.example.com", "not judged")
    );
    let bare = "policy: { time_zone: Asia/Tokyo, roles: { a: { crm: [y] } } }\n";
    let files = [("whole.yaml", whole.as_str()), ("bare.yaml", bare)];
    let (folder, settings) =
        in_folder("{ shadow: whole.yaml, roles: { a: { crm: [x] } } }", &files);
    let settings = settings.unwrap();
    let shadow = settings.shadow.unwrap();
    assert_eq!(shadow.policy.rows()[0].pattern, "y");
    assert_eq!(settings.policy.rows()[0].pattern, "x");
    assert_eq!(shadow.zone.iana_name(), Some("Asia/Tokyo"));
    assert_eq!(
        (settings.mode, settings.zone.iana_name()),
        (Mode::Enforce, Some("UTC"))
    );
    let alone = parse_in(
        folder.path(),
        "{ shadow: bare.yaml, roles: { a: { crm: [x] } } }",
    );
    assert_eq!(alone.unwrap().shadow.unwrap().digest, shadow.digest);
    assert!(loaded(SMALLEST).shadow.is_none());
}

#[test]
fn nothing_is_compared_with_a_policy_that_is_not_enforced() {
    let files = [("new.yaml", "policy: {}\n")];
    let found = in_folder("{ mode: shadow, shadow: new.yaml }", &files);
    assert_eq!(places(&found), ["gatewright.yaml:7:33 no-effect"]);
}

#[test]
fn a_mistake_in_a_shadow_file_is_shown_there() {
    let files = [
        ("a.yaml", "policy: { roles: { a: { cmr: [y] } } }\n"),
        ("b.yaml", "polcy: {}\n"),
        ("c.yaml", "- 1\n"),
        ("d.yaml", "a: [\n"),
    ];
    for (name, expected) in [
        ("a.yaml", vec!["a.yaml:1:25 unknown-server"]),
        (
            "b.yaml",
            vec!["b.yaml:1:1 unknown-key", "b.yaml:1:1 missing-key"],
        ),
        ("c.yaml", vec!["c.yaml:1:1 wrong-type"]),
        ("d.yaml", vec!["d.yaml:1:4 syntax"]),
    ] {
        let found = in_folder(&format!("{{ shadow: {name} }}"), &files);
        assert_eq!(places(&found), expected);
    }
}

#[test]
fn conditions_details_and_limits_become_those_of_the_row() {
    let row = first("when: \"context.args.amount <= 100\", limit: 10/hour");
    assert_eq!(row.when.as_deref(), Some("context.args.amount <= 100"));
    assert_eq!(row.limits, [Limit::parse("10/hour").unwrap()]);
    let row = first(
        "when: \"context.details.most >= 1\", details: flights, limit: [1/s, 9/day per role]"
            .replace("1/s", "1/second")
            .as_str(),
    );
    assert_eq!(row.details.as_deref(), Some("flights"));
    let both = ["1/second", "9/day per role"].map(|text| Limit::parse(text).unwrap());
    assert_eq!(row.limits, both);
    only(
        &super::plus("policy: { roles: { a: { crm: [{ tool: x, limit: 10 per hour }] } } }"),
        "bad-limit 7:49 [10 per hour] write 10/hour, 10/15m per role, or sum(args.amount) <= 500/day",
    );
    only(
        &self::row("when: \"\""),
        "empty-value 7:48 [\"\"] write a name, or remove the key",
    );
}

#[test]
fn a_condition_that_does_not_type_check_is_marked_within_its_value() {
    let marked = |policy: &str| {
        let mistakes = super::read(&plus(policy)).expect_err("should be refused");
        let mistake = mistakes.iter().next().unwrap();
        let text: String = mistake
            .source
            .chars()
            .skip(mistake.column - 1)
            .take(mistake.width)
            .collect();
        (mistake.code, mistake.line, text, mistake.message.clone())
    };
    let (code, line, text, _) =
        marked("policy: { roles: { a: { crm: [{ tool: x, when: \"context.weekdy == 1\" }] } } }");
    assert_eq!((code, line), ("bad-condition", 7));
    assert!(text.contains("weekdy") && !text.contains("=="), "{text}");

    let block = "policy:\n  roles:\n    a:\n      crm:\n        - tool: x\n          when: |\n            context.weekday == 1 &&\n            context.weekdy == 2";
    let (code, line, text, _) = marked(block);
    assert_eq!((code, line), ("bad-condition", 14));
    assert!(text.contains("weekdy"), "{text}");

    // Folded lines are not what the file says: the value is marked, and the part is told.
    let (_, line, _, message) = marked(&block.replace('|', ">"));
    assert_eq!(line, 13);
    assert!(message.contains("weekdy"), "{message}");
}

#[test]
fn z05_a_roles_claim_that_users_can_edit_is_a_mistake() {
    for claim in [
        "email",
        "name",
        "preferred_username",
        "address.roles",
        "[nickname]",
    ] {
        let found = super::found(&super::of_issuer(&format!("roles_claim: {claim}")));
        assert!(found[0].starts_with("editable-claim 4:"), "{found:?}");
    }
    for claim in [
        "roles",
        "groups",
        "realm_access.roles",
        "https://example.com/name",
    ] {
        loaded(&super::of_issuer(&format!("roles_claim: {claim}")));
    }
}
