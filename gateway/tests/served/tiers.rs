//! What follows from how much harm a call can do: somebody is told, the login is fresh, a human agrees.

use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused};
use crate::support::{Agent, Gateway, Reply, Setup, Upstream, call, list, modern, now};

const ROWS: &str = "    analyst:
      crm: [search_*, refund, delete_customer, get_customer]
";

async fn with(server: &str, rows: &str) -> (Gateway, Upstream, Agent) {
    let upstream = listing().await;
    let setup = Setup {
        roles: rows.to_owned(),
        server: server.to_owned(),
        ..Setup::default()
    };
    let (gateway, agent) = setup.start_with_agent(&upstream).await;
    (gateway, upstream, agent)
}

/// Lists a tool that only reads, one that destroys and one that says nothing.
async fn listing() -> Upstream {
    Upstream::start(|arrived| {
        let message = arrived.json();
        let tool = |name: &str, annotations: Value| {
            json!({ "name": name, "inputSchema": { "type": "object" }, "annotations": annotations })
        };
        let result = match message["method"].as_str() {
            Some("tools/list") => json!({ "tools": [
                tool("get_customer", json!({ "readOnlyHint": true })),
                tool("delete_customer", json!({ "destructiveHint": true, "readOnlyHint": false })),
                tool("refund", json!({})),
            ]}),
            _ => json!({ "content": [] }),
        };
        Reply::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
    })
    .await
}

fn calling(tool: &str) -> Value {
    modern(tool, &json!({}))
}

#[tokio::test]
async fn the_highest_tier_waits_for_a_human_and_is_shown_in_lists() {
    let (gateway, upstream, agent) = with("    tiers: { high: { tools: [refund] } }\n", ROWS).await;
    let answer = agent.modern(&calling("refund")).await;
    assert_refused(&answer, 403, 40302);
    assert_eq!(answer.header("www-authenticate"), None);
    let old = agent.legacy(&call("refund", &json!({}))).await;
    assert_eq!((old.status, old.code()), (200, Some(40302)));
    assert_eq!(upstream.count(), 0);
    let decisions = gateway.records_of("decision").await;
    assert_on_record(&decisions[0], &answer, "decision", "approval_required");
    assert_eq!(decisions[0]["policy"]["tier"], "high");
    assert_eq!(
        decisions[0]["policy"]["ids"],
        json!(["roles.analyst.crm[1]"])
    );
    let shown = agent.modern(&list()).await.json()["result"]["tools"].clone();
    assert!(shown.to_string().contains("refund"), "{shown}");
    assert_eq!(agent.modern(&calling("get_customer")).await.status, 200);
}

