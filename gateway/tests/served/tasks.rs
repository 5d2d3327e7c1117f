//! A task belongs to who made it: nobody else finds it, and its maker sees what it did only as long as they may call the
//! tool that made it.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    Agent, Answer, Arrived, Gateway, Reply, Setup, Upstream, legacy, send, stateless,
};

/// A server whose every call makes a task: with the name that the call asks for.
fn server(arrived: &Arrived) -> Reply {
    let message = arrived.json();
    let id = &message["id"];
    let is_modern = arrived.header("mcp-protocol-version") == Some("2026-07-28");
    let task = &message["params"]["arguments"]["task"];
    let result = match message["method"].as_str().unwrap() {
        "tools/call" if is_modern => {
            json!({ "resultType": "task", "taskId": task, "status": "working" })
        }
        "tools/call" => json!({ "task": { "taskId": task, "status": "working" } }),
        _ => json!({ "resultType": "complete", "status": "completed", "result": "secret-result" }),
    };
    Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

struct Scene {
    upstream: Upstream,
    gateway: Gateway,
    alice: Agent,
    mallory: Agent,
}

async fn scene(limits: &str) -> Scene {
    before(Upstream::start(server).await, limits).await
}

async fn before(upstream: Upstream, limits: &str) -> Scene {
    let setup = Setup {
        extra: format!("limits: {{ {limits} }}\n"),
        ..Setup::default()
    };
    let tokens =
        ["alice", "mallory"].map(|person| setup.issuer.token(person, &["analyst"], "crm:read"));
    let gateway = setup.start(&upstream).await;
    let [alice, mallory] = tokens.map(|token| Agent::new(gateway.url(), Some(token)));
    Scene {
        upstream,
        gateway,
        alice,
        mallory,
    }
}

/// A message of a client that knows tasks.
fn knowing(method: &str, params: &Value) -> Value {
    let mut message = stateless(method, params);
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    message
}

fn about(agent: &Agent, method: &str, task: &str) -> RequestBuilder {
    let message = knowing(method, &json!({ "taskId": task, "inputResponses": {} }));
    agent
        .request(Method::POST)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method)
        .header("mcp-name", task)
        .body(message.to_string())
}

async fn ask(agent: &Agent, method: &str, task: &str) -> Answer {
    send(about(agent, method, task)).await
}

