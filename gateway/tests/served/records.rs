//! What a record says of each kind of request: every member that applies, with the value the request had.

use serde_json::{Value, json};

use crate::edge::{assert_on_record, assert_refused};
use crate::support::{
    Agent, Gateway, Reply, Setup, Upstream, call, legacy, list, modern, now, send, stateless,
};

/// What every decision about an identified caller says.
fn assert_identified(record: &Value) {
    assert_eq!(record["subject"]["iss"], "https://auth.test");
    assert_eq!(record["subject"]["id"], "alice");
    assert_eq!(record["subject"]["type"], "user");
    assert_eq!(record["subject"]["roles"], json!(["analyst"]));
    assert_eq!(record["actor"]["client_id"], "agent-1");
    assert_eq!(record["authn"]["scheme"], "bearer");
    assert_eq!(record["authn"]["result"], "ok");
    assert_eq!(record["authn"]["scopes"], json!(["crm:read"]));
    let expires = record["authn"]["token_exp"].as_u64().unwrap();
    assert!((now()..=now() + 600).contains(&expires), "{expires}");
    assert_named(record);
}

/// What every record about an identified caller says, outcomes too.
fn assert_named(record: &Value) {
    assert_eq!(record["sub"], "alice");
    assert_eq!(record["act"], "agent-1", "the client acts");
    let token_id = record["token_id"].as_str().unwrap();
    assert!(token_id.starts_with("alice-"), "the jti: {token_id}");
    assert_placed(record);
}

