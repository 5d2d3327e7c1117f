//! How old a token and a login may be, and what is said to whoever is too late (RFC 9470).

use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused, challenge, metadata_url};
use crate::support::{Agent, Gateway, Setup, Upstream, call, list, modern, now};

const TIERS: &str = "    tiers:
      high: { tools: [refund], max_auth_age: 10m, acr: [phr, mfa], approval: none }
      low: { tools: [\"get_*\"], max_token_age: 2m }
";

/// A gateway with these keys at its server, and a token of an analyst with these claims.
async fn with(server: &str, claims: &Value) -> (Gateway, Upstream, Agent) {
    let upstream = Upstream::plain().await;
    let setup = Setup {
        server: server.to_owned(),
        ..Setup::default()
    };
    let mut all = setup.issuer.claims("alice", &["analyst"]);
    all["scope"] = json!("crm:read crm:refund");
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let token = setup.issuer.sign_claims(&all);
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, upstream, agent)
}

fn search() -> Value {
    modern("search_x", &json!({}))
}

#[tokio::test]
async fn a_token_past_the_servers_age_is_refused_as_invalid() {
    let (gateway, upstream, agent) =
        with("    max_token_age: 5m\n", &json!({ "iat": now() - 310 })).await;
    let answer = agent.modern(&search()).await;
    assert_refused(&answer, 401, 40106);
    assert_eq!(challenge(&answer).parameter("error"), Some("invalid_token"));
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "decision", "token_too_old");

    let (_gateway, upstream, agent) =
        with("    max_token_age: 5m\n", &json!({ "iat": now() - 290 })).await;
    assert_eq!(agent.modern(&search()).await.status, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_login_past_the_servers_age_is_asked_for_again() {
    let server = "    max_auth_age: 1h\n";
    for claims in [json!({ "auth_time": now() - 3700 }), json!({})] {
        let (gateway, upstream, agent) = with(server, &claims).await;
        let answer = agent.modern(&search()).await;
        assert_refused(&answer, 401, 40105);
        let expected = format!(
            r#"Bearer error="insufficient_user_authentication", max_age="3600", scope="crm:read", resource_metadata="{}""#,
            metadata_url()
        );
        assert_eq!(answer.header("www-authenticate"), Some(expected.as_str()));
        challenge(&answer);
        assert_eq!(upstream.count(), 0);
        let record = gateway.only_record().await;
        assert_on_record(
            &record,
            &answer,
            "decision",
            "insufficient_user_authentication",
        );
    }
    let (_gateway, upstream, agent) = with(server, &json!({ "auth_time": now() - 3500 })).await;
    assert_eq!(agent.modern(&search()).await.status, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_login_of_another_strength_is_asked_for_again() {
    let server = "    acr: [phr, mfa]\n";
    for claims in [
        json!({ "acr": "pwd" }),
        json!({ "acr": ["mfa"] }),
        json!({}),
    ] {
        let (_gateway, upstream, agent) = with(server, &claims).await;
        let answer = agent.modern(&search()).await;
        assert_refused(&answer, 401, 40105);
        assert_eq!(challenge(&answer).parameter("acr_values"), Some("phr mfa"));
        assert_eq!(challenge(&answer).parameter("max_age"), None);
        assert_eq!(upstream.count(), 0);
    }
    let (_gateway, upstream, agent) = with(server, &json!({ "acr": "mfa" })).await;
    assert_eq!(agent.modern(&search()).await.status, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_tier_demands_it_of_its_tools_alone() {
    let (_gateway, upstream, agent) = with(TIERS, &json!({ "auth_time": now() - 700 })).await;
    assert_eq!(agent.modern(&search()).await.status, 200);
    let answer = agent.modern(&modern("refund", &json!({}))).await;
    assert_refused(&answer, 401, 40105);
    assert_eq!(challenge(&answer).parameter("acr_values"), Some("phr mfa"));
    assert_eq!(challenge(&answer).parameter("max_age"), Some("600"));
    assert_eq!(upstream.count(), 1);

    let fresh = json!({ "auth_time": now() - 500, "acr": "phr" });
    let (_gateway, upstream, agent) = with(TIERS, &fresh).await;
    let answer = agent.modern(&modern("refund", &json!({}))).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn a_tier_may_want_a_newer_token() {
    let (_gateway, upstream, agent) = with(TIERS, &json!({ "iat": now() - 180 })).await;
    assert_refused(
        &agent.modern(&modern("get_customer", &json!({}))).await,
        401,
        40106,
    );
    assert_eq!(upstream.count(), 0);
    let (_gateway, upstream, agent) = with(TIERS, &json!({ "iat": now() - 60 })).await;
    assert_eq!(
        agent
            .modern(&modern("get_customer", &json!({})))
            .await
            .status,
        200
    );
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn one_challenge_names_all_that_server_and_tier_demand() {
    let server = format!("    max_auth_age: 5m\n    acr: [mfa, pwd]\n{TIERS}");
    let claims = json!({ "auth_time": now() - 400, "acr": "pwd" });
    let (_gateway, upstream, agent) = with(&server, &claims).await;
    let answer = agent.modern(&modern("refund", &json!({}))).await;
    assert_eq!(challenge(&answer).parameter("acr_values"), Some("mfa"));
    assert_eq!(challenge(&answer).parameter("max_age"), Some("300"));
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn what_the_role_may_not_do_is_denied_whatever_the_login() {
    let server = "    max_auth_age: 1h\n    tiers: { high: { tools: [\"*\"], acr: [phr], approval: none } }\n";
    let (_gateway, upstream, agent) = with(server, &json!({})).await;
    let answer = agent.modern(&modern("delete_customer", &json!({}))).await;
    assert_refused(&answer, 403, 40301);
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn older_revisions_are_told_with_the_same_status() {
    let (_gateway, upstream, agent) = with("    max_auth_age: 1h\n", &json!({})).await;
    let answer = agent.legacy(&call("search_x", &json!({}))).await;
    assert_refused(&answer, 401, 40105);
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_tool_that_a_fresh_login_would_open_is_listed() {
    let (_gateway, upstream, agent) = with(TIERS, &json!({})).await;
    assert_eq!(agent.modern(&list()).await.status, 200);
    assert_eq!(upstream.count(), 1);
}