/// Has `agent` make a task with this id.
async fn make(agent: &Agent, task: &str) {
    let arguments = json!({ "task": task });
    let answer = agent
        .modern(&crate::support::modern("search_customers", &arguments))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

const MODERN: [&str; 3] = ["tasks/get", "tasks/update", "tasks/cancel"];

#[tokio::test]
async fn x14_who_made_a_task_may_ask_for_it_and_end_it() {
    let scene = scene("").await;
    make(&scene.alice, "t-1").await;
    for (index, method) in MODERN.into_iter().enumerate() {
        let answer = ask(&scene.alice, method, "t-1").await;
        assert_eq!(answer.status, 200, "{method}: {}", answer.body);
        let arrived = &scene.upstream.arrived()[index + 1];
        assert_eq!(arrived.json()["params"]["taskId"], "t-1");
        assert_eq!(arrived.header("mcp-name"), Some("t-1"));
    }
    let decisions = scene.gateway.records_of("decision").await;
    let last = decisions
        .iter()
        .rfind(|record| record["action"] == "tasks/get");
    assert_eq!(last.unwrap()["decision"], "allow");
}

#[tokio::test]
async fn x14_a_task_of_another_is_as_unknown_as_one_that_never_was() {
    let scene = scene("").await;
    make(&scene.alice, "t-1").await;
    for method in MODERN {
        let foreign = ask(&scene.mallory, method, "t-1").await;
        let never = ask(&scene.mallory, method, "t-9").await;

        assert_eq!(
            (foreign.status, foreign.code()),
            (400, Some(-32602)),
            "{method}"
        );
        assert_eq!(foreign.blank(), never.blank(), "{method}");
        let records = scene.gateway.records_of("decision").await;
        for record in &records[records.len() - 2..] {
            assert_eq!(record["decision"], "deny");
            assert_eq!(record["reason"]["code"], "task_unknown");
            assert_eq!(record["action"], method);
        }
        assert_eq!(scene.upstream.count(), 1, "nothing may arrive");
    }
    let answer = ask(&scene.alice, "tasks/get", "t-1").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn x14_who_does_not_know_tasks_is_told_so_and_learns_nothing_of_any() {
    let scene = scene("").await;
    make(&scene.alice, "t-1").await;
    let before = scene.upstream.count();
    let asked = |task: &'static str| {
        let message = stateless("tasks/get", &json!({ "taskId": task }));
        let request = scene.mallory.request(Method::POST);
        let head = request
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tasks/get")
            .header("mcp-name", task);
        send(head.body(message.to_string()))
    };
    let (others, none) = (asked("t-1").await, asked("t-0").await);
    assert_eq!((others.status, others.code()), (400, Some(-32021)));
    let required = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    assert_eq!(
        others.json()["error"]["data"]["requiredCapabilities"],
        required
    );
    assert_eq!(others.blank(), none.blank());
    assert_eq!(scene.upstream.count(), before, "nothing may arrive");
    assert_eq!(ask(&scene.alice, "tasks/get", "t-1").await.status, 200);
}

#[tokio::test]
async fn x14_the_name_of_a_task_in_the_head_is_the_one_in_the_body() {
    let scene = scene("").await;
    make(&scene.alice, "t-1").await;
    let message = stateless("tasks/get", &json!({ "taskId": "t-1" }));
    let request = scene
        .alice
        .request(Method::POST)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tasks/get")
        .header("mcp-name", "t-2");
    let answer = send(request.body(message.to_string())).await;
    assert_eq!((answer.status, answer.code()), (400, Some(-32020)));
    assert_eq!(scene.upstream.count(), 1, "nothing may arrive");
}

#[tokio::test]
async fn q33_a_task_of_the_older_revision_is_its_makers_too() {
    let scene = scene("").await;
    let params = json!({ "name": "search_customers", "task": { "ttl": 60000 }, "arguments": { "task": "t-1" } });
    let made = scene.alice.legacy(&legacy("tools/call", &params)).await;
    assert_eq!(made.status, 200, "{}", made.body);
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let before = scene.upstream.count();
        let message = legacy(method, &json!({ "taskId": "t-1" }));
        let foreign = scene.mallory.legacy(&message).await;
        // An answer as a server gives it: SDKs of this revision lose the session over any other status.
        assert_eq!(
            (foreign.status, foreign.code()),
            (200, Some(-32602)),
            "{method}"
        );
        assert_eq!(foreign.json()["error"]["message"], "unknown task");
        assert_eq!(scene.upstream.count(), before, "nothing may arrive");

        let own = scene.alice.legacy(&message).await;
        assert_eq!(own.status, 200, "{method}: {}", own.body);
        assert_eq!(own.json()["result"]["status"], "completed", "{method}");
    }
    let list = scene.alice.legacy(&legacy("tasks/list", &json!({}))).await;
    assert_eq!(
        list.code(),
        Some(-32601),
        "a list would show those of others"
    );
}

#[tokio::test]
async fn x15_who_may_not_call_the_tool_any_more_may_only_end_its_task() {
    let scene = scene("").await;
    make(&scene.alice, "t-1").await;
    {
        let mut yaml = scene.gateway.yaml.lock().unwrap();
        *yaml = yaml.replace("search_*", "find_*");
    }
    scene.gateway.running.reload().await.unwrap();
    let before = scene.upstream.count();

    for method in ["tasks/get", "tasks/update"] {
        let answer = ask(&scene.alice, method, "t-1").await;
        assert_eq!(
            (answer.status, answer.code()),
            (403, Some(40301)),
            "{method}"
        );
        let records = scene.gateway.records_of("decision").await;
        let last = records.last().unwrap();
        assert_eq!(last["reason"]["code"], "tool_not_allowed", "{method}");
        assert!(last.to_string().contains("search_customers"), "{last}");
        assert_eq!(scene.upstream.count(), before, "nothing may arrive");
    }
    let answer = ask(&scene.alice, "tasks/cancel", "t-1").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = ask(&scene.mallory, "tasks/cancel", "t-1").await;
    assert_eq!(answer.code(), Some(-32602), "still another's");
}

async fn listen(agent: &Agent, notifications: &Value) -> Answer {
    let message = knowing(
        "subscriptions/listen",
        &json!({ "notifications": notifications }),
    );
    agent.modern(&message).await
}

