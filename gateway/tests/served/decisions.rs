//! What each role may do: the same decision for lists and calls, in both eras.

use crate::support::{Agent, Setup, Upstream, call, list, modern};
use serde_json::json;

#[tokio::test]
async fn an_allowed_call_reaches_the_upstream_byte_for_byte_without_the_token() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let message = modern("search_customers", &json!({ "query": "ä\u{2028}" }));

    let answer = agent.modern(&message).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["result"]["content"][0]["text"], "done");
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 1);
    assert_eq!(arrived[0].body, message.to_string());
    assert_eq!(arrived[0].header("authorization"), None);
    assert_eq!(arrived[0].path, "/mcp");
}

#[tokio::test]
async fn s01_a_denied_call_never_reaches_the_upstream_in_either_era() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));

    let modern = agent.modern(&modern("delete_customer", &json!({}))).await;
    let legacy = agent.legacy(&call("delete_customer", &json!({}))).await;

    assert_eq!(
        (modern.status, modern.code()),
        (403, Some(40301)),
        "{}",
        modern.body
    );
    assert_eq!(
        (legacy.status, legacy.code()),
        (200, Some(40301)),
        "{}",
        legacy.body
    );
    assert_eq!(modern.json()["id"], 7);
    assert_eq!(modern.json()["error"]["data"]["reason"], "tool_not_allowed");
    assert_eq!(upstream.count(), 0, "nothing that was refused may arrive");
}

#[tokio::test]
async fn a_list_shows_what_a_call_is_allowed_and_is_private() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));

    let answer = agent.modern(&list()).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    let names: Vec<_> = answer.json()["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].clone())
        .collect();
    assert_eq!(names, ["search_customers"]);
    assert_eq!(answer.json()["result"]["cacheScope"], "private");
}
