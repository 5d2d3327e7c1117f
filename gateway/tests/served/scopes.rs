//! A scope that would help is named, and helps; a denial that no scope changes has no challenge.

use crate::edge::{assert_on_record, assert_refused, challenge, metadata_url};
use crate::support::{Agent, Setup, Upstream, call, modern, send};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn p07_a_token_without_the_servers_minimum_is_told_all_scopes_to_ask_for() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.issuer.token("alice", &["analyst"], "profile");
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));

    let answer = agent.modern(&modern("search_x", &json!({}))).await;

    assert_refused(&answer, 403, 40300);
    assert_eq!(answer.json()["id"], 7);
    let expected = format!(
        r#"Bearer error="insufficient_scope", scope="profile crm:read", resource_metadata="{}""#,
        metadata_url()
    );
    assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
    challenge(&answer);
    let data = &answer.json()["error"]["data"];
    assert_eq!(data["missing_scopes"], json!(["crm:read"]));
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "decision", "insufficient_scope");
    assert_eq!(record["reason"]["missing_scopes"], json!(["crm:read"]));
}

#[tokio::test]
async fn the_minimum_holds_for_every_era_and_verb() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.issuer.token("alice", &["analyst"], "");
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));

    let legacy = agent.legacy(&call("search_x", &json!({}))).await;
    let stream = send(agent.request(Method::GET)).await;
    let end = send(agent.request(Method::DELETE)).await;

    for answer in [legacy, stream, end] {
        assert_refused(&answer, 403, 40300);
        assert_eq!(challenge(&answer).parameter("scope"), Some("crm:read"));
    }
    assert_eq!(upstream.count(), 0);
    assert_eq!(gateway.settled().await.len(), 3);
}

#[tokio::test]
async fn p07_a_row_with_scopes_asks_for_them_and_opens_with_them() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let poor = setup.analyst();
    let rich = setup
        .issuer
        .token("alice", &["analyst"], "crm:read crm:refund");
    let gateway = setup.start(&upstream).await;
    let message = modern("refund", &json!({ "amount": 3 }));

    let refused = Agent::new(gateway.url(), Some(poor)).modern(&message).await;
    assert_refused(&refused, 403, 40300);
    assert_eq!(
        challenge(&refused).parameter("scope"),
        Some("crm:read crm:refund"),
        "what is held stays held"
    );
    assert_eq!(
        refused.json()["error"]["data"]["missing_scopes"],
        json!(["crm:refund"])
    );
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &refused, "decision", "insufficient_scope");
    assert_eq!(
        record["policy"]["ids"],
        json!(["roles.analyst.crm[4]"]),
        "the rule that would allow it"
    );

    let allowed = Agent::new(gateway.url(), Some(rich)).modern(&message).await;
    assert_eq!(allowed.status, 200, "{}", allowed.body);
    assert_eq!(upstream.count(), 1);
    let records = gateway.outcomes(1).await;
    assert_eq!(records[0]["decision_id"].as_str().map(str::len), Some(36));
    let decisions = gateway.records_of("decision").await;
    assert_eq!(
        decisions[1]["scopes_used"],
        json!(["crm:read", "crm:refund"]),
        "the scopes that this call needed"
    );
}

#[tokio::test]
async fn a_policy_denial_has_no_challenge() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let stranger_to_all = setup.issuer.token("bob", &[], "crm:read crm:refund");
    let gateway = setup.start(&upstream).await;

    for (token, tool) in [(token, "delete_customer"), (stranger_to_all, "refund")] {
        let agent = Agent::new(gateway.url(), Some(token));
        let answer = agent.modern(&modern(tool, &json!({}))).await;
        assert_refused(&answer, 403, 40301);
        assert_eq!(answer.header("www-authenticate"), None, "{tool}");
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), 2);
    for record in records {
        assert_eq!(record["reason"]["code"], "tool_not_allowed");
        assert_eq!(record["policy"]["ids"], json!([]), "no rule allows it");
    }
}
