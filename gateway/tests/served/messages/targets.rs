//! What a message reaches: each method follows the rule of its own target, byte for byte, whatever else it holds.

use serde_json::{Value, json};

use crate::support::{Answer, Setup, Upstream, legacy, send, stateless};
use crate::wire::Wire;

const ROLES: &str = r#"    analyst:
      crm:
        - search_*
        - run report
        - call_tool
        - { prompt: summarise }
        - { resource: "crm://customers/*" }
"#;

async fn start(roles: &str) -> Wire {
    let setup = Setup {
        roles: roles.into(),
        ..Setup::default()
    };
    Wire::with(setup, Upstream::plain().await).await
}

/// Asks in both eras; the reason of the refusal, or `None` when both arrived.
async fn refusal(wire: &Wire, method: &str, params: &Value) -> Option<String> {
    let before = wire.upstream.count();
    let older = wire.agent.legacy(&legacy(method, params)).await;
    let modern = modern(wire, method, params).await;
    let reason = |answer: &Answer| {
        let reason = answer.json()["error"]["data"]["reason"].clone();
        reason.as_str().map(str::to_owned)
    };
    let arrived = wire.upstream.count() - before;
    assert_eq!(reason(&older), reason(&modern), "{method} {params}");
    let refusal = reason(&older);
    let expected = if refusal.is_some() { 0 } else { 2 };
    assert_eq!(arrived, expected, "{method} {params}: {}", older.body);
    refusal
}

/// The name in its base64 form, so that any name can stand in the header.
async fn modern(wire: &Wire, method: &str, params: &Value) -> Answer {
    use base64::Engine as _;
    let request = wire.agent.request(reqwest::Method::POST);
    let mut request = request
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    let target = params["name"].as_str().or(params["uri"].as_str());
    if let Some(name) = target {
        let name = base64::engine::general_purpose::STANDARD.encode(name);
        request = request.header("mcp-name", format!("=?base64?{name}?="));
    }
    send(request.json(&stateless(method, params))).await
}

#[tokio::test]
async fn q06_only_the_very_name_is_the_tool() {
    let wire = start(ROLES).await;
    let named = |name: &str| json!({ "name": name });
    for name in ["search_customers", "run report"] {
        assert_eq!(refusal(&wire, "tools/call", &named(name)).await, None);
    }
    for name in [
        "search_customers ",
        " search_customers",
        "search_customers\u{200b}",
        "search_cafe\u{301}",
        "search_café",
        "search_\u{ff41}",
        "ѕearch_customers",
        "SEARCH_CUSTOMERS",
        "run  report",
        "run\u{a0}report",
        "Run report",
    ] {
        let refused = refusal(&wire, "tools/call", &named(name)).await;
        assert_eq!(refused.as_deref(), Some("tool_not_allowed"), "{name:?}");
    }
    for name in ["search_\t", "search_\0delete_customer", "run report\n"] {
        let refused = refusal(&wire, "tools/call", &named(name)).await;
        assert_eq!(refused.as_deref(), Some("params_invalid"), "{name:?}");
    }
}

#[tokio::test]
async fn q29_what_stands_in_the_arguments_grants_and_takes_nothing() {
    let wire = start(ROLES).await;
    let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let meta = call("call_tool", json!({ "tool_name": "delete_customer" }));
    assert_eq!(refusal(&wire, "tools/call", &meta).await, None);
    for (name, arguments) in [
        ("execute_workflow", json!({ "name": "search_customers" })),
        ("run", json!({ "tool_name": "search_customers" })),
        ("delete_customer", json!({ "name": "search_customers" })),
    ] {
        let refused = refusal(&wire, "tools/call", &call(name, arguments)).await;
        assert_eq!(refused.as_deref(), Some("tool_not_allowed"), "{name}");
    }
    // Who takes the tool that calls tools out of a role takes all of it.
    let without = ROLES.replace("        - call_tool\n", "");
    let wire = start(&without).await;
    let refused = refusal(&wire, "tools/call", &meta).await;
    assert_eq!(refused.as_deref(), Some("tool_not_allowed"));
}

