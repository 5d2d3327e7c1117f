//! What a list hides a call refuses, and what it shows a call may reach: one decision for both.

use serde_json::{Value, json};

use super::{Era, ask};
use crate::support::{Answer, Arrived, Reply, Setup, Upstream, legacy};
use crate::wire::Wire;

const ROLES: &str = r#"    analyst:
      crm:
        - search_*
        - get_customer
        - "*_report"
        - "a*b*c"
        - { prompt: "draft-*" }
        - { prompt: review }
        - { resource: "crm://customers/*" }
        - { resource: "crm://files/*.txt" }
"#;

/// Names that globs, spelling and encoding could make two readers disagree on.
fn names() -> Vec<String> {
    let stems = [
        "search_",
        "get_customer",
        "report",
        "abc",
        "draft-",
        "review",
        "crm://customers/",
        "crm://files/a.txt",
    ];
    let mut names: Vec<String> = Vec::new();
    for stem in stems {
        let upper = stem.to_uppercase();
        names.extend([
            stem.to_owned(),
            upper,
            format!("{stem}x"),
            format!("x{stem}"),
            format!("{stem}_report"),
            format!("{stem} "),
            format!(" {stem}"),
            format!("{stem}/../secret"),
            format!("{stem}%2e%2e"),
            format!("{stem}*"),
            format!("{stem}é"),
            format!("{stem}\u{212a}"),
            format!("{stem}\u{200b}"),
            format!("{stem}\0"),
            format!("{stem}\n"),
            format!("{stem}\u{85}"),
            stem.repeat(200),
            stem.repeat(600),
        ]);
    }
    let more = [
        "",
        "*",
        "aXbYc",
        "acb",
        "ab",
        "?",
        "[a-z]",
        "{a,b}",
        "\\",
        "crm://customers",
        "crm://files/a.txt.exe",
    ];
    names.extend(more.map(str::to_owned));
    names
}

fn reply(arrived: &Arrived) -> Reply {
    let message = arrived.json();
    let listed = |member: &str, key: &str| {
        let items: Vec<Value> = names().iter().map(|name| json!({ key: name })).collect();
        json!({ member: items })
    };
    let result = match message["method"].as_str() {
        Some("tools/list") => listed("tools", "name"),
        Some("prompts/list") => listed("prompts", "name"),
        Some("resources/list") => listed("resources", "uri"),
        _ => json!({}),
    };
    Reply::json(&json!({ "jsonrpc": "2.0", "id": 7, "result": result }))
}

/// The list method with its member, and the method that uses an item of it by its key.
const PAIRS: [(&str, &str, &str, &str); 3] = [
    ("tools/list", "tools", "tools/call", "name"),
    ("prompts/list", "prompts", "prompts/get", "name"),
    ("resources/list", "resources", "resources/read", "uri"),
];

#[tokio::test]
async fn s03_a_list_shows_exactly_the_names_that_a_call_may_use() {
    let setup = Setup {
        roles: ROLES.into(),
        ..Setup::default()
    };
    let wire = Wire::with(setup, Upstream::start(reply).await).await;
    for (list, member, method, key) in PAIRS {
        let listed = ask(&wire, Era::Legacy, list).await.json();
        let modern = ask(&wire, Era::Modern, list).await.json();
        let shown = listed["result"][member].as_array().unwrap().clone();
        assert_eq!(
            modern["result"][member],
            json!(shown),
            "one decision for both eras"
        );
        let mut allowed = 0;
        for name in names() {
            let before = wire.upstream.count();
            let answer = wire
                .agent
                .legacy(&legacy(method, &json!({ key: name })))
                .await;
            let passed = wire.upstream.count() - before;
            let is_shown = shown.iter().any(|item| item[key] == *name);
            assert_eq!(passed == 1, is_shown, "{method} {name:?}: {}", answer.body);
            assert_eq!(answer.json().get("error").is_none(), is_shown, "{name:?}");
            allowed += passed;
        }
        assert_eq!(allowed, shown.len());
        assert!((2..names().len() / 2).contains(&allowed), "{allowed}");
    }
}

#[tokio::test]
async fn a_tool_that_only_a_scope_is_missing_for_is_shown_so_that_it_can_be_asked_for() {
    let tools = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [{ "name": "refund" }, { "name": "wipe" }] } });
    let wire = super::answering(move |_| Reply::json(&tools)).await;
    let listed = ask(&wire, Era::Legacy, "tools/list").await.json();
    assert_eq!(listed["result"]["tools"], json!([{ "name": "refund" }]));
    let call = |name: &str| legacy("tools/call", &json!({ "name": name }));
    let refund: Answer = wire.agent.legacy(&call("refund")).await;
    let denied = wire.agent.legacy(&call("wipe")).await;
    assert_eq!((refund.status, refund.code()), (403, Some(40300)));
    assert_eq!((denied.status, denied.code()), (200, Some(40301)));
    assert_eq!(wire.upstream.count(), 1, "the list alone");
    let expected = ["allow", "insufficient_scope", "tool_not_allowed"];
    assert_eq!(wire.decisions().await, expected);
}