/// What every record about a request has.
fn assert_placed(record: &Value) {
    assert_eq!(record["schema"], "gatewright.audit/1");
    assert!(record["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(record["event_id"].as_str().unwrap().len(), 36);
    assert!(record["seq"].as_u64().unwrap() > 0);
    assert_eq!(record["mcp"]["server"], "crm");
    assert_eq!(record["source"]["ip"], "127.0.0.1");
    assert!(record["source"]["port"].as_u64().unwrap() > 0);
    assert_eq!(record["gateway"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(record["gateway"]["instance"].as_str().unwrap().len(), 36);
    assert_eq!(record["gateway"]["config"].as_str().unwrap().len(), 64);
}

async fn usual() -> (Gateway, Agent, Upstream) {
    let upstream = Upstream::plain().await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, agent, upstream)
}

/// The decision and the outcome of the only request.
async fn pair(gateway: &Gateway) -> (Value, Value) {
    gateway.outcomes(1).await;
    let mut records = gateway.settled().await;
    assert_eq!(records.len(), 2, "{records:#?}");
    let outcome = records.remove(1);
    let decision = records.remove(0);
    assert_eq!(decision["kind"], "decision");
    assert_eq!(outcome["kind"], "outcome");
    assert_eq!(outcome["decision_id"], decision["event_id"]);
    assert!(outcome["seq"].as_u64() > decision["seq"].as_u64());
    assert_eq!(outcome["request_id"], decision["request_id"]);
    (decision, outcome)
}

#[tokio::test]
async fn an_allowed_call_is_on_record_with_all_that_led_to_it() {
    let (gateway, agent, upstream) = usual().await;
    let mut message = modern("get_customer", &json!({ "id": "canary" }));
    message["id"] = json!("call-1");
    message["params"]["_meta"]["traceparent"] =
        json!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    message["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] =
        json!({ "name": "desk", "version": "1" });

    let answer = agent.modern(&message).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(upstream.count(), 1);
    let (decision, outcome) = pair(&gateway).await;
    assert_identified(&decision);
    assert_eq!(decision["action"], "tools/call");
    assert_eq!(decision["resource"], "crm/get_customer");
    assert_eq!(decision["decision"], "allow");
    assert_eq!(decision["scopes_used"], json!(["crm:read"]));
    assert_eq!(decision["mcp"]["method"], "tools/call");
    assert_eq!(decision["mcp"]["name"], "get_customer");
    assert_eq!(decision["mcp"]["protocol_version"], "2026-07-28");
    assert_eq!(decision["mcp"]["jsonrpc_id"], "call-1");
    assert_eq!(decision["policy"]["ids"], json!(["roles.analyst.crm[1]"]));
    assert_eq!(decision["policy"]["mode"], "enforce");
    assert_eq!(decision["policy"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(decision["arguments"]["bytes"], r#"{"id":"canary"}"#.len());
    assert_eq!(decision["arguments"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(decision["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(decision["actor"]["client_name"], "desk");
    assert_eq!(decision["actor"]["client_asserted"], true);
    assert_eq!(decision["reason"], Value::Null);
    assert_eq!(decision["model"], Value::Null);
    assert_eq!(
        decision["request_id"].as_str(),
        answer.header("x-request-id")
    );
    assert_named(&outcome);
    assert_eq!(outcome["action"], "tools/call");
    assert_eq!(outcome["resource"], "crm/get_customer");
    assert_eq!(outcome["outcome"]["http_status"], 200);
    assert_eq!(outcome["outcome"]["is_error"], false);
    let duration = outcome["outcome"]["duration_ms"].as_f64().unwrap();
    let upstream_took = outcome["outcome"]["upstream_ms"].as_f64().unwrap();
    assert!(
        0.0 < upstream_took && upstream_took <= duration,
        "{outcome:#}"
    );
}

#[tokio::test]
async fn a_tool_that_fails_is_an_outcome_of_its_own() {
    let upstream = Upstream::start(|arrived| {
        let id = arrived.json()["id"].clone();
        Reply::json(&match arrived.json()["params"]["name"].as_str() {
            Some("get_customer") => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32001, "message": "canary" } })
            }
            _ => json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [], "isError": true } }),
        })
    })
    .await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));

    agent.modern(&modern("get_customer", &json!({}))).await;
    agent.modern(&modern("search_x", &json!({}))).await;

    let outcomes = gateway.outcomes(2).await;
    assert_eq!(outcomes[0]["outcome"]["jsonrpc_error"], -32001);
    assert_eq!(outcomes[1]["outcome"]["is_error"], true);
    assert!(!json!(outcomes).to_string().contains("canary"), "no result");
}

#[tokio::test]
async fn a_denied_call_is_one_record_with_its_reason() {
    let (gateway, agent, upstream) = usual().await;

    let answer = agent.modern(&modern("delete_customer", &json!({}))).await;

    assert_refused(&answer, 403, 40301);
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_identified(&record);
    assert_on_record(&record, &answer, "decision", "tool_not_allowed");
    assert_eq!(record["resource"], "crm/delete_customer");
    assert_eq!(record["policy"]["ids"], json!([]));
    assert_eq!(record["scopes_used"], Value::Null);
    let told = answer.json()["error"]["data"]["decision_id"].clone();
    assert_eq!(record["event_id"], told, "the client can name the record");
}

#[tokio::test]
async fn a_401_is_one_record_about_nobody() {
    let (gateway, _agent, upstream) = usual().await;

    let answer = Agent::new(gateway.url(), None)
        .modern(&modern("search_x", &json!({})))
        .await;

    assert_refused(&answer, 401, 40101);
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "authn", "credential_missing");
    assert_placed(&record);
    assert_eq!(record["resource"], "crm");
    assert_eq!(
        record["authn"],
        json!({ "scheme": "none", "result": "missing" })
    );
    for absent in [
        "sub", "act", "subject", "actor", "token_id", "model", "action",
    ] {
        assert_eq!(record[absent], Value::Null, "{absent}");
    }
}

#[tokio::test]
async fn a_malformed_body_is_one_record_about_its_sender() {
    let (gateway, agent, upstream) = usual().await;

    let answer = agent.bytes(r#"{"jsonrpc":"2.0","canary"#).await;

    assert_refused(&answer, 400, -32700);
    assert_eq!(answer.json()["id"], Value::Null);
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_identified(&record);
    assert_on_record(&record, &answer, "decision", "json_malformed");
    assert_eq!(record["resource"], "crm");
    assert_eq!(record["mcp"], json!({ "server": "crm" }));
    assert_eq!(record["arguments"], Value::Null);
    assert!(!record.to_string().contains("canary"));
}

#[tokio::test]
async fn a_list_is_on_record_without_a_target() {
    let (gateway, agent, _upstream) = usual().await;

    assert_eq!(agent.modern(&list()).await.status, 200);

    let (decision, outcome) = pair(&gateway).await;
    assert_identified(&decision);
    assert_eq!(decision["action"], "tools/list");
    assert_eq!(decision["resource"], "crm");
    assert_eq!(decision["mcp"]["name"], Value::Null);
    assert_eq!(outcome["outcome"]["http_status"], 200);
}

#[tokio::test]
async fn a_session_is_on_record_from_its_stream_to_its_end_without_its_id() {
    const SESSION: &str = "canary-session-7f3a";
    let upstream = Upstream::start(|arrived| match arrived.method.as_str() {
        "GET" => Reply::events(vec![": hello\n\n".into()]),
        "DELETE" => Reply::body("text/plain", "").status(204),
        _ => Reply::json(
            &json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "serverInfo": { "name": "s", "version": "1" } } }),
        )
        .with("mcp-session-id", SESSION),
    })
    .await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let hello = legacy(
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "desk", "version": "1" } }),
    );
    let opened = agent.legacy(&hello).await;
    let session = opened.header("mcp-session-id").unwrap();

    for (method, status) in [(reqwest::Method::GET, 200), (reqwest::Method::DELETE, 204)] {
        let request = agent
            .request(method)
            .header("mcp-protocol-version", "2025-11-25")
            .header("mcp-session-id", session);
        assert_eq!(send(request).await.status, status);
    }

    gateway.outcomes(3).await;
    let records = gateway.settled().await;
    assert_eq!(records.len(), 6, "{records:#?}");
    let actions: Vec<_> = records
        .iter()
        .filter(|record| record["kind"] == "decision")
        .map(|record| record["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["initialize", "GET", "DELETE"]);
    for record in &records {
        assert_named(record);
        assert_eq!(record["resource"], "crm");
        assert_eq!(record["mcp"]["protocol_version"], "2025-11-25");
    }
    let written = json!(records).to_string();
    assert!(!written.contains(SESSION) && !written.contains(session));
}

#[tokio::test]
async fn a_session_of_nobody_is_one_record() {
    let (gateway, agent, upstream) = usual().await;
    let request = agent
        .request(reqwest::Method::POST)
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-session-id", "canary-session");

    let answer = send(request.body(call("search_x", &json!({})).to_string())).await;

    assert_refused(&answer, 404, 40401);
    assert_eq!(upstream.count(), 0);
    let record = gateway.only_record().await;
    assert_on_record(&record, &answer, "decision", "session_unknown");
    assert!(!record.to_string().contains("canary"));
}

/// A gateway that reads the model from a claim.
async fn with_model_claim(claims: &Value, setup: Setup) -> (Gateway, Agent, Upstream) {
    let upstream = Upstream::plain().await;
    let token = setup.issuer.sign_claims(claims);
    let yaml = setup.yaml(&upstream.url()).replace(
        "jwks_file: jwks.json",
        "jwks_file: jwks.json\n    profile: lenient\n    model_claim: agent_model",
    );
    let gateway = Gateway::start(setup, yaml).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, agent, upstream)
}

