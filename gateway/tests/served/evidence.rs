//! What the record keeps of arguments, of the model behind an agent and of what a client says of itself.

use serde_json::{Value, json};

use crate::support::{Agent, Gateway, Setup, Upstream, legacy, modern};

/// A gateway whose `audit` has these keys too, and an analyst before it.
async fn with_audit(keys: &str) -> (Gateway, Agent, Upstream) {
    with_claims(keys, &json!({})).await
}

async fn with_claims(keys: &str, more: &Value) -> (Gateway, Agent, Upstream) {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let mut claims = setup.issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read");
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let token = setup.issuer.sign_claims(&claims);
    let audit = format!(", {keys}");
    let gateway = Setup { audit, ..setup }.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, agent, upstream)
}

async fn decisions(gateway: &Gateway) -> Vec<Value> {
    gateway.records_of("decision").await
}

#[tokio::test]
async fn a03_equal_arguments_have_equal_digests_that_only_the_key_makes() {
    let upstream = Upstream::plain().await;
    let mut digests = Vec::new();
    for shared in [true, true, false] {
        let setup = Setup::default();
        let key = setup.folder.path().join("shared");
        std::fs::write(key, "a key that replicas share among them").unwrap();
        let token = setup.analyst();
        let more = if shared {
            ", digest_key_file: shared"
        } else {
            ""
        };
        let audit = format!("{{ ledger: audit{more} }}");
        let yaml = setup.yaml(&upstream.url());
        let gateway = Gateway::start(setup, yaml.replace("{ ledger: audit }", &audit)).await;
        let agent = Agent::new(gateway.url(), Some(token));
        for body in [
            r#"{"name":"search_x","arguments":{"a":1,"b":"x"}}"#,
            r#"{"name":"search_x","arguments":{ "b": "\u0078", "a": 1.0 }}"#,
        ] {
            let message =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{body}}}"#);
            assert_eq!(agent.bytes(message).await.status, 200);
        }
        let made = gateway.setup.folder.path().join("audit.digest-key");
        assert_eq!(
            made.exists(),
            !shared,
            "beside the ledger, where none is named"
        );
        let records = decisions(&gateway).await;
        assert_eq!(
            records[0]["arguments"]["digest"],
            records[1]["arguments"]["digest"]
        );
        assert_eq!(records[0]["arguments"]["canonical"], "jcs");
        assert_ne!(
            records[0]["arguments"]["bytes"],
            records[1]["arguments"]["bytes"]
        );
        digests.push(records[0]["arguments"]["digest"].clone());
    }
    assert_eq!(digests[0], digests[1], "replicas that share the key agree");
    assert_ne!(digests[0], digests[2]);
}

#[tokio::test]
async fn a04_values_of_arguments_are_on_record_only_where_they_are_listed() {
    let arguments = json!({ "id": 7, "card": "canary", "why": "x".repeat(300) });
    for (keys, fields) in [
        ("arguments: digest", Value::Null),
        (
            "arguments: fields, fields: { crm: { get_customer: [/id, /why, /gone] } }",
            json!({ "/id": 7, "/why": format!("{}…(cut)", "x".repeat(250)) }),
        ),
        (
            "arguments: fields, fields: { crm: { other: [/card] } }",
            Value::Null,
        ),
    ] {
        let (gateway, agent, upstream) = with_audit(keys).await;
        agent.modern(&modern("get_customer", &arguments)).await;
        agent.modern(&modern("delete_customer", &arguments)).await;
        assert_eq!(upstream.count(), 1);
        gateway.outcomes(1).await;
        let records = gateway.settled().await;
        assert!(!json!(records).to_string().contains("canary"), "{keys}");
        let kept = &decisions(&gateway).await[0]["arguments"]["fields"];
        assert_eq!(kept["/id"], fields["/id"], "{keys}");
        let why = kept["/why"].as_str().unwrap_or_default();
        assert!(
            why.is_empty() == fields.is_null() && why.len() < 280,
            "{why}"
        );
        assert!(why.is_empty() || why.ends_with("…(cut)"), "{why}");
        assert_eq!(kept.get("/gone"), None);
    }
}

#[tokio::test]
async fn without_an_arguments_record_there_is_neither_digest_nor_key() {
    let (gateway, agent, _upstream) = with_audit("arguments: none").await;
    agent.modern(&modern("search_x", &json!({ "a": 1 }))).await;
    assert_eq!(decisions(&gateway).await[0]["arguments"], Value::Null);
    assert!(
        !gateway
            .setup
            .folder
            .path()
            .join("audit.digest-key")
            .exists()
    );
}

