//! What is open while the configuration changes: answers are judged by what is in force when they come, streams end with
//! the policy that they were opened under.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::edge::{Act, RawPeer};
use crate::support::{
    Agent, Arrived, Gateway, Reply, Setup, Upstream, eventually, headers_of, list, modern, send,
    stateless, tool,
};
use crate::token_end::{Asked, NEWS, SOON, agent as agent_of, busy, each, rest, silence};

/// In which the configuration is changed.
const PAUSE: Duration = Duration::from_secs(2);
/// How long a token of these tests lives, which is not what ends anything here.
const LASTING: Duration = Duration::from_secs(600);
/// To another policy: tools of which one was allowed are not.
const NARROWER: &[(&str, &str)] = &[("search_*", "find_*")];
const WAYS: [(Asked, &str); 4] = [
    (Asked::Stream, "h1"),
    (Asked::Stream, "h2"),
    (Asked::Listen, "h1"),
    (Asked::Listen, "h2"),
];

fn listed(id: u64) -> Bytes {
    let tools = [tool("search_customers"), tool("get_customer")];
    let list = json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": tools } });
    Bytes::from(format!("data: {list}\n\n"))
}

/// A list at once, and one after a while.
fn twice(_: &Arrived) -> Reply {
    let mut reply = Reply::events(vec![listed(3)]);
    reply.pieces.push((PAUSE, listed(4)));
    reply
}

async fn first(response: &mut Response) -> String {
    assert_eq!(response.status(), 200);
    let first = response.chunk().await.unwrap().unwrap();
    String::from_utf8(first.to_vec()).unwrap()
}

fn stream(agent: &Agent) -> reqwest::RequestBuilder {
    agent
        .request(Method::GET)
        .header("mcp-protocol-version", "2025-11-25")
}

#[tokio::test]
async fn x13_nothing_of_its_server_comes_on_a_stream_after_another_policy() {
    let upstream = Upstream::start(twice).await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let mut response = stream(&agent).send().await.unwrap();
    let before = first(&mut response).await;
    assert!(before.contains("search_customers") && before.contains("get_customer"));

    gateway.change(NARROWER).await.unwrap();

    let after = response.text().await.unwrap();
    assert!(after.contains("list_changed"), "{after}");
    assert!(!after.contains("_customer"), "{after}");
}

#[tokio::test]
async fn x13_an_answer_ends_when_its_server_is_no_more() {
    let upstream = Upstream::start(|_| {
        let mut reply = Reply::events(vec![Bytes::from_static(b": begun\n\n")]);
        reply.pieces.push((PAUSE, listed(7)));
        reply
    })
    .await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let message = list();
    let request = headers_of(agent.request(Method::POST), &message).body(message.to_string());
    let mut response = request.send().await.unwrap();

    gateway
        .change(&[
            ("name: crm\n", "name: wiki\n"),
            ("      crm:\n", "      wiki:\n"),
        ])
        .await
        .unwrap();

    let mut after = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        after.extend_from_slice(&piece);
    }
    let after = String::from_utf8(after).unwrap();
    assert!(!after.contains("get_customer"), "{after}");
    let outcomes = gateway.outcomes(1).await;
    assert_eq!(
        outcomes[0]["reason"]["code"], "path_unknown",
        "{}",
        outcomes[0]
    );
}

/// The messages of some events.
fn messages(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap())
        .collect()
}

fn changed(list: &str, subscription: Option<u64>) -> Value {
    let method = format!("notifications/{list}/list_changed");
    match subscription {
        None => json!({ "jsonrpc": "2.0", "method": method }),
        Some(id) => json!({ "jsonrpc": "2.0", "method": method, "params": {
            "_meta": { "io.modelcontextprotocol/subscriptionId": id } } }),
    }
}

fn closed(id: u64) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": {
        "resultType": "complete", "_meta": { "io.modelcontextprotocol/subscriptionId": id } } })
}

async fn assert_ends_with_its_policy(asked: Asked, version: &str, reply: Reply) {
    let what = format!("{asked:?} over {version}");
    let upstream = Upstream::start(move |_| reply.clone()).await;
    let gateway = Setup::default().start(&upstream).await;
    let agent = agent_of(&gateway, version, LASTING);
    let mut open = asked.request(&agent).send().await.unwrap();
    assert!(first(&mut open).await.contains("news"), "{what}");
    let since = Instant::now();

    gateway.change(NARROWER).await.unwrap();

    let heard = rest(open, since).await;
    assert!(heard.is_whole && heard.after < PAUSE, "{what}: {heard:?}");
    let mut said = messages(&heard.text);
    said.retain(|message| message["method"] != "notifications/message");
    assert_eq!(said, last_words(asked), "{what}");
    assert_let_go(&gateway, &upstream, &what).await;
}

