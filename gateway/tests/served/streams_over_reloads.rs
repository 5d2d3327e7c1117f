//! A stream that stays open while the configuration changes is judged by what is in force when an event comes.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Method, Response};
use serde_json::json;

use crate::support::{Agent, Arrived, Gateway, Reply, Setup, Upstream, list, send, tool};

/// In which the configuration is changed.
const PAUSE: Duration = Duration::from_secs(2);

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

async fn fronting(upstream: &Upstream) -> (Gateway, Agent) {
    let setup = Setup::default();
    let token = setup.analyst();
    let gateway = setup.start(upstream).await;
    let agent = Agent::new(gateway.url(), Some(token));
    (gateway, agent)
}

async fn first(response: &mut Response) -> String {
    assert_eq!(response.status(), 200);
    let first = response.chunk().await.unwrap().unwrap();
    String::from_utf8(first.to_vec()).unwrap()
}

async fn change(gateway: &Gateway, changes: &[(&str, &str)]) {
    {
        let mut yaml = gateway.yaml.lock().unwrap();
        for (from, to) in changes {
            assert!(yaml.contains(from), "nothing to replace: {from}");
            *yaml = yaml.replace(from, to);
        }
    }
    gateway.running.reload().await.unwrap();
}

fn stream(agent: &Agent) -> reqwest::RequestBuilder {
    agent
        .request(Method::GET)
        .header("mcp-protocol-version", "2025-11-25")
}

#[tokio::test]
async fn x13_lists_that_come_after_a_reload_are_filtered_by_the_new_policy() {
    let upstream = Upstream::start(twice).await;
    let (gateway, agent) = fronting(&upstream).await;
    let mut response = stream(&agent).send().await.unwrap();
    let before = first(&mut response).await;
    assert!(before.contains("search_customers") && before.contains("get_customer"));

    change(&gateway, &[("search_*", "find_*")]).await;

    let after = response.text().await.unwrap();
    assert!(after.contains("get_customer"), "{after}");
    assert!(!after.contains("search_customers"), "{after}");
}

#[tokio::test]
async fn x13_a_stream_ends_when_its_server_is_no_more() {
    let upstream = Upstream::start(twice).await;
    let (gateway, agent) = fronting(&upstream).await;
    let mut response = stream(&agent).send().await.unwrap();
    assert!(first(&mut response).await.contains("get_customer"));

    change(
        &gateway,
        &[
            ("name: crm\n", "name: wiki\n"),
            ("      crm:\n", "      wiki:\n"),
        ],
    )
    .await;

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

#[tokio::test]
async fn x10_the_paths_of_the_older_transport_lead_nowhere() {
    let upstream = Upstream::plain().await;
    let (gateway, agent) = fronting(&upstream).await;
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
    let (_gateway, agent) = fronting(&upstream).await;
    let answer = send(stream(&agent)).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.contains("canary"), "{}", answer.body);
}
