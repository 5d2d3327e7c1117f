//! Inside one session: ids mean one thing at a time, clients answer what they were asked, and cancel what they began.

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::sessions::{open, within};
use crate::support::{Agent, Answer, Arrived, Gateway, Reply, Setup, Upstream, send, tool};

/// A server whose calls of `search_wait` never end, and which asks on the streams of `GET`.
fn server(arrived: &Arrived) -> Reply {
    if arrived.method == "GET" {
        let asked = json!({ "jsonrpc": "2.0", "id": 5, "method": "ping" });
        let note = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
        let session = arrived.header("mcp-session-id").unwrap_or("none");
        let text = format!("id: {session}.1\ndata: {asked}\n\nid: {session}.2\ndata: {note}\n\n");
        return Reply::events(vec![Bytes::from(text)]);
    }
    let message = arrived.json();
    let id = &message["id"];
    match message["method"].as_str() {
        Some("initialize") => {
            let number = SESSIONS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": {} }))
                .with("mcp-session-id", &format!("s-{number}"))
        }
        Some("tools/list") => Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": {
            "tools": [tool("search_customers"), tool("delete_customer")] } })),
        Some("tools/call") if message["params"]["name"] == "search_wait" => {
            let note = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": {} });
            Reply::events(vec![Bytes::from(format!("data: {note}\n\n"))]).endless()
        }
        _ if id.is_null() || message["method"].is_null() => {
            Reply::body("application/json", "").status(202)
        }
        _ => Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": { "content": [] } })),
    }
}

static SESSIONS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

pub(crate) struct Scene {
    pub(crate) upstream: Upstream,
    gateway: Gateway,
    pub(crate) agent: Agent,
    pub(crate) session: String,
}

pub(crate) async fn scene() -> Scene {
    let upstream = Upstream::start(server).await;
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    let session = open(&agent).await;
    Scene {
        upstream,
        gateway,
        agent,
        session,
    }
}

impl Scene {
    fn message(&self, session: &str, message: &Value) -> RequestBuilder {
        within(&self.agent, &Method::POST, session).body(message.to_string())
    }

    async fn send(&self, message: &Value) -> Answer {
        send(self.message(&self.session, message)).await
    }

    /// The answer to a request with this id.
    async fn ask(&self, id: &Value, method: &str, params: &Value) -> Answer {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await
    }

    async fn call(&self, id: &Value) -> Answer {
        self.ask(id, "tools/call", &json!({ "name": "search_customers" }))
            .await
    }

    /// A call with this id that goes on until the handle is dropped.
    async fn wait(&self, session: &str, id: &Value) -> reqwest::Response {
        let params = json!({ "name": "search_wait" });
        let message =
            json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params });
        let mut response = self.message(session, &message).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.chunk().await.unwrap().is_some(), "it is under way");
        response
    }

    /// Nothing reached the server but `before`, and the record gives this reason.
    pub(crate) async fn assert_kept(&self, answer: &Answer, (before, reason): (usize, &str)) {
        assert_eq!(self.upstream.count(), before, "nothing may arrive");
        let id = answer.header("x-request-id").unwrap();
        let records = self.gateway.records().await;
        let about: Vec<_> = records
            .iter()
            .filter(|record| record["request_id"] == id)
            .collect();
        assert_eq!(about.len(), 1, "one record");
        assert_eq!(about[0]["decision"], "deny");
        assert_eq!(about[0]["reason"]["code"], reason);
    }
}

#[tokio::test]
async fn q12_an_id_that_is_under_way_in_a_session_is_taken() {
    let scene = scene().await;
    let _waiting = scene.wait(&scene.session, &json!("a")).await;
    let before = scene.upstream.count();

    let answer = scene.call(&json!("a")).await;

    assert_eq!((answer.status, answer.code()), (400, Some(-32600)));
    scene
        .assert_kept(&answer, (before, "request_invalid"))
        .await;
    assert_eq!(scene.call(&json!("b")).await.status, 200);
    let elsewhere = open(&scene.agent).await;
    let message = json!({ "jsonrpc": "2.0", "id": "a", "method": "ping" });
    let answer = send(scene.message(&elsewhere, &message)).await;
    assert_eq!(answer.status, 200, "another session: {}", answer.body);
}

#[tokio::test]
async fn q12_the_number_1_and_the_string_1_are_two_ids() {
    let scene = scene().await;
    let _number = scene.wait(&scene.session, &json!(1)).await;
    let _string = scene.wait(&scene.session, &json!("1")).await;
    assert_eq!(scene.call(&json!(1)).await.status, 400);
    assert_eq!(scene.call(&json!("1")).await.status, 400);
}

