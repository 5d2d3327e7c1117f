//! Sessions that a change of the policy ended are ended at their servers too, after their calls and without haste.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Method;
use serde_json::json;

use crate::sessions::{open, server, within};
use crate::support::{Agent, Reply, Setup, Upstream, eventually, send};

pub(crate) const SOON: Duration = Duration::from_secs(5);

/// The sessions that were ended at the server, by the names that it has for them.
pub(crate) fn ended(upstream: &Upstream) -> Vec<String> {
    let arrived = upstream.arrived();
    let ended = arrived.iter().filter(|arrived| arrived.method == "DELETE");
    ended
        .map(|arrived| arrived.header("mcp-session-id").unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn x08_a_session_that_another_policy_ended_is_ended_at_its_server_after_its_calls() {
    let upstream = Upstream::start(|arrived| {
        let mut reply = server(arrived);
        if arrived.method == "POST" && arrived.json()["method"] == "tools/call" {
            let answer = json!({ "jsonrpc": "2.0", "id": arrived.json()["id"], "result": { "content": [] } });
            reply = Reply::events(vec![Bytes::from_static(b": begun\n\n")]);
            reply.pieces = vec![(Duration::from_millis(700), Bytes::from(format!("data: {answer}\n\n")))];
        }
        reply
    })
    .await;
    let setup = Setup::default();
    let alice = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let alice = Agent::new(gateway.url(), Some(alice));
    let session = open(&alice).await;
    let under_way = within(&alice, &Method::POST, &session)
        .send()
        .await
        .unwrap();

    let text = gateway
        .yaml
        .lock()
        .unwrap()
        .replace("search_*", "search_customers");
    *gateway.yaml.lock().unwrap() = text;
    gateway.running.reload().await.unwrap();

    assert!(ended(&upstream).is_empty(), "a call is under way");
    let answer = under_way.text().await.unwrap();
    assert!(answer.contains("content"), "{answer}");
    assert!(eventually(SOON, || ended(&upstream) == ["s-1"]).await);
    let arrived = upstream.arrived();
    let last = arrived.last().unwrap();
    assert_eq!(
        (last.method.as_str(), last.header("authorization")),
        ("DELETE", None)
    );
    assert_eq!(last.path, "/mcp");
}

#[tokio::test]
async fn x08_a_server_that_does_not_listen_holds_up_no_reload() {
    let upstream = Upstream::start(|arrived| match arrived.method.as_str() {
        "DELETE" => Reply::events(Vec::new()).status(500).endless(),
        _ => server(arrived),
    })
    .await;
    let setup = Setup::default();
    let alice = setup.analyst();
    let gateway = setup.start(&upstream).await;
    let alice = Agent::new(gateway.url(), Some(alice));
    open(&alice).await;

    let since = Instant::now();
    for (from, to) in [("search_*", "search_c*"), ("search_c*", "search_*")] {
        let text = gateway.yaml.lock().unwrap().replace(from, to);
        *gateway.yaml.lock().unwrap() = text;
        gateway.running.reload().await.unwrap();
    }
    assert!(since.elapsed() < SOON);
    let session = open(&alice).await;
    let answer = send(within(&alice, &Method::POST, &session)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        eventually(SOON, || ended(&upstream) == ["s-1"]).await,
        "asked once"
    );
}