#[tokio::test]
async fn x14_who_listens_to_tasks_must_have_made_each_of_them() {
    let scene = scene("").await;
    make(&scene.alice, "t-1").await;
    make(&scene.mallory, "t-2").await;
    let before = scene.upstream.count();

    for tasks in [json!(["t-2"]), json!(["t-1", "t-2"]), json!(["t-9"])] {
        let answer = listen(&scene.alice, &json!({ "taskIds": tasks })).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, Some(-32602)),
            "{tasks}"
        );
        assert_eq!(scene.upstream.count(), before, "nothing may arrive");
    }
    for tasks in [json!(["t-1"]), json!([])] {
        let answer = listen(&scene.alice, &json!({ "taskIds": tasks })).await;
        assert_eq!(answer.status, 200, "{tasks}: {}", answer.body);
    }
}

#[tokio::test]
async fn limit_subscriptions_at_and_past_the_bound() {
    let scene = scene("subscriptions: 2").await;
    for task in ["t-1", "t-2", "t-3"] {
        make(&scene.alice, task).await;
    }
    let before = scene.upstream.count();
    let uri = "crm://customers/1";
    for (index, uris) in [0, 1].into_iter().enumerate() {
        let notifications = json!({ "taskIds": ["t-1"], "resourceSubscriptions": vec![uri; uris] });
        let answer = listen(&scene.alice, &notifications).await;
        assert_eq!(answer.status, 200, "{uris}: {}", answer.body);
        assert_eq!(scene.upstream.count(), before + index + 1);
    }
    for notifications in [
        json!({ "taskIds": ["t-1", "t-2", "t-3"] }),
        json!({ "resourceSubscriptions": vec![uri; 3] }),
        json!({ "taskIds": ["t-1", "t-2"], "resourceSubscriptions": [uri] }),
    ] {
        let answer = listen(&scene.alice, &notifications).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, Some(-32602)),
            "{notifications}"
        );
        assert_eq!(scene.upstream.count(), before + 2, "nothing may arrive");
    }
}

#[tokio::test]
async fn limit_tasks_per_principal_forgets_the_least_used_and_leaves_others_alone() {
    let scene = scene("tasks_per_principal: 2").await;
    make(&scene.mallory, "m").await;
    for task in ["t-1", "t-2", "t-3"] {
        make(&scene.alice, task).await;
    }
    assert_eq!(
        ask(&scene.alice, "tasks/get", "t-1").await.code(),
        Some(-32602)
    );
    for task in ["t-2", "t-3"] {
        assert_eq!(ask(&scene.alice, "tasks/get", task).await.status, 200);
    }
    assert_eq!(ask(&scene.mallory, "tasks/get", "m").await.status, 200);
}

#[tokio::test]
async fn limit_tasks_forgets_the_least_used_of_all() {
    let scene = scene("tasks: 2").await;
    make(&scene.alice, "t-1").await;
    make(&scene.mallory, "t-2").await;
    assert_eq!(ask(&scene.alice, "tasks/get", "t-1").await.status, 200);
    make(&scene.alice, "t-3").await;
    assert_eq!(
        ask(&scene.mallory, "tasks/get", "t-2").await.code(),
        Some(-32602)
    );
    assert_eq!(ask(&scene.alice, "tasks/get", "t-1").await.status, 200);
}

/// Tells whoever listens of two tasks.
fn telling(arrived: &Arrived) -> Reply {
    if arrived.json()["method"] != "subscriptions/listen" {
        return server(arrived);
    }
    let event = |message: &Value| format!("data: {message}\n\n");
    let told: String = ["t-1", "t-2"]
        .iter()
        .map(|task| {
            event(&json!({ "jsonrpc": "2.0", "method": "notifications/tasks", "params": { "taskId": task } }))
        })
        .collect();
    let end = json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": { "resultType": "complete" } });
    Reply::events(vec![(told + &event(&end)).into()])
}

#[tokio::test]
async fn x14_what_happens_to_a_task_is_told_to_who_made_it() {
    let scene = before(Upstream::start(telling).await, "").await;
    make(&scene.alice, "t-1").await;
    make(&scene.mallory, "t-2").await;

    for (agent, own, other) in [(&scene.alice, "t-1", "t-2"), (&scene.mallory, "t-2", "t-1")] {
        let answer = listen(agent, &json!({ "taskIds": [own] })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.body.contains(own), "{}", answer.body);
        assert!(!answer.body.contains(other), "{}", answer.body);
    }
}
