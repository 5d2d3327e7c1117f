//! Statuses, media types, encodings and headers that an answer should not have.

use serde_json::{Value, json};

use super::{Asked, ERAS, Era, MARK, Stage, assert_error, assert_silent, event, result, stream};
use crate::support::{Reply, legacy};

fn marked() -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [{ "name": MARK }], "x": MARK } })
}

#[tokio::test]
async fn u09_an_answer_of_any_other_media_type_is_replaced() {
    let stage = Stage::start().await;
    let text = marked().to_string();
    let types = [
        "text/plain",
        "text/html",
        "application/jsonx",
        "application/json, text/html",
        "application/json;charset=utf-7",
        "application/json;charset=utf-16",
        "multipart/mixed; boundary=x",
        "application/x-ndjson",
        "text/event-streams",
        "",
    ];
    let mut count = 0;
    for media in types {
        for (era, asked) in [
            (Era::Legacy, Asked::Tool),
            (Era::Modern, Asked::Tool),
            (Era::Modern, Asked::List),
        ] {
            let answer = stage
                .hears(&Reply::body(media, text.clone()), era, asked)
                .await;
            assert_eq!(answer.status, 502, "{media}: {}", answer.body);
            assert_silent(&answer, media);
            assert_error(&answer.json(), media);
            count += 1;
        }
    }
    assert_eq!(stage.outcomes().await, vec!["upstream_protocol"; count]);
    for media in [
        "Application/JSON ;x=1",
        "application/json; charset=\"UTF-8\"",
    ] {
        let reply = Reply::body(media, result().to_string());
        let answer = stage.hears(&reply, Era::Modern, Asked::Tool).await;
        assert_eq!(answer.json(), result());
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
    let reply = Reply::body("TEXT/event-stream; charset=utf-8", event(&result()));
    let answer = stage.hears(&reply, Era::Modern, Asked::Tool).await;
    assert_eq!(answer.body, event(&result()));
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
}

#[tokio::test]
async fn u10_every_success_is_filtered_and_every_other_body_is_replaced() {
    let stage = Stage::start().await;
    for era in ERAS {
        for status in [200, 201, 202, 203, 206, 226, 299] {
            for reply in [Reply::json(&marked()), stream(event(&marked()))] {
                let answer = stage.hears(&reply.status(status), era, Asked::List).await;
                assert_eq!(answer.status, status);
                assert_silent(&answer, &status.to_string());
            }
        }
        for status in [400, 403, 404, 409, 429, 500, 503] {
            for asked in [Asked::Tool, Asked::List] {
                for reply in [
                    Reply::json(&marked()),
                    Reply::body("text/html", MARK),
                    Reply::body("application/json", format!("{{\"detail\":\"{MARK}\"}}")),
                    stream(event(&marked())),
                ] {
                    let answer = stage.hears(&reply.status(status), era, asked).await;
                    assert_eq!(answer.status, status, "{}", answer.body);
                    assert_silent(&answer, &status.to_string());
                    assert_error(&answer.json(), &status.to_string());
                }
            }
        }
        for id in [json!(7), json!(null)] {
            let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32001, "message": "gone" } });
            let reply = Reply::json(&error).status(404);
            let answer = stage.hears(&reply, era, Asked::Tool).await;
            assert_eq!((answer.status, answer.json()), (404, error));
        }
    }
}

#[tokio::test]
async fn u11_an_encoded_answer_is_replaced() {
    let stage = Stage::start().await;
    for coding in ["gzip", "br", "deflate", "identity", "x"] {
        for (era, asked) in [
            (Era::Legacy, Asked::Tool),
            (Era::Modern, Asked::Tool),
            (Era::Modern, Asked::List),
        ] {
            for reply in [Reply::json(&marked()), stream(event(&marked()))] {
                let answer = stage
                    .hears(&reply.with("content-encoding", coding), era, asked)
                    .await;
                assert_eq!(answer.status, 502, "{coding}");
                assert_silent(&answer, coding);
                assert_eq!(answer.header("content-encoding"), None);
            }
        }
    }
    let sent = stage.wire.upstream.arrived();
    assert!(
        sent.iter()
            .all(|arrived| arrived.header("accept-encoding") == Some("identity"))
    );
}

