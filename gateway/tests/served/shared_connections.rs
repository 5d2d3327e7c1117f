//! Many principals over few connections: no byte of one is in the answer of another, whatever was broken off before.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{
    Agent, Arrived, Gateway, Reply, Setup, Upstream, call, headers_of, modern, stateless,
};

const PEOPLE: usize = 8;
const REQUESTS: usize = 4000;

/// Says the marker of a request back in many pieces; some answers are events.
fn echo(arrived: &Arrived) -> Reply {
    let message = arrived.json();
    let marker = message["params"]["arguments"]["marker"].as_str().unwrap();
    let text = format!("{marker} ").repeat(600);
    let answer =
        json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "resultType": "complete",
        "content": [{ "type": "text", "text": text }], "isError": false } })
        .to_string();
    let as_events = marker.ends_with('3');
    let body = if as_events {
        format!("data: {answer}\n\n")
    } else {
        answer
    };
    let pieces: Vec<_> = body
        .as_bytes()
        .chunks(4096)
        .map(Bytes::copy_from_slice)
        .collect();
    let mut reply = Reply::events(pieces);
    if !as_events {
        reply.headers = vec![("content-type".into(), "application/json".into())];
    }
    reply
}

/// Asks for a marker, and breaks off or reads the answer to its end.
async fn exchange(agent: &Agent, person: usize, number: usize) -> Option<String> {
    let marker = format!("person-{person}-request-{number}");
    let arguments = json!({ "marker": marker });
    let request = agent.request(Method::POST);
    let request = if number.is_multiple_of(2) {
        let message = modern("search_customers", &arguments);
        headers_of(request, &message).body(message.to_string())
    } else {
        request
            .header("mcp-protocol-version", "2025-11-25")
            .body(call("search_customers", &arguments).to_string())
    };
    let mut response = request.send().await.unwrap();
    assert_eq!(response.status(), 200, "{marker}");
    if number.is_multiple_of(5) {
        let _ = response.chunk().await;
        return None;
    }
    let body = response.text().await.unwrap();
    assert!(body.contains(&marker), "{marker}: {body}");
    Some(body)
}

/// Everything in `body` that looks like a marker.
fn markers(body: &str) -> impl Iterator<Item = &str> {
    body.split(|character: char| !character.is_ascii_alphanumeric() && character != '-')
        .filter(|word| word.starts_with("person-"))
}

async fn soak(client: impl Fn() -> Client) {
    let upstream = Upstream::start(echo).await;
    let setup = Setup::default();
    let tokens: Vec<_> = (0..PEOPLE)
        .map(|person| {
            setup
                .issuer
                .token(&format!("p{person}"), &["analyst"], "crm:read")
        })
        .collect();
    let gateway = setup.start(&upstream).await;
    // All of them speak over one client, and with it over the same connections.
    let shared = client();
    let agents: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            let mut agent = Agent::new(gateway.url(), Some(token));
            agent.client = shared.clone();
            agent
        })
        .collect();
    let agents = &agents;
    let exchanges = (0..REQUESTS).map(|number| async move {
        let person = number % PEOPLE;
        (number, exchange(&agents[person], person, number).await)
    });
    let mut whole = 0;
    let mut answers = stream::iter(exchanges).buffer_unordered(32);
    while let Some((number, answer)) = answers.next().await {
        let Some(body) = answer else { continue };
        whole += 1;
        let own = format!("person-{}-request-{number}", number % PEOPLE);
        assert_eq!(markers(&body).count(), 600, "{own}");
        assert!(markers(&body).all(|marker| marker == own), "{own}: {body}");
    }
    assert_eq!(whole, REQUESTS - REQUESTS / 5);
    assert!(
        upstream.connected() < REQUESTS / 2,
        "connections are shared: {}",
        upstream.connected()
    );
}

fn builder() -> reqwest::ClientBuilder {
    Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
}

#[tokio::test]
async fn x17_no_byte_of_one_is_in_the_answer_of_another_over_shared_http1_connections() {
    soak(|| builder().http1_only().build().unwrap()).await;
}

#[tokio::test]
async fn x17_no_byte_of_one_is_in_the_answer_of_another_over_one_http2_connection() {
    soak(|| builder().http2_prior_knowledge().build().unwrap()).await;
}

/// Tells whoever listens what they listen to.
fn telling(arrived: &Arrived) -> Reply {
    let message = arrived.json();
    let uri = &message["params"]["notifications"]["resourceSubscriptions"][0];
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/resources/updated", "params": { "uri": uri } });
    let end = json!({ "jsonrpc": "2.0", "id": message["id"], "result": { "resultType": "complete", "uri": uri } });
    let event = |message: &Value| Bytes::from(format!("data: {message}\n\n"));
    let mut reply = Reply::events(vec![event(&note)]);
    reply
        .pieces
        .push((Duration::from_millis(300), event(&note)));
    reply.pieces.push((Duration::ZERO, event(&end)));
    reply
}

async fn listen(gateway: &Gateway, token: String, person: &str) -> String {
    let agent = Agent::new(gateway.url(), Some(token));
    let uri = format!("crm://customers/{person}");
    let params = json!({ "notifications": { "resourceSubscriptions": [uri] } });
    let mut message = stateless("subscriptions/listen", &params);
    message["id"] = json!(1);
    let answer = agent.modern(&message).await;
    assert_eq!(answer.status, 200, "{person}: {}", answer.body);
    answer.body
}

#[tokio::test]
async fn x16_two_who_listen_under_the_same_id_hear_their_own() {
    let upstream = Upstream::start(telling).await;
    let setup = Setup::default();
    let [alice, bob] =
        ["alice", "bob"].map(|person| setup.issuer.token(person, &["analyst"], "crm:read"));
    let gateway = setup.start(&upstream).await;
    let (hers, his) = tokio::join!(
        listen(&gateway, alice, "alice"),
        listen(&gateway, bob, "bob")
    );
    for (body, own, other) in [(hers, "alice", "bob"), (his, "bob", "alice")] {
        assert_eq!(body.matches(own).count(), 3, "{own}: {body}");
        assert!(!body.contains(other), "{own}: {body}");
    }
}