fn naming(key: &str, model: Value) -> Value {
    let mut message = modern("search_x", &json!({}));
    message["params"]["_meta"][key] = model;
    message
}

/// The model on record of a call whose head and `_meta` name one.
async fn model(keys: &str, claims: &Value, message: &Value) -> Value {
    let (gateway, agent, _upstream) = with_claims(keys, claims).await;
    let request = agent
        .request(reqwest::Method::POST)
        .header("x-agent-model", "m-header");
    let request = crate::support::headers_of(request, message).body(message.to_string());
    let answer = crate::support::send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    decisions(&gateway).await[0]["model"].clone()
}

#[tokio::test]
async fn a20_the_model_comes_from_the_places_that_are_named_and_says_which() {
    let (none, claim) = (json!({}), json!({ "agent_model": "m-claim" }));
    let silent = modern("search_x", &json!({}));
    let meta = naming("gatewright/model", json!("m-meta"));
    let own = naming("acme/model", json!("m-own"));
    let header = "model: { header: X-Agent-Model }";
    let of = |name: &str, source: &str| json!({ "name": name, "source": source });
    for (keys, claims, message, expected) in [
        (header, &claim, &meta, of("m-claim", "claim")),
        (header, &none, &meta, of("m-meta", "meta")),
        (header, &none, &silent, of("m-header", "header")),
        ("queue: 1MiB", &none, &silent, Value::Null),
        ("queue: 1MiB", &claim, &silent, of("m-claim", "claim")),
        ("model: { claim: off }", &claim, &meta, of("m-meta", "meta")),
        ("model: { claim: other }", &claim, &silent, Value::Null),
        ("model: { meta: off }", &none, &meta, Value::Null),
        (
            "model: { meta: acme/model }",
            &none,
            &own,
            of("m-own", "meta"),
        ),
    ] {
        assert_eq!(model(keys, claims, message).await, expected, "{keys}");
    }
}

#[tokio::test]
async fn a20_a_model_keeps_its_provider_and_version_and_loses_what_is_no_name() {
    let full = json!({ "name": "m", "provider": "acme", "version": "2", "key": "canary" });
    let expected =
        |source: &str| json!({ "name": "m", "provider": "acme", "version": "2", "source": source });
    let silent = modern("search_x", &json!({}));
    let keys = "queue: 1MiB";
    let claimed = model(keys, &json!({ "agent_model": full }), &silent).await;
    assert_eq!(claimed, expected("claim"));
    let asserted = model(keys, &json!({}), &naming("gatewright/model", full)).await;
    assert_eq!(asserted, expected("meta"));
    for none in [json!(7), json!("a b"), json!({ "version": "2" })] {
        let message = naming("gatewright/model", none);
        assert_eq!(model(keys, &json!({}), &message).await, Value::Null);
    }
}

#[tokio::test]
async fn a20_what_a_client_says_of_itself_is_marked_as_its_own_word() {
    let (gateway, agent, upstream) = with_audit("queue: 1MiB").await;
    let mut message = naming("gatewright/prompt", json!("prompts/7@3"));
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({ "name": "n".repeat(400), "version": "1" });
    agent.modern(&message).await;
    let forged = agent
        .request(reqwest::Method::POST)
        .header("mcp-protocol-version", "2025-11-25")
        .header("x-forwarded-for", "203.0.113.9")
        .header("forwarded", "for=203.0.113.9")
        .header("user-agent", "root");
    let old = legacy(
        "tools/call",
        &json!({ "name": "search_x", "arguments": {} }),
    );
    crate::support::send(forged.body(old.to_string())).await;
    assert_eq!(upstream.count(), 2);

    let records = decisions(&gateway).await;
    let reference = json!({ "reference": "prompts/7@3", "asserted": true });
    assert_eq!(records[0]["prompt"], reference);
    assert_eq!(records[0]["actor"]["client_asserted"], true);
    let name = records[0]["actor"]["client_name"].as_str().unwrap();
    assert!(name.len() < 280 && name.ends_with("…(cut)"), "{name}");
    assert_eq!(records[1]["prompt"], Value::Null);
    assert_eq!(
        records[1]["source"]["ip"], "127.0.0.1",
        "the peer, never a header"
    );
    let all = json!(records).to_string();
    assert!(!all.contains("203.0.113.9") && !all.contains("\"root\""));
}