/// What comes after all events of the server.
fn last_words(asked: Asked) -> Vec<Value> {
    if asked == Asked::Listen {
        return vec![changed("tools", Some(7)), closed(7)];
    }
    ["tools", "prompts", "resources"]
        .map(|list| changed(list, None))
        .into()
}

/// The outcome says why, and nothing of the stream is left.
async fn assert_let_go(gateway: &Gateway, upstream: &Upstream, what: &str) {
    assert!(eventually(SOON, || upstream.aborted() == 1).await, "{what}");
    let outcome = gateway.outcomes(1).await.remove(0);
    assert_eq!(outcome["reason"]["code"], "policy_changed", "{outcome:#}");
    assert_eq!(outcome["outcome"]["http_status"], 200, "{outcome:#}");
    let metrics = gateway.metrics().await;
    let none = "gatewright_streams_active{server=\"crm\"} 0";
    assert!(metrics.contains(none), "{what}");
}

#[tokio::test]
async fn x08_a_silent_stream_ends_with_its_policy_and_says_that_lists_changed() {
    each(&WAYS, |asked, version| {
        assert_ends_with_its_policy(asked, version, silence())
    })
    .await;
}

#[tokio::test]
async fn x08_a_busy_stream_ends_with_its_policy_and_says_that_lists_changed() {
    each(&WAYS, |asked, version| {
        assert_ends_with_its_policy(asked, version, busy(&silence(), NEWS))
    })
    .await;
}

#[tokio::test]
async fn x08_a_reload_that_leaves_the_policy_as_it_was_leaves_streams_open() {
    each(&WAYS, |asked, version| async move {
        let what = format!("{asked:?} over {version}");
        let upstream = Upstream::start(|_| silence()).await;
        let gateway = Setup::default().start(&upstream).await;
        let agent = agent_of(&gateway, version, LASTING);
        let mut open = asked.request(&agent).send().await.unwrap();
        assert!(first(&mut open).await.contains("news"), "{what}");

        gateway.running.reload().await.unwrap();
        gateway
            .change(&[(
                "path: /crm/mcp\n",
                "path: /crm/mcp\n    read_timeout: 59s\n",
            )])
            .await
            .unwrap();

        let more = tokio::time::timeout(SOON, open.chunk()).await;
        assert!(more.is_err(), "{what}: {more:?}");
        assert_eq!(upstream.aborted(), 0, "{what}");

        gateway.change(NARROWER).await.unwrap();
        let heard = rest(open, Instant::now()).await;
        assert!(heard.text.contains("list_changed"), "{what}: {heard:?}");
    })
    .await;
}

#[tokio::test]
async fn x08_calls_under_way_are_not_cut_by_another_policy() {
    let upstream = Upstream::start(|arrived| {
        let answer =
            json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": { "content": [] } });
        let mut reply = Reply::events(vec![Bytes::from_static(b": begun\n\n")]);
        reply.pieces = vec![(SOON, Bytes::from(format!("data: {answer}\n\n")))];
        reply
    })
    .await;
    let gateway = Setup::default().start(&upstream).await;
    for (count, asked) in [Asked::Call, Asked::LegacyCall].into_iter().enumerate() {
        let agent = agent_of(&gateway, "h1", LASTING);
        let open = asked.request(&agent).send().await.unwrap();
        if count == 0 {
            gateway.change(&[("search_*", "search_c*")]).await.unwrap();
        } else {
            gateway
                .change(&[("search_c*", "search_cu*")])
                .await
                .unwrap();
        }
        let heard = rest(open, Instant::now()).await;
        assert!(heard.is_whole, "{asked:?}: {heard:?}");
        assert_eq!(
            heard.last_event()["result"],
            json!({ "content": [] }),
            "{asked:?}"
        );
        assert!(!heard.text.contains("list_changed"), "{asked:?}: {heard:?}");
    }
}

