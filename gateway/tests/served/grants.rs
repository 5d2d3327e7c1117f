//! Roles that an issuer's word gives besides its roles claim, and who they are given to.

use serde_json::{Value, json};

use crate::edge::assert_refused;
use crate::support::{Agent, Gateway, Issuer, Setup, Upstream, modern};

const GRANTS: &str = "    reader:
      crm: [search_*]
      grant:
        - { issuer: corp, scopes: [crm:read, crm:search] }
        - { issuer: corp, client: nightly }
        - { issuer: corp, subject: alice, client: desk }
";

/// A gateway that also trusts a partner, whose subjects are not ours.
async fn two_issuers() -> (Gateway, Upstream, Issuer) {
    let upstream = Upstream::plain().await;
    let (setup, partner) = (
        Setup {
            roles: GRANTS.to_owned(),
            ..Setup::default()
        },
        Issuer::new(),
    );
    partner.write_jwks(&setup.folder.path().join("partner.json"));
    let yaml = setup.yaml(&upstream.url()).replace(
        "servers:",
        "  - name: partner\n    url: https://partner.test\n    jwks_file: partner.json\nservers:",
    );
    (Gateway::start(setup, yaml).await, upstream, partner)
}

async fn status(gateway: &Gateway, token: String) -> u16 {
    let agent = Agent::new(gateway.url(), Some(token));
    let answer = agent.modern(&modern("search_x", &json!({}))).await;
    if answer.status != 200 {
        assert_refused(&answer, 403, 40301);
    }
    answer.status
}

fn claims(issuer: &Issuer, url: &str, change: &Value) -> String {
    let mut claims = issuer.claims("bob", &[]);
    claims["iss"] = json!(url);
    claims["scope"] = json!("crm:read");
    for (name, value) in change.as_object().unwrap() {
        claims[name] = value.clone();
    }
    issuer.sign_claims(&claims)
}

#[tokio::test]
async fn a_grant_holds_when_all_that_it_names_holds() {
    let (gateway, upstream, _) = two_issuers().await;
    let corp = |change: Value| claims(&gateway.setup.issuer, "https://auth.test", &change);
    for (change, expected) in [
        (json!({}), 403),
        (json!({ "scope": "crm:read crm:search" }), 200),
        (json!({ "client_id": "nightly" }), 200),
        (json!({ "sub": "alice" }), 403),
        (json!({ "sub": "alice", "client_id": "desk" }), 200),
        (json!({ "client_id": "desk" }), 403),
    ] {
        assert_eq!(
            status(&gateway, corp(change.clone())).await,
            expected,
            "{change}"
        );
    }
    assert_eq!(upstream.count(), 3);
}

#[tokio::test]
async fn j40_a_subject_of_another_issuer_has_none_of_its_roles() {
    let (gateway, upstream, partner) = two_issuers().await;
    for change in [
        json!({ "sub": "alice", "client_id": "desk" }),
        json!({ "client_id": "nightly" }),
        json!({ "scope": "crm:read crm:search" }),
    ] {
        let theirs = claims(&partner, "https://partner.test", &change);
        assert_eq!(status(&gateway, theirs).await, 403, "{change}");
    }
    assert_eq!(upstream.count(), 0);
    let ours = json!({ "sub": "alice", "client_id": "desk" });
    let ours = claims(&gateway.setup.issuer, "https://auth.test", &ours);
    assert_eq!(status(&gateway, ours).await, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn the_kind_of_a_principal_is_on_record() {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = |change: Value| {
        let change = change.as_object().unwrap().clone();
        let mut claims = setup.issuer.claims("alice", &["analyst"]);
        claims["scope"] = json!("crm:read");
        claims.as_object_mut().unwrap().extend(change);
        setup.issuer.sign_claims(&claims)
    };
    let tokens = [
        (token(json!({})), "user"),
        (token(json!({ "act": { "sub": "planner" } })), "user"),
        (token(json!({ "sub": "agent-1" })), "agent"),
        (token(json!({ "gty": "client-credentials" })), "agent"),
        (token(json!({ "idtyp": "app" })), "agent"),
        (token(json!({ "sub": "ci", "client_id": "ci" })), "service"),
    ];
    let yaml = setup.yaml(&upstream.url()).replace(
        "    jwks_file: jwks.json\n",
        "    jwks_file: jwks.json\n    service_clients: [ci]\n",
    );
    let gateway = Gateway::start(setup, yaml).await;
    for (token, _) in &tokens {
        let agent = Agent::new(gateway.url(), Some(token.clone()));
        let answer = agent.modern(&modern("search_x", &json!({}))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let kinds: Vec<_> = gateway
        .records_of("decision")
        .await
        .iter()
        .map(|record| record["subject"]["type"].as_str().unwrap().to_owned())
        .collect();
    let expected: Vec<_> = tokens.iter().map(|(_, kind)| *kind).collect();
    assert_eq!(kinds, expected);
}