#[tokio::test]
async fn u22_nothing_is_compressed_on_the_way() {
    let stage = Stage::start().await;
    *stage.line.lock().unwrap() =
        Reply::json(&json!({ "jsonrpc": "2.0", "id": 7, "result": { "x": "a".repeat(10_000) } }));
    let message = Asked::Tool.message(Era::Legacy, &Value::Null).to_string();
    let request = stage
        .wire
        .agent
        .request(reqwest::Method::POST)
        .body(message);
    let response = request
        .header("accept-encoding", "gzip, br")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers().get("content-encoding"), None);
    assert!(response.text().await.unwrap().len() > 10_000);
}

#[tokio::test]
async fn u23_what_answers_a_notification_loses_its_body() {
    let stage = Stage::start().await;
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    for status in [200, 202, 299, 400, 404, 500] {
        for reply in [Reply::json(&marked()), stream(event(&marked()))] {
            let reply = reply.clone().status(status);
            let answer = stage.hears_with(&reply, Era::Legacy, &notification).await;
            assert_eq!((answer.status, answer.body.as_str()), (status, ""));
            assert_eq!(answer.header("content-type"), None);
        }
    }
    let bare = Reply {
        headers: Vec::new(),
        pieces: Vec::new(),
        ..Reply::default()
    }
    .status(204);
    let answer = stage.hears_with(&bare, Era::Legacy, &notification).await;
    assert_eq!(answer.status, 204);
    for era in ERAS {
        let answer = stage.hears(&bare, era, Asked::Tool).await;
        assert_eq!(answer.status, 502);
        assert_error(&answer.json(), "a call that is not answered");
    }
    stage.assert_well("after them").await;
}

#[tokio::test]
async fn h46_a_redirect_is_never_followed_and_never_passed_on() {
    let stage = Stage::start().await;
    for status in [300, 301, 302, 303, 307, 308] {
        for era in ERAS {
            let reply = Reply::json(&marked())
                .status(status)
                .with("location", "http://evil.test/");
            let answer = stage.hears(&reply, era, Asked::Tool).await;
            assert_eq!(answer.status, 502, "{status}");
            assert_silent(&answer, "a redirect");
        }
    }
    assert_eq!(stage.wire.upstream.count(), 12);
    assert_eq!(stage.outcomes().await, ["upstream_protocol"; 12]);
}

#[tokio::test]
async fn s06_no_answer_may_be_stored() {
    let stage = Stage::start().await;
    let ping = legacy("ping", &json!({}));
    for reply in [
        super::good(),
        stream(event(&result())),
        Reply::body("text/html", "x").status(500),
    ] {
        let reply = reply
            .with("cache-control", "public, max-age=3600")
            .with("age", "1");
        for answer in [
            stage.hears(&reply, Era::Modern, Asked::Tool).await,
            stage.hears_with(&reply, Era::Legacy, &ping).await,
        ] {
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("age"), None);
        }
    }
}

#[tokio::test]
async fn u23_a_body_that_nobody_asked_for_is_dropped_over_http_2_too() {
    let mut stage = Stage::start().await;
    let builder = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge();
    stage.wire.agent.client = builder.build().unwrap();
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    for reply in [Reply::json(&marked()), stream(event(&marked()))] {
        let reply = reply.status(202);
        let answer = stage.hears_with(&reply, Era::Legacy, &notification).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    }
    let padded = format!(
        "{}{}",
        marked().to_string().replace(":7", ":8"),
        " ".repeat(400)
    );
    let reply = Reply::body("application/json", padded.clone());
    let reply = reply.with("content-length", &padded.len().to_string());
    let answer = stage.hears(&reply, Era::Modern, Asked::Tool).await;
    assert_silent(&answer, "another id");
    assert_error(&answer.json(), "another id");
    stage.assert_well("after them").await;
}
