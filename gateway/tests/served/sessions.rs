//! Sessions of the revisions before 2026-07-28: they pass, they belong to who opened them, and clients know them by names
//! of the gateway's own.

use bytes::Bytes;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::session_partings::{SOON, ended};
use crate::support::{
    Agent, Answer, Arrived, Gateway, Reply, Setup, Upstream, call, eventually, legacy, send, tool,
};

/// A server of 2025-11-25 whose stream delivers the answer of an earlier `tools/list` again.
pub(crate) fn server(arrived: &Arrived) -> Reply {
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

pub(crate) fn initialize() -> Value {
    legacy(
        "initialize",
        &json!({ "protocolVersion": "2025-11-25", "capabilities": {},
                 "clientInfo": { "name": "c", "version": "1" } }),
    )
}

/// The name of a session that `agent` opens.
pub(crate) async fn open(agent: &Agent) -> String {
    let opened = agent.legacy(&initialize()).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    opened.header("mcp-session-id").unwrap().to_owned()
}

pub(crate) fn within(agent: &Agent, method: &Method, session: &str) -> RequestBuilder {
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

/// The answer is that of a session that never was; what the record says of the caller is handed back.
async fn assert_unknown(gateway: &Gateway, answer: &Answer, what: &str) -> Value {
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
    about[0]["authn"]["result"].clone()
}

#[tokio::test]
async fn x01_a_session_passes_on_every_verb_of_who_opened_it() {
    let scene = scene().await;
    for (index, method) in VERBS.into_iter().enumerate() {
        let answer = send(within(&scene.alice, &method, &scene.session)).await;

        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        assert_eq!(answer.header("mcp-session-id"), None, "{method}");
        let arrived = &scene.upstream.arrived()[index + 1];
        assert_eq!(arrived.method, method.as_str());
        assert_eq!(arrived.header("mcp-session-id"), Some("s-1"), "{method}");
        assert_eq!(arrived.header("authorization"), None, "{method}");
    }
}

#[tokio::test]
async fn x01_the_session_of_another_principal_is_unknown_on_every_verb_and_the_record_says_whose_it_is_not()
 {
    let scene = scene().await;
    for method in VERBS {
        let answer = send(within(&scene.mallory, &method, &scene.session)).await;
        let never = send(within(&scene.mallory, &method, &"x".repeat(32))).await;

        assert_eq!(answer.blank(), never.blank(), "{method}");
        let result = assert_unknown(&scene.gateway, &answer, method.as_str()).await;
        assert_eq!(result, "session_principal_mismatch", "{method}");
        let result = assert_unknown(&scene.gateway, &never, method.as_str()).await;
        assert_eq!(result, "ok", "{method}");
        assert_eq!(scene.upstream.count(), 1, "{method}: nothing may arrive");
    }
}

#[tokio::test]
async fn x02_a_weaker_token_of_the_same_person_is_not_in_the_session() {
    let scene = scene().await;
    let issuer = &scene.gateway.setup.issuer;
    for (roles, subject) in [
        (&["reader"][..], "alice"),
        (&[][..], "alice"),
        (&["analyst"][..], "bob"),
    ] {
        let token = issuer.token(subject, roles, "crm:read");
        let weaker = Agent::new(scene.gateway.url(), Some(token));
        for method in VERBS {
            let answer = send(within(&weaker, &method, &scene.session)).await;
            let result = assert_unknown(&scene.gateway, &answer, subject).await;
            assert_eq!(result, "session_principal_mismatch", "{roles:?}");
        }
    }
    assert_eq!(scene.upstream.count(), 1, "nothing may arrive");
    let renewed = Agent::new(
        scene.gateway.url(),
        Some(issuer.token("alice", &["analyst"], "crm:read")),
    );
    let answer = send(within(&renewed, &Method::POST, &scene.session)).await;
    assert_eq!(
        answer.status, 200,
        "a new token of the same kind: {}",
        answer.body
    );
}

#[tokio::test]
async fn x03_names_that_the_gateway_did_not_give_are_unknown_on_every_verb() {
    let scene = scene().await;
    for name in [
        "s-1",
        "s-2",
        "00000000-0000-0000-0000-000000000000",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ] {
        for method in VERBS {
            let answer = send(within(&scene.alice, &method, name)).await;

            assert_unknown(&scene.gateway, &answer, method.as_str()).await;
            assert_eq!(scene.upstream.count(), 1, "{method}: nothing may arrive");
        }
    }
}

#[tokio::test]
async fn x03_u21_every_session_has_a_long_name_of_its_own_and_not_its_servers() {
    let scene = scene().await;
    let second = open(&scene.alice).await;
    for name in [&scene.session, &second] {
        assert!(name.len() >= 22, "128 bits in base64url: {name}");
        assert!(!name.contains("s-1"));
    }
    assert_ne!(scene.session, second);
}

#[tokio::test]
async fn x04_a_name_with_anything_else_in_it_is_unknown_before_it_is_looked_up() {
    let scene = scene().await;
    let own = &scene.session;
    let long = "x".repeat(16 * 1024);
    let bent = [
        format!("{own}&owner=alice"),
        format!("{own},{own}"),
        format!("{own}="),
        format!("{own}%0d%0a"),
        format!("../{own}"),
        long,
    ];
    for name in &bent {
        let answer = send(within(&scene.alice, &Method::POST, name)).await;
        assert_unknown(&scene.gateway, &answer, name).await;
    }
    let bytes = reqwest::header::HeaderValue::from_bytes(b"s-\xe9").unwrap();
    let request = within(&scene.alice, &Method::GET, own).header("mcp-session-id", bytes);
    let answer = send(request).await;
    assert_eq!(
        (answer.status, answer.code()),
        (400, Some(-32020)),
        "two lines"
    );
    assert_eq!(scene.upstream.count(), 1, "nothing may arrive");
    let answer = send(within(&scene.alice, &Method::POST, own)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn x05_the_stream_of_a_session_needs_a_token() {
    let scene = scene().await;
    let nobody = Agent::new(scene.gateway.url(), None);
    for method in VERBS {
        let answer = send(within(&nobody, &method, &scene.session)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, Some(40101)),
            "{method}"
        );
        assert!(answer.header("www-authenticate").is_some(), "{method}");
    }
    assert_eq!(scene.upstream.count(), 1, "nothing may arrive");
    let answer = send(within(&scene.alice, &Method::GET, &scene.session)).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn x07_who_ends_a_session_must_own_it_and_then_it_is_over() {
    let scene = scene().await;
    let answer = send(within(&scene.mallory, &Method::DELETE, &scene.session)).await;
    assert_unknown(&scene.gateway, &answer, "another's").await;
    assert_eq!(scene.upstream.count(), 1, "nothing may arrive");

    let answer = send(within(&scene.alice, &Method::DELETE, &scene.session)).await;

    assert_eq!(answer.status, 200);
    let answer = send(within(&scene.alice, &Method::POST, &scene.session)).await;
    assert_unknown(&scene.gateway, &answer, "it is over").await;
    assert_eq!(scene.upstream.count(), 2);
}

#[tokio::test]
async fn x07_a_session_that_its_server_does_not_know_any_more_is_over() {
    let upstream = Upstream::start(|arrived| match server(arrived) {
        reply if arrived.header("mcp-session-id").is_none() => reply,
        _ => Reply::json(
            &json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": -32001, "message": "gone" } }),
        )
        .status(404),
    })
    .await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let alice = Agent::new(gateway.url(), Some(token));
    let session = open(&alice).await;

    let answer = send(within(&alice, &Method::POST, &session)).await;
    assert_eq!(
        (answer.status, upstream.count()),
        (404, 2),
        "{}",
        answer.body
    );

    let answer = send(within(&alice, &Method::POST, &session)).await;
    assert_unknown(&gateway, &answer, "it is over").await;
    assert_eq!(upstream.count(), 2, "nothing may arrive");
}

#[tokio::test]
async fn x08_a_session_survives_a_reload_of_the_same_policy() {
    let scene = scene().await;
    scene.gateway.running.reload().await.unwrap();

    let answer = send(within(&scene.alice, &Method::POST, &scene.session)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = send(within(&scene.mallory, &Method::POST, &scene.session)).await;
    assert_eq!(answer.status, 404, "{}", answer.body);
    assert!(ended(&scene.upstream).is_empty(), "nothing ends it");
}

#[tokio::test]
async fn x08_another_policy_ends_sessions() {
    let scene = scene().await;
    {
        let mut yaml = scene.gateway.yaml.lock().unwrap();
        *yaml = yaml.replace("search_*", "search_customers");
    }
    scene.gateway.running.reload().await.unwrap();

    for method in VERBS {
        let answer = send(within(&scene.alice, &method, &scene.session)).await;
        assert_unknown(&scene.gateway, &answer, method.as_str()).await;
    }
    let session = open(&scene.alice).await;
    let answer = send(within(&scene.alice, &Method::POST, &session)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(eventually(SOON, || ended(&scene.upstream) == ["s-1"]).await);
    let arrived = scene.upstream.arrived();
    let clients = arrived.iter().filter(|arrived| arrived.method != "DELETE");
    assert_eq!(
        clients.count(),
        3,
        "nothing of the ended session may arrive"
    );
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