#[tokio::test]
async fn q32_a_retry_is_judged_by_the_name_it_has_now() {
    let wire = start(ROLES).await;
    let retry = |name: &str| {
        json!({
            "name": name,
            "arguments": {},
            "requestState": "state of search_customers",
            "inputResponses": { "confirm": { "action": "accept", "content": { "ok": true } } },
        })
    };
    assert_eq!(
        refusal(&wire, "tools/call", &retry("search_customers")).await,
        None
    );
    let refused = refusal(&wire, "tools/call", &retry("delete_customer")).await;
    assert_eq!(refused.as_deref(), Some("tool_not_allowed"));
    let prompt = refusal(&wire, "prompts/get", &retry("search_customers")).await;
    assert_eq!(prompt.as_deref(), Some("prompt_not_allowed"));
    let decisions = wire.decisions().await;
    let expected = ["allow", "tool_not_allowed", "prompt_not_allowed"];
    let expected = expected.map(|reason| [reason; 2]).concat();
    assert_eq!(decisions, expected, "each retry is a decision of its own");
}

/// A method with the params of what may be reached, and of what may not.
fn targets() -> Vec<(&'static str, Value, Value, &'static str)> {
    let named = |name: &str| json!({ "name": name });
    let at = |uri: &str| json!({ "uri": uri });
    let prompt = |name: &str| json!({ "ref": { "type": "ref/prompt", "name": name } });
    let template = |uri: &str| json!({ "ref": { "type": "ref/resource", "uri": uri } });
    let (own, foreign) = ("crm://customers/1", "crm://secrets/1");
    let (tool, prompted, resource) = (
        "tool_not_allowed",
        "prompt_not_allowed",
        "resource_not_allowed",
    );
    vec![
        ("tools/call", named("search_x"), named("summarise"), tool),
        (
            "prompts/get",
            named("summarise"),
            named("search_x"),
            prompted,
        ),
        ("resources/read", at(own), at(foreign), resource),
        (
            "completion/complete",
            prompt("summarise"),
            prompt("hidden"),
            prompted,
        ),
        (
            "completion/complete",
            template(own),
            template(foreign),
            resource,
        ),
    ]
}

#[tokio::test]
async fn s02_s10_each_method_follows_the_rule_of_what_it_reaches() {
    let wire = start(ROLES).await;
    for (method, allowed, denied, reason) in targets() {
        assert_eq!(refusal(&wire, method, &allowed).await, None, "{method}");
        let refused = refusal(&wire, method, &denied).await;
        assert_eq!(refused.as_deref(), Some(reason), "{method}");
    }
}

#[tokio::test]
async fn s02_what_is_subscribed_to_follows_the_rules_of_resources() {
    let wire = start(ROLES).await;
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        for (uri, arrives) in [("crm://customers/1", 1), ("crm://secrets/1", 0)] {
            let before = wire.upstream.count();
            let message = legacy(method, &json!({ "uri": uri }));
            let answer = wire.agent.legacy(&message).await;
            assert_eq!(wire.upstream.count() - before, arrives, "{}", answer.body);
        }
        let gone = modern(&wire, method, &json!({ "uri": "crm://customers/1" })).await;
        assert_eq!((gone.status, gone.code()), (404, Some(-32601)), "{method}");
    }
    let before = wire.upstream.count();
    for (uris, arrives) in [
        (vec!["crm://customers/1"], 1),
        (vec!["crm://customers/1", "crm://secrets/1"], 0),
        (vec!["crm://secrets/1"], 0),
    ] {
        let before = wire.upstream.count();
        let wanted = json!({ "notifications": { "resourceSubscriptions": uris } });
        let answer = modern(&wire, "subscriptions/listen", &wanted).await;
        assert_eq!(wire.upstream.count() - before, arrives, "{}", answer.body);
    }
    assert_eq!(wire.upstream.count() - before, 1);
}

/// With every right there is, what is no method of MCP is still denied.
#[tokio::test]
async fn s02_no_rule_opens_a_method_that_is_not_known() {
    let all = "    analyst:\n      crm: [\"*\", { prompt: \"*\" }, { resource: \"*\" }]\n";
    let wire = start(all).await;
    let params = json!({ "name": "search_x", "uri": "crm://customers/1" });
    for method in [
        "x-vendor/run",
        "tools/execute",
        "resources/write",
        "tasks/list",
        "rpc.discover",
    ] {
        let refused = refusal(&wire, method, &params).await;
        assert_eq!(refused.as_deref(), Some("method_not_allowed"), "{method}");
    }
    let call = json!({ "name": "anything" });
    assert_eq!(refusal(&wire, "tools/call", &call).await, None);
}
