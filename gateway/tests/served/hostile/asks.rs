//! What a server asks of the person at the other end: pages only where the configuration knows them, and nothing that the
//! client did not say it can do.

use serde_json::{Value, json};

use super::{Asked, Era, Stage, assert_error, event, messages, result, stream};
use crate::support::Reply;

const HOSTS: &str =
    "    elicitation_hosts: [pay.test, \"*.ok.test\"]\n    server_requests: [elicitation/create]\n";

fn page(url: &str) -> Value {
    json!({ "method": "elicitation/create", "params": { "mode": "url", "url": url, "message": "x" } })
}

fn required(request: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "result": {
        "resultType": "input_required", "requestState": "s", "inputRequests": { "a": request } } })
}

fn able(capabilities: &Value) -> Value {
    json!({ "io.modelcontextprotocol/clientCapabilities": capabilities })
}

fn both(message: &Value) -> [Reply; 2] {
    [Reply::json(message), stream(event(message))]
}

#[tokio::test]
async fn u15_a_page_is_asked_for_only_where_the_configuration_knows_its_host() {
    let stage = Stage::configured(HOSTS).await;
    let able = able(&json!({ "elicitation": { "url": {} } }));
    let message = Asked::Tool.message(Era::Modern, &able);
    for (url, passes) in [
        ("https://pay.test/x", true),
        ("https://a.ok.test:8443/", true),
        ("https://ok.test/", false),
        ("https://evil.test/", false),
        ("https://xpay.test/", false),
        ("https://pay.test.evil.test/", false),
        ("http://pay.test/", false),
        ("https://pay.test@evil.test/", false),
        ("javascript:alert(1)", false),
    ] {
        let asked = required(&page(url));
        for reply in both(&asked) {
            let answer = stage.hears_with(&reply, Era::Modern, &message).await;
            if passes {
                assert!(answer.body.contains(url), "{url}: {}", answer.body);
            } else {
                assert!(!answer.body.contains(url), "{url}: {}", answer.body);
                assert!(answer.body.contains("upstream_protocol"), "{}", answer.body);
            }
        }
    }
    let expected = [["ok"; 4].as_slice(), &["upstream_protocol"; 14]].concat();
    assert_eq!(stage.outcomes().await, expected);
    let strict = Stage::start().await;
    let asked = required(&page("https://pay.test/x"));
    let answer = strict
        .hears_with(&Reply::json(&asked), Era::Modern, &message)
        .await;
    assert_error(&answer.json(), "no host is known");
}

#[tokio::test]
async fn u15_what_the_client_did_not_say_it_can_do_is_not_asked_of_it() {
    let stage = Stage::configured(HOSTS).await;
    let form = json!({ "method": "elicitation/create", "params": { "message": "x" } });
    let sampling = json!({ "method": "sampling/createMessage", "params": {} });
    let roots = json!({ "method": "roots/list" });
    let every = json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} });
    for (request, capability) in [
        (&form, json!({ "elicitation": {} })),
        (&sampling, json!({ "sampling": {} })),
        (&roots, json!({ "roots": {} })),
        (
            &page("https://pay.test/"),
            json!({ "elicitation": { "url": {} } }),
        ),
    ] {
        let asked = required(request);
        for (declared, passes) in [(&json!({}), false), (&capability, true), (&every, true)] {
            let message = Asked::Tool.message(Era::Modern, &able(declared));
            let answer = stage
                .hears_with(&Reply::json(&asked), Era::Modern, &message)
                .await;
            if passes {
                assert_eq!(answer.json(), asked);
            } else {
                assert_error(&answer.json(), &asked.to_string());
            }
        }
        let message = Asked::Completion.message(Era::Modern, &able(&every));
        let answer = stage
            .hears_with(&Reply::json(&asked), Era::Modern, &message)
            .await;
        assert_error(&answer.json(), "only three methods may ask");
        let message = Asked::List.message(Era::Modern, &able(&every));
        let answer = stage
            .hears_with(&Reply::json(&asked), Era::Modern, &message)
            .await;
        assert_error(&answer.json(), "no list asks");
    }
}

