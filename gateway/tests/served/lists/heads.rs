//! What a server says in the head of its answer about credentials, places and cookies stays with the gateway.

use serde_json::json;

use super::{ERAS, Era, KINDS, answering, ask};
use crate::support::{Answer, Reply, call, modern};
use crate::wire::Wire;

const FOREIGN: [(&str, &str); 8] = [
    (
        "www-authenticate",
        "Bearer resource_metadata=\"http://evil.test/\"",
    ),
    ("location", "http://evil.test/"),
    ("set-cookie", "session=SECRET"),
    ("refresh", "0; url=http://evil.test/"),
    ("link", "<http://evil.test/>; rel=preload"),
    ("access-control-allow-origin", "*"),
    ("server", "SECRET/1.0"),
    ("x-backend", "SECRET"),
];

fn dressed(reply: Reply) -> Reply {
    FOREIGN
        .iter()
        .fold(reply, |reply, (name, value)| reply.with(name, value))
}

#[track_caller]
fn assert_bare(answer: &Answer) {
    for (name, _) in FOREIGN {
        assert_eq!(answer.header(name), None, "{name}");
    }
    let everything = format!("{answer:?}");
    assert!(!everything.contains("SECRET"), "{everything}");
    assert!(!everything.contains("evil.test"), "{everything}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

async fn all(wire: &Wire) -> Vec<Answer> {
    let arguments = json!({});
    let mut answers = vec![
        wire.agent
            .legacy(&call("search_customers", &arguments))
            .await,
        wire.agent
            .modern(&modern("search_customers", &arguments))
            .await,
    ];
    for era in ERAS {
        answers.push(ask(wire, era, "tools/list").await);
    }
    answers
}

#[tokio::test]
async fn h45_a_challenge_or_a_redirect_of_the_server_never_reaches_the_client() {
    let statuses = [401, 300, 301, 302, 303, 304, 307, 308];
    let bodies = ["", "SECRET evil.test"];
    for (status, body) in statuses
        .iter()
        .flat_map(|status| bodies.map(|body| (*status, body)))
    {
        if status == 304 && !body.is_empty() {
            continue;
        }
        let wire = answering(move |_| {
            let reply = Reply::body("application/json", body);
            let length = body.len().to_string();
            dressed(reply.with("content-length", &length).status(status))
        })
        .await;
        for answer in all(&wire).await {
            assert_eq!(answer.status, 502, "{status}: {}", answer.body);
            assert_eq!(answer.code(), Some(50202), "{status}");
            assert_eq!(answer.json()["id"], 7);
            assert_bare(&answer);
        }
        assert_eq!(
            wire.upstream.count(),
            4,
            "nothing is followed or tried again"
        );
        assert_eq!(wire.outcomes(4).await, ["upstream_protocol"; 4]);
    }
}

#[tokio::test]
async fn h44_cookies_and_other_foreign_headers_are_left_out_of_a_good_answer() {
    let wire = answering(|arrived| {
        let body = match arrived.json()["method"].as_str() {
            Some("tools/list") => KINDS[0].answer(),
            _ => json!({ "jsonrpc": "2.0", "id": 7, "result": { "content": [] } }),
        };
        dressed(Reply::json(&body))
    })
    .await;
    for answer in all(&wire).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_bare(&answer);
    }
}

#[tokio::test]
async fn h45_a_403_of_the_server_passes_without_its_challenge() {
    let wire = answering(|_| {
        let error = json!({ "jsonrpc": "2.0", "id": 7, "error": { "code": 1, "message": "no" } });
        dressed(Reply::json(&error).status(403))
    })
    .await;
    let answer = ask(&wire, Era::Modern, "tools/list").await;
    assert_eq!((answer.status, answer.code()), (403, Some(1)));
    assert_bare(&answer);
}
