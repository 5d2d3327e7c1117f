//! API keys beside tokens: both are verified, none leads on to the other, and a key goes no further than the gateway.

use gatewright::identity::api_key::NewKey;
use gatewright::model::Secret;
use serde_json::json;

use crate::edge::{assert_refused, challenge};
use crate::support::{Agent, Answer, Gateway, Setup, Upstream, list, modern, send};

const HASH_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A setup whose server takes the keys of `rows` until `sunset`, besides tokens.
pub(crate) fn taking(rows: &str, sunset: &str) -> Setup {
    let setup = Setup {
        server: format!(
            "    api_keys: {{ keys_file: keys.yaml, hash_key_file: hash.key, sunset: {sunset} }}\n"
        ),
        ..Setup::default()
    };
    let write = |name: &str, text: &str| {
        std::fs::write(setup.folder.path().join(name), text).unwrap();
    };
    write("hash.key", &format!("{HASH_KEY}\n"));
    write("keys.yaml", rows);
    setup
}

pub(crate) fn new_key() -> NewKey {
    NewKey::make().unwrap()
}

/// The row of `key`, with more members at its end.
pub(crate) fn row(key: &NewKey, more: &str) -> String {
    let hash = key.hash(&Secret::new(HASH_KEY.to_owned()));
    format!(
        "- {{ id: \"{}\", hash: \"hmac-sha256:{hash}\", subject: billing, client: billing-bot, created: 2026-01-15, roles: [analyst], scopes: [\"crm:read\"]{more} }}\n",
        key.id
    )
}

pub(crate) fn agent(gateway: &Gateway, key: &NewKey) -> Agent {
    Agent::new(gateway.url(), Some(key.key.expose().clone()))
}

/// A request with these header lines and no other credential.
async fn with(gateway: &Gateway, lines: &[(&str, &str)]) -> Answer {
    let agent = Agent::new(gateway.url(), None);
    let message = search();
    let mut request = crate::support::headers_of(agent.request(reqwest::Method::POST), &message);
    for (name, value) in lines {
        request = request.header(*name, *value);
    }
    send(request.body(message.to_string())).await
}

pub(crate) fn search() -> serde_json::Value {
    modern("search_x", &json!({}))
}

#[tokio::test]
async fn a_key_of_the_file_is_a_principal_like_another() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let setup = taking(&row(&key, ""), "2999-01-31");
    let gateway = setup.start(&upstream).await;
    let answer = agent(&gateway, &key).modern(&search()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let bare = with(&gateway, &[("x-api-key", key.key.expose())]).await;
    assert_eq!(bare.status, 200, "{}", bare.body);
    assert_eq!(upstream.count(), 2);

    let decisions = gateway.records_of("decision").await;
    assert_eq!(decisions.len(), 2);
    for record in &decisions {
        assert_eq!(record["authn"]["scheme"], "api_key");
        assert_eq!(record["subject"]["iss"], "urn:gatewright:api-keys");
        assert_eq!(record["subject"]["id"], "billing");
        assert_eq!(record["subject"]["type"], "service");
        assert_eq!(record["actor"]["client_id"], "billing-bot");
        assert_eq!(record["token_id"], key.id);
    }
}