#[tokio::test]
async fn a_chain_of_actors_is_on_record_the_present_one_first() {
    let setup = Setup::default();
    let mut claims = setup.issuer.claims("alice", &["analyst"]);
    claims["scope"] = json!("crm:read");
    claims["act"] =
        json!({ "sub": "planner", "iss": "https://auth.test", "act": { "sub": "scheduler" } });
    let (gateway, agent, _upstream) = with_model_claim(&claims, setup).await;

    agent.modern(&modern("search_x", &json!({}))).await;

    let (decision, outcome) = pair(&gateway).await;
    assert_eq!(decision["sub"], "alice");
    assert_eq!(decision["act"], "planner");
    assert_eq!(decision["actor"]["client_id"], "agent-1");
    let chain = json!([
        { "sub": "planner", "iss": "https://auth.test" },
        { "sub": "scheduler" },
    ]);
    assert_eq!(decision["actor"]["chain"], chain);
    assert_eq!(outcome["act"], "planner");
}

#[tokio::test]
async fn the_model_is_on_record_with_who_says_so() {
    let claimed = json!({ "name": "model-a", "source": "claim" });
    let asserted = json!({ "name": "model-b", "source": "meta" });
    let mut named = stateless(
        "tools/call",
        &json!({ "name": "search_x", "arguments": {} }),
    );
    named["params"]["_meta"]["gatewright/model"] = json!("model-b");
    let silent = modern("search_x", &json!({}));

    for (claim, message, expected) in [
        (Some("model-a"), &silent, &claimed),
        (Some("model-a"), &named, &claimed),
        (None, &named, &asserted),
        (None, &silent, &Value::Null),
    ] {
        let setup = Setup::default();
        let mut claims = setup.issuer.claims("alice", &["analyst"]);
        claims["scope"] = json!("crm:read");
        if let Some(model) = claim {
            claims["agent_model"] = json!(model);
        }
        let (gateway, agent, _upstream) = with_model_claim(&claims, setup).await;
        let answer = agent.modern(message).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let (decision, _outcome) = pair(&gateway).await;
        assert_eq!(&decision["model"], expected);
    }
}

#[tokio::test]
async fn a_client_that_acts_for_itself_is_an_agent_on_record() {
    let setup = Setup::default();
    let mut claims = setup.issuer.claims("agent-1", &["analyst"]);
    claims["scope"] = json!("crm:read");
    claims.as_object_mut().unwrap().remove("jti");
    let (token, upstream) = (setup.issuer.sign_claims(&claims), Upstream::plain().await);
    let lenient = "jwks_file: jwks.json\n    profile: lenient";
    let yaml = setup.yaml(&upstream.url());
    let gateway = Gateway::start(setup, yaml.replace("jwks_file: jwks.json", lenient)).await;
    let agent = Agent::new(gateway.url(), Some(token));

    agent.modern(&modern("search_x", &json!({}))).await;

    let (decision, _outcome) = pair(&gateway).await;
    assert_eq!(decision["subject"]["type"], "agent");
    let token_id = decision["token_id"].as_str().unwrap();
    assert_eq!(token_id.len(), "sha256:".len() + 64, "{token_id}");
    assert!(token_id.starts_with("sha256:"), "{token_id}");
}
