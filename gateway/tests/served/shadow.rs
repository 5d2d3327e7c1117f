//! Policies without effect: no answer changes, both decisions are on record, and what changes their effect is recorded too.

use gatewright::control::admin;
use reqwest::Method;
use serde_json::{Value, json};

use crate::edge::assert_refused;
use crate::support::{
    Agent, Gateway, Reply, Setup, Upstream, call, legacy, list, modern, send, stateless,
};

const ROWS: &str = "    analyst:\n      crm:\n        - { tool: search_customers, limit: 1/hour }\n        - { tool: refund, when: \"context.args.amount <= 100\" }\n        - { tool: export, scopes: [\"crm:export\"] }\n";
const SHADOW: &str = "  mode: shadow\n";

async fn with(roles: &str, server: &str) -> (Gateway, Upstream, Agent) {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        roles: roles.to_owned(),
        server: server.to_owned(),
        ..Setup::default()
    };
    let (gateway, agent) = setup.start_with_agent(&upstream).await;
    (gateway, upstream, agent)
}

fn refund(amount: u64) -> Value {
    modern("refund", &json!({ "amount": amount }))
}

async fn report(gateway: &Gateway) -> Value {
    let socket = gateway.setup.folder.path().join("gatewright.sock");
    let told = admin::command(&socket, hyper::Method::GET, "/shadow").await;
    serde_json::from_str(&told.unwrap()).unwrap()
}