#[tokio::test]
async fn a_login_is_fresh_before_a_human_is_asked() {
    let server = "    tiers: { high: { tools: [refund], max_auth_age: 10m } }\n";
    let (gateway, upstream, agent) = with(server, ROWS).await;
    assert_refused(&agent.modern(&calling("refund")).await, 401, 40105);
    let mut claims = gateway.setup.issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read");
    claims["auth_time"] = json!(now() - 60);
    let fresh = gateway.setup.issuer.sign_claims(&claims);
    let agent = Agent::new(gateway.url(), Some(fresh));
    assert_refused(&agent.modern(&calling("refund")).await, 403, 40302);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_medium_tier_passes_and_somebody_is_told_who_did_what_by_which_rule() {
    let server =
        "    tiers: { medium: { tools: [refund] }, high: { tools: [delete_*], approval: none } }\n";
    let (gateway, upstream, agent) = with(server, ROWS).await;
    for tool in ["refund", "delete_customer", "get_customer"] {
        assert_eq!(agent.modern(&calling(tool)).await.status, 200, "{tool}");
    }
    assert_eq!(upstream.count(), 3);
    let notices = gateway.records_of("notice").await;
    let decisions = gateway.records_of("decision").await;
    assert_eq!(notices.len(), 2, "{notices:#?}");
    for (notice, (decision, tier)) in notices.iter().zip(decisions.iter().zip(["medium", "high"])) {
        assert_eq!(notice["decision_id"], decision["event_id"]);
        assert_eq!(notice["decision"], Value::Null);
        assert_eq!(notice["policy"], decision["policy"]);
        assert_eq!(notice["policy"]["tier"], tier);
        assert_eq!(notice["resource"], decision["resource"]);
        assert_eq!(notice["subject"]["id"], "alice");
        assert!(notice["seq"].as_u64() > decision["seq"].as_u64());
    }
    assert_eq!(decisions[2]["policy"]["tier"], Value::Null);
    let metrics = gateway.metrics().await;
    assert!(
        metrics.contains("gatewright_notices_total{server=\"crm\"} 2"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_rule_may_say_the_tier_and_the_highest_counts() {
    let rows = "    analyst:\n      crm:\n        - { tool: refund, tier: high }\n        - { tool: get_customer, tier: medium }\n        - search_*\n";
    let (gateway, upstream, agent) = with("", rows).await;
    assert_refused(&agent.modern(&calling("refund")).await, 403, 40302);
    assert_eq!(agent.modern(&calling("get_customer")).await.status, 200);
    assert_eq!(upstream.count(), 1);
    assert_eq!(gateway.records_of("notice").await.len(), 1);

    let server = "    tiers: { high: { approval: none, acr: [phr] } }\n";
    let (_gateway, upstream, agent) = with(server, rows).await;
    assert_refused(&agent.modern(&calling("refund")).await, 401, 40105);
    assert_eq!(
        upstream.count(),
        0,
        "the tier of a rule demands what the tier does"
    );

    let server = "    tiers: { high: { approval: none } }\n";
    let (_gateway, upstream, agent) = with(server, rows).await;
    assert_eq!(agent.modern(&calling("refund")).await.status, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_rule_that_wants_approval_says_whose_on_record_and_another_that_wants_none_wins() {
    let rows = "    analyst:\n      crm:\n        - { tool: refund, approval: { by: crm-owners, ttl: 10m } }\n    boss:\n      crm: [refund]\n";
    let server = "    tiers: { high: { approval: none } }\n";
    let (gateway, upstream, agent) = with(server, rows).await;
    let answer = agent.modern(&calling("refund")).await;
    assert_refused(&answer, 403, 40302);
    assert!(!answer.body.contains("crm-owners"), "{}", answer.body);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "decision", "approval_required");
    assert_eq!(
        record["reason"]["message"],
        "somebody of `crm-owners` has to agree first"
    );
    assert_eq!(upstream.count(), 0);
    let shown = agent.modern(&list()).await.json()["result"]["tools"].clone();
    assert!(shown.to_string().contains("refund"), "{shown}");

    let boss = gateway
        .setup
        .issuer
        .token("bea", &["analyst", "boss"], "crm:read");
    let boss = Agent::new(gateway.url(), Some(boss));
    assert_eq!(boss.modern(&calling("refund")).await.status, 200);
}

#[tokio::test]
async fn what_a_pinned_tool_of_a_trusted_server_says_puts_it_in_a_tier() {
    let server = "    pins: warn\n    trust_annotations: true\n    tiers: { high: { annotations: [destructive] } }\n";
    let (_gateway, upstream, agent) = with(server, ROWS).await;
    let before = agent.modern(&calling("get_customer")).await;
    assert_refused(&before, 403, 40302);
    assert_eq!(
        upstream.count(),
        0,
        "a tool that was never listed is the worst"
    );
    assert_eq!(agent.modern(&list()).await.status, 200);
    assert_eq!(agent.modern(&calling("get_customer")).await.status, 200);
    for worst in ["delete_customer", "refund", "search_unlisted"] {
        assert_refused(&agent.modern(&calling(worst)).await, 403, 40302);
    }
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn conditions_see_what_a_tool_says_only_where_its_server_is_trusted() {
    let rows = "    analyst:\n      crm:\n        - { tool: \"*\", when: resource.read_only }\n";
    let trusted = "    pins: warn\n    trust_annotations: true\n";
    let (_gateway, upstream, agent) = with(trusted, rows).await;
    assert_eq!(agent.modern(&list()).await.status, 200);
    assert_eq!(agent.modern(&calling("get_customer")).await.status, 200);
    assert_refused(&agent.modern(&calling("delete_customer")).await, 403, 40301);
    assert_eq!(upstream.count(), 2);

    let (_gateway, upstream, agent) = with("    pins: warn\n", rows).await;
    assert_eq!(agent.modern(&list()).await.status, 200);
    assert_refused(&agent.modern(&calling("get_customer")).await, 403, 40301);
    assert_eq!(upstream.count(), 1);
}
