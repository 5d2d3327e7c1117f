//! Sessions of the revisions before 2026-07-28: they pass, and they belong to who opened them.

use bytes::Bytes;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    Agent, Answer, Arrived, Gateway, Reply, Setup, Upstream, call, legacy, send, tool,
};

/// A server of 2025-11-25 whose stream delivers the answer of an earlier `tools/list` again.
fn server(arrived: &Arrived) -> Reply {
    match arrived.method.as_str() {
        "GET" => {
            let list = json!({ "jsonrpc": "2.0", "id": 3, "result": {
                "tools": [tool("search_customers"), tool("delete_customer")] } });
            let note = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
            let text = format!("id: e-1\ndata: {note}\n\nid: e-2\ndata: {list}\n\n");
            Reply::events(vec![Bytes::from(text)])
        }
        "DELETE" => Reply::body("text/plain", "").status(200),
        _ => {
            let message = arrived.json();
            let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": {
                "protocolVersion": "2025-11-25", "capabilities": {},
                "serverInfo": { "name": "s", "version": "1" } } });
            let reply = Reply::json(&answer);
            if message["method"] == "initialize" {
                reply.with("mcp-session-id", "s-1")
            } else {
                reply
            }
        }
    }
}

struct Scene {
    upstream: Upstream,
    gateway: Gateway,
    alice: Agent,
    mallory: Agent,
    /// The name that the gateway has for the session that alice opened.
    session: String,
}

/// Alice has opened a session that the server calls `s-1`.
async fn scene() -> Scene {
    let upstream = Upstream::start(server).await;
    let setup = Setup::default();
    let alice = setup.analyst();
    let mallory = setup.issuer.token("mallory", &["analyst"], "crm:read");
    let gateway = setup.start(&upstream).await;
    let alice = Agent::new(gateway.url(), Some(alice));
    let mallory = Agent::new(gateway.url(), Some(mallory));
    let session = open(&alice).await;
    assert_eq!(upstream.count(), 1);
    Scene {
        upstream,
        gateway,
        alice,
        mallory,
        session,
    }
}

/// The name of a session that `agent` opens.
async fn open(agent: &Agent) -> String {
    let opened = agent.legacy(&initialize()).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    opened.header("mcp-session-id").unwrap().to_owned()
}

fn within(agent: &Agent, method: &Method, session: &str) -> RequestBuilder {
    let request = agent
        .request(method.clone())
        .header("mcp-protocol-version", "2025-11-25")
        .header("mcp-session-id", session);
    if *method == Method::POST {
        request.body(call("search_customers", &json!({})).to_string())
    } else {
        request
    }
}

const VERBS: [Method; 3] = [Method::POST, Method::GET, Method::DELETE];

async fn assert_unknown(gateway: &Gateway, answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.code()), (404, Some(40401)), "{what}");
    let data = &answer.json()["error"]["data"];
    assert_eq!(data["reason"], "session_unknown", "{what}");
    let records = gateway.records().await;
    let about: Vec<_> = records
        .iter()
        .filter(|record| record["request_id"] == data["request_id"])
        .collect();
    assert_eq!(about.len(), 1, "{what}: one record");
    assert_eq!(about[0]["decision"], "deny", "{what}");
    assert_eq!(about[0]["reason"]["code"], "session_unknown", "{what}");
}

#[tokio::test]
async fn a_session_passes_on_every_verb_of_who_opened_it() {
    let scene = scene().await;
    for (index, method) in VERBS.into_iter().enumerate() {
        let answer = send(within(&scene.alice, &method, &scene.session)).await;

        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        let arrived = &scene.upstream.arrived()[index + 1];
        assert_eq!(arrived.method, method.as_str());
        assert_eq!(arrived.header("mcp-session-id"), Some("s-1"), "{method}");
        assert_eq!(arrived.header("authorization"), None, "{method}");
    }
}

#[tokio::test]
async fn the_session_of_another_principal_is_unknown_on_every_verb() {
    let scene = scene().await;
    for method in VERBS {
        let answer = send(within(&scene.mallory, &method, &scene.session)).await;

        assert_unknown(&scene.gateway, &answer, method.as_str()).await;
        assert_eq!(scene.upstream.count(), 1, "{method}: nothing may arrive");
    }
}

#[tokio::test]
async fn a_session_that_nobody_opened_is_unknown_on_every_verb() {
    let scene = scene().await;
    for method in VERBS {
        let answer = send(within(&scene.alice, &method, "s-2")).await;

        assert_unknown(&scene.gateway, &answer, method.as_str()).await;
        assert_eq!(scene.upstream.count(), 1, "{method}: nothing may arrive");
    }
}

#[tokio::test]
async fn a_session_survives_a_reload() {
    let scene = scene().await;
    scene.gateway.running.reload().await.unwrap();

    let answer = send(within(&scene.alice, &Method::POST, &scene.session)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = send(within(&scene.mallory, &Method::POST, &scene.session)).await;
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[tokio::test]
async fn a_list_that_is_delivered_again_is_filtered() {
    let scene = scene().await;
    let request = within(&scene.alice, &Method::GET, &scene.session).header("last-event-id", "e-0");

    let answer = send(request).await;

    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let arrived = &scene.upstream.arrived()[1];
    assert_eq!(arrived.header("last-event-id"), Some("e-0"));
    let messages: Vec<Value> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    assert_eq!(messages.len(), 2, "{}", answer.body);
    assert_eq!(messages[0]["method"], "notifications/tools/list_changed");
    let tools = messages[1]["result"]["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 1, "{}", answer.body);
    assert_eq!(tools[0]["name"], "search_customers");
    assert!(!answer.body.contains("delete_customer"));
    assert!(answer.body.contains("id: e-2"), "{}", answer.body);
}

#[tokio::test]
async fn the_event_stream_of_a_session_has_no_place_in_the_stateless_revision() {
    let scene = scene().await;
    for method in [Method::GET, Method::DELETE] {
        let request = scene
            .alice
            .request(method.clone())
            .header("mcp-protocol-version", "2026-07-28");
        let answer = send(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (405, Some(40501)),
            "{method}"
        );
        assert_eq!(scene.upstream.count(), 1, "{method}: nothing may arrive");
    }
}