#[tokio::test]
async fn s07_a_subscription_is_told_of_the_lists_that_it_asked_for_and_of_no_others() {
    let cases = [
        (json!({}), vec![]),
        (
            json!({ "toolsListChanged": false, "promptsListChanged": true }),
            vec!["prompts"],
        ),
        (
            json!({ "resourcesListChanged": true, "toolsListChanged": true }),
            vec!["tools", "resources"],
        ),
    ];
    for (asked, lists) in cases {
        let upstream = Upstream::start(|_| silence()).await;
        let gateway = Setup::default().start(&upstream).await;
        let agent = agent_of(&gateway, "h1", LASTING);
        let message = stateless("subscriptions/listen", &json!({ "notifications": asked }));
        let request = headers_of(agent.request(Method::POST), &message).body(message.to_string());
        let mut open = request.send().await.unwrap();
        assert!(first(&mut open).await.contains("news"), "{asked}");

        gateway.change(NARROWER).await.unwrap();

        let heard = rest(open, Instant::now()).await;
        let mut expected: Vec<_> = lists.iter().map(|list| changed(list, Some(7))).collect();
        expected.push(closed(7));
        assert_eq!(messages(&heard.text), expected, "{asked}");
    }
}

#[tokio::test]
async fn s07_who_is_told_that_lists_changed_sees_the_new_ones_and_is_refused_the_old_call() {
    let upstream = Upstream::start(|arrived| {
        if arrived.method == "GET" {
            return silence();
        }
        let tools = [tool("search_customers"), tool("get_customer")];
        let id = &arrived.json()["id"];
        Reply::json(&json!({ "jsonrpc": "2.0", "id": id, "result": { "tools": tools } }))
    })
    .await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let before = agent.modern(&list()).await.body;
    assert!(before.contains("search_customers"), "{before}");
    let mut open = stream(&agent).send().await.unwrap();
    assert!(first(&mut open).await.contains("news"));
    let arrived = upstream.count();

    gateway.change(NARROWER).await.unwrap();

    let told = open.text().await.unwrap();
    assert!(told.contains("notifications/tools/list_changed"), "{told}");
    let answer = agent.modern(&modern("search_customers", &json!({}))).await;
    assert_eq!((answer.status, answer.code()), (403, Some(40301)));
    assert_eq!(upstream.count(), arrived, "nothing may arrive");
    let after = agent.modern(&list()).await.body;
    assert!(
        after.contains("get_customer") && !after.contains("search_customers"),
        "{after}"
    );
}

#[tokio::test]
async fn x10_the_paths_of_the_older_transport_lead_nowhere() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let token = gateway.setup.analyst();
    let base = gateway.url().replace("/crm/mcp", "");
    for (method, path) in [
        (Method::GET, "/sse"),
        (Method::POST, "/messages?sessionId=abc"),
        (Method::POST, "/message?sessionId=abc"),
        (Method::GET, "/crm/sse"),
        (Method::POST, "/crm/messages/?session_id=abc"),
        (Method::GET, "/crm/mcp/sse"),
        (Method::POST, "/crm/mcp/messages?sessionId=abc"),
    ] {
        for token in [None, Some(token.clone())] {
            let agent = Agent::new(format!("{base}{path}"), token);
            let answer = send(agent.request(method.clone()).body("{}")).await;
            assert_eq!((answer.status, answer.code()), (404, Some(40402)), "{path}");
        }
    }
    assert_eq!(upstream.count(), 0, "nothing may arrive");
    assert_eq!(agent.modern(&list()).await.status, 200);
}

#[tokio::test]
async fn x10_the_address_that_a_server_of_the_older_transport_gives_does_not_pass() {
    let text = "event: endpoint\ndata: /messages?sessionId=canary\n\n";
    let upstream = Upstream::start(move |_| Reply::events(vec![Bytes::from(text)])).await;
    let (_gateway, agent) = Setup::default().start_with_agent(&upstream).await;
    let answer = send(stream(&agent)).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("canary"), "{}", answer.body);
}

#[tokio::test]
async fn x08_a_stream_without_a_head_is_refused_when_the_policy_changes() {
    each(&WAYS, |asked, version| async move {
        let what = format!("{asked:?} over {version}");
        let peer = RawPeer::start(|_| Act::Stay).await;
        let setup = Setup::default();
        let yaml = setup.yaml(&peer.url());
        let gateway = Gateway::start(setup, yaml).await;
        let agent = agent_of(&gateway, version, LASTING);
        let asking = tokio::spawn(send(asked.request(&agent)));
        // On record before it is sent: from here on it is under way.
        while gateway.records().await.is_empty() {
            tokio::task::yield_now().await;
        }

        gateway.change(NARROWER).await.unwrap();

        let answer = asking.await.unwrap();
        assert_eq!((answer.status, answer.code()), (503, Some(50308)), "{what}");
        let reason = &answer.json()["error"]["data"]["reason"];
        assert_eq!(reason, "policy_changed", "{what}");
    })
    .await;
}