#[tokio::test]
async fn the_rules_hold_for_keys_too() {
    let (upstream, key, plain) = (Upstream::plain().await, new_key(), new_key());
    let scopeless = row(&plain, "").replace("\"crm:read\"", "");
    let setup = taking(&(row(&key, ", kind: agent") + &scopeless), "2999-01-31");
    let gateway = setup.start(&upstream).await;
    let answer = agent(&gateway, &key)
        .modern(&modern("delete_x", &json!({})))
        .await;
    assert_refused(&answer, 403, 40301);
    let answer = agent(&gateway, &plain).modern(&search()).await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(upstream.count(), 0);
    let listed = agent(&gateway, &key).modern(&list()).await.json();
    let tools = listed["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1, "{listed}");
    let decisions = gateway.records_of("decision").await;
    assert_eq!(decisions[0]["subject"]["type"], "agent");
}

/// Keys that are nearly `good`.
fn others(good: &str) -> [String; 9] {
    let stranger = new_key().key.expose().clone();
    let (id, secret) = good.split_at(17);
    let (shorter, _) = good.split_at(good.len() - 1);
    let last = if good.ends_with('A') { 'E' } else { 'A' };
    [
        stranger.clone(),
        format!("{id}{}", stranger.split_at(17).1),
        format!("{shorter}{last}"),
        format!("{good}A"),
        shorter.to_owned(),
        id.to_owned(),
        format!("gwk_{secret}"),
        "gwk_".to_owned(),
        good.replace("gwk_", "gwk__"),
    ]
}

#[tokio::test]
async fn any_other_key_is_refused_in_the_same_words() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let setup = taking(&row(&key, ""), "2999-01-31");
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let good = key.key.expose().clone();
    let bad = others(&good);
    let mut told = Vec::new();
    for key in &bad {
        let answer = Agent::new(gateway.url(), Some(key.clone()))
            .modern(&search())
            .await;
        assert_refused(&answer, 401, 40102);
        assert_eq!(challenge(&answer).parameter("error"), Some("invalid_token"));
        assert_eq!(answer.header("sunset"), None);
        let mut body = answer.json();
        body["error"]["data"] = json!(null);
        told.push(body);
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    // What is no key at all is refused as well, and so is a good key in another case.
    for line in ["token", &token, &good.to_uppercase()] {
        assert_refused(&with(&gateway, &[("x-api-key", line)]).await, 401, 40102);
    }
    assert_eq!(upstream.count(), 0);
    let records = gateway.settled().await;
    assert_eq!(records.len(), bad.len() + 3);
    assert!(
        records
            .iter()
            .all(|record| record["authn"]["result"] == "bad_api_key")
    );

    let bearer = format!("Bearer {token}");
    assert_eq!(
        with(&gateway, &[("authorization", &bearer)]).await.status,
        200
    );
    assert_eq!(agent(&gateway, &key).modern(&search()).await.status, 200);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn a_key_and_a_token_together_are_refused_whichever_is_good() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let setup = taking(&row(&key, ""), "2999-01-31");
    let bearer = format!("Bearer {}", setup.analyst());
    let gateway = setup.start(&upstream).await;
    let (good, bad) = (key.key.expose().clone(), new_key().key.expose().clone());
    for lines in [
        [
            ("authorization", bearer.as_str()),
            ("x-api-key", good.as_str()),
        ],
        [
            ("authorization", bearer.as_str()),
            ("x-api-key", bad.as_str()),
        ],
        [("authorization", "Bearer x"), ("x-api-key", good.as_str())],
        [("x-api-key", good.as_str()), ("x-api-key", bad.as_str())],
        [("x-api-key", good.as_str()), ("x-api-key", good.as_str())],
    ] {
        assert_eq!(with(&gateway, &lines).await.status, 400, "{lines:?}");
    }
    // A bad key never leads on to another way in.
    assert_refused(
        &with(&gateway, &[("x-api-key", bad.as_str())]).await,
        401,
        40102,
    );
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_server_without_keys_takes_none() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let setup = Setup::default();
    let bearer = format!("Bearer {}", setup.analyst());
    let gateway = setup.start(&upstream).await;
    let good = key.key.expose();
    assert_refused(&agent(&gateway, &key).modern(&search()).await, 401, 40102);
    assert_refused(&with(&gateway, &[("x-api-key", good)]).await, 401, 40101);
    assert_eq!(upstream.count(), 0);
    // There it is a header like any other.
    let lines = [("authorization", bearer.as_str()), ("x-api-key", good)];
    assert_eq!(with(&gateway, &lines).await.status, 200);
    assert_eq!(upstream.arrived()[0].header("x-api-key"), None);
}

#[tokio::test]
async fn a_key_for_other_servers_is_no_key_here() {
    let (upstream, here, there) = (Upstream::plain().await, new_key(), new_key());
    let rows = row(&here, ", servers: [crm]") + &row(&there, ", servers: [erp]");
    let mut setup = taking(&rows, "2999-01-31");
    let erp = format!(
        "  - {{ name: erp, path: /erp/mcp, upstream: {} }}\n",
        upstream.url()
    );
    setup.server += &erp;
    let gateway = setup.start(&upstream).await;
    assert_refused(&agent(&gateway, &there).modern(&search()).await, 401, 40102);
    assert_eq!(upstream.count(), 0);
    assert_eq!(agent(&gateway, &here).modern(&search()).await.status, 200);
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn j55_a_key_reaches_neither_upstream_nor_answer_nor_record() {
    let (upstream, key) = (Upstream::plain().await, new_key());
    let gateway = taking(&row(&key, ""), "2999-01-31").start(&upstream).await;
    let good = key.key.expose().clone();
    let bearer = format!("Bearer {good}");
    let answers = [
        with(&gateway, &[("authorization", &bearer)]).await,
        with(&gateway, &[("x-api-key", &good)]).await,
        with(&gateway, &[("x-api-key", &format!("{good}A"))]).await,
        with(
            &gateway,
            &[("authorization", &bearer), ("x-api-key", &good)],
        )
        .await,
    ];
    let statuses = answers.iter().map(|answer| answer.status);
    assert_eq!(statuses.collect::<Vec<_>>(), [200, 200, 401, 400]);
    let (_, secret) = good.split_at(17);
    for answer in &answers {
        let shown = format!("{answer:?}");
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(upstream.count(), 2);
    for arrived in upstream.arrived() {
        assert_eq!(arrived.header("authorization"), None);
        assert_eq!(arrived.header("x-api-key"), None);
        assert!(!format!("{arrived:?}").contains(secret));
    }
    let records = gateway.settled().await;
    assert!(records.len() >= 4);
    for record in &records {
        assert!(!record.to_string().contains(secret), "{record}");
    }
    assert!(!gateway.metrics().await.contains(secret));
}

#[tokio::test]
async fn a_reload_takes_new_keys_and_drops_old_ones() {
    let (upstream, old, new) = (Upstream::plain().await, new_key(), new_key());
    let gateway = taking(&row(&old, ""), "2999-01-31").start(&upstream).await;
    assert_eq!(agent(&gateway, &old).modern(&search()).await.status, 200);
    assert_refused(&agent(&gateway, &new).modern(&search()).await, 401, 40102);
    let file = gateway.setup.folder.path().join("keys.yaml");
    std::fs::write(&file, row(&new, "")).unwrap();
    gateway.running.reload().await.unwrap();
    assert_refused(&agent(&gateway, &old).modern(&search()).await, 401, 40102);
    assert_eq!(agent(&gateway, &new).modern(&search()).await.status, 200);
    assert_eq!(upstream.count(), 2);
    // The file of keys is part of what is in force.
    let changed: Vec<_> = gateway.records_of("config").await;
    let started: Vec<_> = gateway.records_of("lifecycle").await;
    assert_ne!(
        changed[0]["gateway"]["config"],
        started[0]["gateway"]["config"]
    );

    std::fs::write(&file, "- { id: nonsense }\n").unwrap();
    let why = gateway.running.reload().await.unwrap_err();
    assert!(why.contains("keys.yaml:1:"), "{why}");
    assert_eq!(agent(&gateway, &new).modern(&search()).await.status, 200);
}