#[tokio::test]
async fn u15_a_large_answer_that_asks_does_not_pass() {
    let stage = Stage::configured(HOSTS).await;
    let able = able(&json!({ "elicitation": { "url": {} } }));
    let message = Asked::Tool.message(Era::Modern, &able);
    let mut asked = required(&page("https://pay.test/"));
    asked["result"]["x"] = json!("y".repeat(70_000));
    let answer = stage
        .hears_with(&Reply::json(&asked), Era::Modern, &message)
        .await;
    assert!(!answer.body.contains("pay.test"));
    assert_error(&answer.json(), "a large one");
    assert_eq!(stage.outcomes().await, ["upstream_protocol"]);
}

#[tokio::test]
async fn u15_pages_of_the_older_revisions_are_judged_by_their_host_too() {
    let stage = Stage::configured(HOSTS).await;
    let error = |url: &str| {
        json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": -32042, "message": "first", "data": {
            "elicitations": [{ "mode": "url", "elicitationId": "1", "url": url }] } } })
    };
    for reply in both(&error("https://pay.test/")) {
        let answer = stage.hears(&reply, Era::Legacy, Asked::Tool).await;
        assert!(answer.body.contains("pay.test"), "{}", answer.body);
    }
    for reply in both(&error("https://evil.test/")) {
        let answer = stage.hears(&reply, Era::Legacy, Asked::Tool).await;
        assert!(!answer.body.contains("evil.test"), "{}", answer.body);
        assert!(answer.body.contains("upstream_protocol"));
    }
    let request = |url: &str| {
        let mut request = page(url);
        request["jsonrpc"] = json!("2.0");
        request["id"] = json!(1);
        request
    };
    let (known, unknown) = (request("https://pay.test/"), request("https://evil.test/"));
    let text = [event(&unknown), event(&known), event(&result())].concat();
    let answer = stage.hears(&stream(text), Era::Legacy, Asked::Tool).await;
    assert_eq!(messages(&answer.body), [known, result()]);
    assert_eq!(stage.dropped("request").await, 1);
}

#[tokio::test]
async fn s09_what_a_server_says_of_itself_is_redacted_as_configured() {
    let about = json!({ "jsonrpc": "2.0", "id": 7, "result": {
        "instructions": "use SECRET", "serverInfo": { "name": "crm" }, "cacheScope": "public", "ttlMs": 1,
        "capabilities": { "tools": {}, "experimental": { "SECRET": {} }, "extensions": { "SECRET": {} } } } });
    let initialize = crate::support::legacy(
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } }),
    );
    let discover = crate::support::stateless("server/discover", &json!({}));
    let redacting =
        Stage::configured("    redact: [instructions, experimental, extensions]\n").await;
    let plain = Stage::start().await;
    for (era, message) in [(Era::Legacy, &initialize), (Era::Modern, &discover)] {
        for reply in both(&about) {
            let answer = redacting.hears_with(&reply, era, message).await;
            super::assert_silent(&answer, "redacted");
            assert!(answer.body.contains("serverInfo"), "{}", answer.body);
            assert!(!answer.body.contains("public"), "{}", answer.body);
            let answer = plain.hears_with(&reply, era, message).await;
            assert!(answer.body.contains("use SECRET"), "{}", answer.body);
        }
    }
    let answer = plain
        .hears_with(&Reply::json(&about), Era::Modern, &discover)
        .await;
    assert_eq!(answer.json()["result"]["cacheScope"], "private");
}

#[tokio::test]
async fn s13_a_tool_with_a_bad_annotation_is_left_out_of_a_list() {
    let stage = Stage::start().await;
    let tool = |name: &str, header: &str| {
        json!({ "name": name, "inputSchema": { "type": "object", "properties": {
            "a": { "type": "string", "x-mcp-header": header } } } })
    };
    let list = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [tool("search_a", "Region"), tool("search_b", "a b")] } });
    for era in super::ERAS {
        let answer = stage.hears(&Reply::json(&list), era, Asked::List).await;
        assert_eq!(
            answer.json()["result"]["tools"],
            json!([tool("search_a", "Region")])
        );
    }
}