#[tokio::test]
async fn in_shadow_mode_the_policy_refuses_nothing_and_the_record_says_what_it_would() {
    let (gateway, upstream, agent) = with(&format!("{ROWS}{SHADOW}"), "").await;
    for message in [
        refund(100),
        refund(101),
        modern("delete_everything", &json!({})),
        modern("export", &json!({})),
        modern("search_customers", &json!({})),
        modern("search_customers", &json!({})),
    ] {
        let answer = agent.modern(&message).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(upstream.count(), 6);
    let decisions = gateway.records_of("decision").await;
    let told: Vec<_> = decisions
        .iter()
        .map(|record| {
            assert_eq!(record["decision"], "allow");
            assert_eq!(record["policy"]["mode"], "shadow");
            assert_eq!(record["reason"], Value::Null);
            let shadow = &record["policy"]["shadow"];
            (
                shadow["decision"].as_str().unwrap(),
                shadow["ids"].to_string(),
            )
        })
        .collect();
    let one = |rule: u8| format!("[\"roles.analyst.crm[{rule}]\"]");
    assert_eq!(
        told,
        [
            ("allow", one(1)),
            ("deny", one(1)),
            ("deny", "[]".to_owned()),
            ("deny", one(2)),
            ("allow", one(0)),
            ("deny", one(0)),
        ]
    );
    let metrics = gateway.metrics().await;
    for line in [
        "gatewright_shadow_disagreements_total{from=\"allow\",server=\"crm\",to=\"deny\"} 4",
        "gatewright_decisions_total{decision=\"allow\",mode=\"shadow\",reason=\"\",server=\"crm\"} 6",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
}

#[tokio::test]
async fn in_shadow_mode_lists_are_whole_and_what_is_no_policy_still_refuses() {
    let (gateway, upstream, agent) = with(&format!("{ROWS}{SHADOW}"), "    acr: [phr]\n").await;
    let poor = gateway.setup.issuer.token("alice", &["analyst"], "");
    let poor = Agent::new(gateway.url(), Some(poor));
    assert_refused(&poor.modern(&refund(1)).await, 403, 40300);
    assert_refused(
        &agent.modern(&modern("other", &json!({}))).await,
        401,
        40105,
    );
    assert_refused(
        &agent.modern(&stateless("tasks/list", &json!({}))).await,
        404,
        -32601,
    );
    let stranger = Agent::new(gateway.url(), None);
    assert_refused(&stranger.modern(&refund(1)).await, 401, 40101);
    assert_eq!(upstream.count(), 0);

    let (_gateway, _upstream, agent) = with(&format!("{ROWS}{SHADOW}"), "").await;
    let shadow = agent.modern(&list()).await.json()["result"]["tools"].clone();
    let (_gateway, _upstream, agent) = with(ROWS, "").await;
    let enforced = agent.modern(&list()).await.json()["result"]["tools"].clone();
    let count = |tools: &Value| tools.as_array().unwrap().len();
    assert!(count(&shadow) > count(&enforced), "{shadow} {enforced}");
}

/// A gateway that enforces [`ROWS`] and asks these besides.
async fn beside(candidate: &str) -> (Gateway, Upstream, Agent) {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        roles: format!("{ROWS}  shadow: candidate.yaml\n"),
        ..Setup::default()
    };
    let file = setup.folder.path().join("candidate.yaml");
    std::fs::write(file, format!("policy:\n  roles:\n{candidate}")).unwrap();
    let (gateway, agent) = setup.start_with_agent(&upstream).await;
    (gateway, upstream, agent)
}

const STRICTER: &str = "    analyst:\n      crm:\n        - { tool: refund, when: \"context.args.amount <= 50\" }\n        - delete_customer\n";

#[tokio::test]
async fn a_candidate_changes_no_answer_and_both_decisions_are_on_record_and_counted() {
    let (gateway, upstream, agent) = beside(STRICTER).await;
    assert_eq!(agent.modern(&refund(50)).await.status, 200);
    assert_eq!(agent.modern(&refund(80)).await.status, 200);
    assert_eq!(agent.modern(&refund(81)).await.status, 200);
    assert_refused(
        &agent.modern(&modern("delete_customer", &json!({}))).await,
        403,
        40301,
    );
    assert_refused(&agent.modern(&refund(101)).await, 403, 40304);
    assert_eq!(upstream.count(), 3);

    assert_recorded(&gateway).await;
    assert_counted(&gateway).await;
}

/// Both decisions, of each of five calls.
async fn assert_recorded(gateway: &Gateway) {
    let decisions = gateway.records_of("decision").await;
    let told: Vec<_> = decisions
        .iter()
        .filter(|record| record["policy"]["mode"] == "enforce")
        .map(|record| {
            let there = &record["policy"]["shadow"]["decision"];
            (
                record["decision"].as_str().unwrap(),
                there.as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("allow", "allow"),
            ("allow", "deny"),
            ("allow", "deny"),
            ("deny", "allow"),
            ("deny", "deny")
        ]
    );
    assert_eq!(
        decisions[3]["policy"]["shadow"]["ids"],
        json!(["roles.analyst.crm[1]"])
    );
}

/// Five decisions, of which the candidate takes two away and gives one.
async fn assert_counted(gateway: &Gateway) {
    let metrics = gateway.metrics().await;
    for line in [
        "gatewright_shadow_disagreements_total{from=\"allow\",server=\"crm\",to=\"deny\"} 2",
        "gatewright_shadow_disagreements_total{from=\"deny\",server=\"crm\",to=\"allow\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let report = report(gateway).await;
    assert_eq!(report["mode"], "enforce");
    assert_eq!(
        (&report["decisions"], &report["disagreements"]),
        (&json!(5), &json!(3))
    );
    assert_eq!(
        report["rows"][0],
        json!({
            "issuer": "https://auth.test", "subject": "alice", "server": "crm", "name": "refund",
            "from": "allow", "to": "deny", "reason": "argument_denied", "count": 2,
        })
    );
    assert_eq!(report["rows"][1]["to"], "allow");
    assert_eq!(report["others"], 0);
}

#[tokio::test]
async fn a_candidate_that_comes_into_force_is_recorded_with_what_was_known_of_it() {
    let (gateway, upstream, agent) = beside(STRICTER).await;
    assert_eq!(agent.modern(&refund(80)).await.status, 200);
    let before = report(&gateway).await;
    let rows = format!("{ROWS}  shadow: candidate.yaml\n");
    gateway.change(&[(&rows, STRICTER)]).await.unwrap();
    assert_refused(&agent.modern(&refund(80)).await, 403, 40304);
    assert_eq!(upstream.count(), 1);

    let changes = changes(&gateway, "policy/promoted").await;
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let promotion = &changes[0]["promotion"];
    assert_eq!(promotion["from"], before["policy"]);
    assert_eq!(promotion["to"], before["shadow"]);
    assert_eq!(promotion["disagreements"], 1);
    let after = report(&gateway).await;
    assert_eq!(after["policy"], before["shadow"]);
    assert_eq!(
        (&after["shadow"], &after["disagreements"]),
        (&Value::Null, &json!(0))
    );
}

async fn changes(gateway: &Gateway, action: &str) -> Vec<Value> {
    let mut config = gateway.records_of("config").await;
    config.retain(|record| record["action"] == action);
    config
}

#[tokio::test]
async fn to_leave_and_to_enter_shadow_mode_is_recorded_and_takes_effect_at_once() {
    let (gateway, upstream, agent) = with(&format!("{ROWS}{SHADOW}"), "").await;
    let delete = modern("delete_customer", &json!({}));
    assert_eq!(agent.modern(&delete).await.status, 200);
    gateway
        .change(&[("mode: shadow", "mode: enforce")])
        .await
        .unwrap();
    assert_refused(&agent.modern(&delete).await, 403, 40301);
    let promoted = changes(&gateway, "policy/promoted").await;
    assert_eq!(promoted[0]["promotion"]["disagreements"], 1);
    assert_eq!(
        promoted[0]["promotion"]["from"],
        promoted[0]["promotion"]["to"]
    );
    assert!(changes(&gateway, "policy/demoted").await.is_empty());

    gateway
        .change(&[("mode: enforce", "mode: shadow")])
        .await
        .unwrap();
    assert_eq!(agent.modern(&delete).await.status, 200);
    assert_eq!(changes(&gateway, "policy/demoted").await.len(), 1);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn what_shadow_mode_let_begin_ends_with_it() {
    let upstream = Upstream::start(|arrived| {
        let id = arrived.json()["id"].clone();
        let reply = json!({ "jsonrpc": "2.0", "id": id, "result": { "protocolVersion": "2025-11-25", "capabilities": {},
            "serverInfo": { "name": "s", "version": "1" } } });
        Reply::json(&reply).with("mcp-session-id", "s-1")
    })
    .await;
    let setup = Setup {
        roles: format!("{ROWS}{SHADOW}"),
        ..Setup::default()
    };
    let (gateway, agent) = setup.start_with_agent(&upstream).await;
    let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "a", "version": "1" } });
    let opened = agent.legacy(&legacy("initialize", &hello)).await;
    let id = opened.header("mcp-session-id").unwrap().to_owned();
    let in_session = async || {
        let request = agent
            .request(Method::POST)
            .header("mcp-protocol-version", "2025-11-25")
            .header("mcp-session-id", &id);
        let message = call("refund", &json!({ "amount": 1 })).to_string();
        send(request.body(message)).await
    };
    assert_eq!(in_session().await.status, 200);
    gateway
        .change(&[("mode: shadow", "mode: enforce")])
        .await
        .unwrap();
    assert_refused(&in_session().await, 404, 40401);
}

#[tokio::test]
async fn budgets_of_a_policy_without_effect_are_counted_apart() {
    let candidate = "    analyst:\n      crm:\n        - { tool: search_customers, limit: 1/hour }\n        - { tool: refund, limit: 1/hour }\n";
    let (gateway, upstream, agent) = beside(candidate).await;
    let search = modern("search_customers", &json!({}));
    assert_eq!(
        agent.modern(&search).await.status,
        200,
        "the other account is not this one"
    );
    assert_refused(&agent.modern(&search).await, 429, 42901);
    for _ in 0..3 {
        assert_eq!(agent.modern(&refund(1)).await.status, 200);
    }
    assert_eq!(upstream.count(), 4);
    let decisions = gateway.records_of("decision").await;
    let shadow: Vec<_> = decisions
        .iter()
        .map(|record| record["policy"]["shadow"]["decision"].as_str().unwrap())
        .collect();
    assert_eq!(shadow, ["allow", "deny", "allow", "deny", "deny"]);
}