#[tokio::test]
async fn q12_an_id_is_free_again_when_its_request_has_ended() {
    let scene = scene().await;
    for _ in 0..3 {
        let answer = scene.call(&json!(4)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

#[tokio::test]
async fn q12_the_id_of_a_list_request_names_nothing_else_in_its_session() {
    let scene = scene().await;
    let list = scene.ask(&json!(9), "tools/list", &json!({})).await;
    assert_eq!(list.status, 200, "{}", list.body);
    let before = scene.upstream.count();

    for method in ["prompts/list", "resources/list", "ping"] {
        let answer = scene.ask(&json!(9), method, &json!({})).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, Some(-32600)),
            "{method}"
        );
        scene
            .assert_kept(&answer, (before, "request_invalid"))
            .await;
    }

    let list = scene.ask(&json!(9), "tools/list", &json!({})).await;
    assert_eq!(list.status, 200, "the same list: {}", list.body);
    assert!(!list.body.contains("delete_customer"));
}

#[tokio::test]
async fn q12_without_a_session_the_same_id_is_many_requests() {
    let upstream = Upstream::start(|arrived| {
        let message = arrived.json();
        let who = &message["params"]["arguments"]["who"];
        Reply::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": {
            "content": [{ "type": "text", "text": who }] } }))
    })
    .await;
    let setup = Setup::default();
    let people: Vec<_> = (0..200)
        .map(|number| {
            let person = format!("person-{number:03}");
            let token = setup.issuer.token(&person, &["analyst"], "crm:read");
            (person, token)
        })
        .collect();
    let gateway = setup.start(&upstream).await;
    let answers = people.into_iter().map(|(person, token)| {
        let agent = Agent::new(gateway.url(), Some(token));
        async move {
            let params = json!({ "name": "search_customers", "arguments": { "who": person } });
            let message =
                json!({ "jsonrpc": "2.0", "id": 0, "method": "tools/call", "params": params });
            (person, agent.legacy(&message).await)
        }
    });
    let answers: Vec<_> = futures_util::stream::iter(answers)
        .buffer_unordered(50)
        .collect()
        .await;
    assert_eq!(answers.len(), 200);
    for (person, answer) in answers {
        assert_eq!(answer.status, 200, "{person}: {}", answer.body);
        assert_eq!(answer.json()["result"]["content"][0]["text"], *person);
        assert_eq!(answer.json()["id"], 0);
    }
}

#[tokio::test]
async fn q30_a_client_answers_what_it_was_asked_in_this_session_and_once() {
    let scene = scene().await;
    let reply = json!({ "jsonrpc": "2.0", "id": 5, "result": {} });
    let before = scene.upstream.count();
    let early = scene.send(&reply).await;
    assert_eq!((early.status, early.code()), (400, Some(-32600)));
    scene.assert_kept(&early, (before, "request_invalid")).await;

    let stream = send(within(&scene.agent, &Method::GET, &scene.session)).await;
    assert!(stream.body.contains("\"ping\""), "{}", stream.body);
    let elsewhere = open(&scene.agent).await;
    let before = scene.upstream.count();
    let foreign = send(scene.message(&elsewhere, &reply)).await;
    assert_eq!((foreign.status, foreign.code()), (400, Some(-32600)));
    scene
        .assert_kept(&foreign, (before, "request_invalid"))
        .await;
    for bent in [json!("5"), json!(6)] {
        let other = scene
            .send(&json!({ "jsonrpc": "2.0", "id": bent, "result": {} }))
            .await;
        assert_eq!(other.status, 400, "{bent}");
    }

    let answer = scene.send(&reply).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(scene.upstream.count(), before + 1);
    assert_eq!(scene.upstream.arrived()[before].json(), reply);

    let again = scene.send(&reply).await;
    assert_eq!((again.status, again.code()), (400, Some(-32600)));
    scene
        .assert_kept(&again, (before + 1, "request_invalid"))
        .await;
}

#[tokio::test]
async fn q30_without_a_session_there_is_nothing_to_answer() {
    let scene = scene().await;
    let before = scene.upstream.count();
    let reply = json!({ "jsonrpc": "2.0", "id": 5, "result": {} });
    let answer = scene.agent.legacy(&reply).await;
    assert_eq!((answer.status, answer.code()), (400, Some(-32600)));
    scene
        .assert_kept(&answer, (before, "request_invalid"))
        .await;
}

fn cancel(id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } })
}

#[tokio::test]
async fn q31_what_is_under_way_in_ones_session_can_be_cancelled() {
    let scene = scene().await;
    let _waiting = scene.wait(&scene.session, &json!(3)).await;
    let before = scene.upstream.count();

    let answer = scene.send(&cancel(&json!(3))).await;

    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    assert_eq!(scene.upstream.count(), before + 1);
    assert_eq!(scene.upstream.arrived()[before].json(), cancel(&json!(3)));
}

#[tokio::test]
async fn q31_a_cancellation_of_anything_else_is_taken_and_goes_nowhere() {
    let scene = scene().await;
    let elsewhere = open(&scene.agent).await;
    let _waiting = scene.wait(&elsewhere, &json!(3)).await;
    let before = scene.upstream.count();
    let task = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "taskId": "t-1" } });
    for message in [
        cancel(&json!(3)),
        cancel(&json!("3")),
        cancel(&json!(99)),
        task,
    ] {
        let answer = scene.send(&message).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (202, ""),
            "{message}"
        );
        scene
            .assert_kept(&answer, (before, "nothing_to_cancel"))
            .await;
    }
    let answer = scene.agent.legacy(&cancel(&json!(3))).await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (202, ""),
        "no session"
    );
    scene
        .assert_kept(&answer, (before, "nothing_to_cancel"))
        .await;
}

#[tokio::test]
async fn q31_the_stateless_revision_has_nothing_to_cancel_by_id() {
    let scene = scene().await;
    let before = scene.upstream.count();
    let mut message = cancel(&json!(7));
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let answer = scene.agent.modern(&message).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    scene
        .assert_kept(&answer, (before, "nothing_to_cancel"))
        .await;
}
