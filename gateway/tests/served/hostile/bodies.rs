//! JSON answers that are something else than an answer, and large ones.

use serde_json::json;

use super::{Asked, ERAS, Era, MARK, Stage, assert_error, assert_silent, good, result};
use crate::support::Reply;

/// Bodies that are no answer to the request with id 7, by row.
fn bodies() -> Vec<(&'static str, String)> {
    let marked = json!({ "content": [], "x": MARK });
    let answer = json!({ "jsonrpc": "2.0", "id": 7, "result": marked });
    let with = |key: &str, value: serde_json::Value| {
        let mut changed = answer.clone();
        changed[key] = value;
        changed.to_string()
    };
    let text = answer.to_string();
    vec![
        (
            "u07 a method and a result",
            with("method", json!("notifications/message")),
        ),
        (
            "u07 an error and a result",
            with("error", json!({ "code": 1, "message": "x" })),
        ),
        ("u07 another version", with("jsonrpc", json!("1.0"))),
        ("u07 no version", text.replace("\"jsonrpc\":\"2.0\",", "")),
        ("u07 a batch", format!("[{text}]")),
        (
            "u07 a result twice",
            text.replace("\"result\":", "\"result\":{},\"result\":"),
        ),
        (
            "u07 a result in other case",
            text.replace("\"result\"", "\"Result\""),
        ),
        (
            "u07 a request",
            json!({ "jsonrpc": "2.0", "id": 7, "method": "ping", "params": marked }).to_string(),
        ),
        (
            "u07 a notification",
            json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": marked })
                .to_string(),
        ),
        ("u08 another id", with("id", json!(8))),
        ("u08 the id as text", with("id", json!("7"))),
        ("u08 no id", with("id", json!(null))),
        ("u12 a byte order mark", format!("\u{feff}{text}")),
        ("u12 not a number", text.replace("[]", "NaN")),
        ("u12 cut short", text.trim_end_matches('}').to_owned()),
        ("u12 markup", format!("<html>{text}</html>")),
        ("u12 two documents", format!("{text}{text}")),
    ]
}

#[tokio::test]
async fn u07_a_body_that_is_no_answer_is_replaced_by_an_error() {
    let stage = Stage::start().await;
    let mut count = 0;
    for (what, body) in bodies() {
        for era in ERAS {
            for (length, asked) in [
                (true, Asked::Tool),
                (false, Asked::Tool),
                (true, Asked::List),
            ] {
                let mut reply = Reply::body("application/json", body.clone());
                if length {
                    // Room for the error.
                    let padded = format!("{body}{}", " ".repeat(400));
                    reply = Reply::body("application/json", padded.clone());
                    reply = reply.with("content-length", &padded.len().to_string());
                }
                let answer = stage.hears(&reply, era, asked).await;
                assert_silent(&answer, what);
                assert_error(&answer.json(), what);
                count += 1;
            }
        }
    }
    assert_eq!(stage.wire.upstream.count(), count);
    assert_eq!(stage.outcomes().await, vec!["upstream_protocol"; count]);
    stage.assert_well("after all of them").await;
}

#[tokio::test]
async fn u07_an_error_that_does_not_fit_the_length_breaks_the_answer_off() {
    let stage = Stage::start().await;
    let body = format!("{{\"a\":\"{MARK}\"}}");
    let reply = Reply::body("application/json", body.clone());
    *stage.line.lock().unwrap() = reply.with("content-length", &body.len().to_string());
    let message = Asked::Tool.message(Era::Legacy, &json!(null));
    let request = stage
        .wire
        .agent
        .request(reqwest::Method::POST)
        .body(message.to_string());
    if let Ok(response) = request.send().await {
        let status = response.status();
        // Its head may be held back until the body is known, and is then one of ours.
        match response.text().await {
            Ok(text) => assert!(status == 502 && !text.contains(MARK), "{status} {text}"),
            Err(error) => assert!(!error.to_string().contains(MARK)),
        }
    }
    assert_eq!(stage.outcomes().await, ["upstream_protocol"]);
    stage.assert_well("after it").await;
}

#[tokio::test]
async fn u01_what_is_not_filtered_passes_byte_for_byte() {
    let stage = Stage::start().await;
    let spaced = "{ \"id\":7,\r\n\t\"jsonrpc\" : \"2.0\", \"result\":{\"x\":\"\u{2028}\u{e9}\\u00e9\",\"n\":1.0e+2}}\n";
    let large = format!(
        "{{\"jsonrpc\":\"2.0\",\"result\":{{\"a\":\"{}\",\"x\":\"\u{e9}\"}} ,\"id\":7}}",
        "\\\"{".repeat(50_000)
    );
    for body in [spaced.to_owned(), large] {
        for era in ERAS {
            let plain = Reply::body("Application/JSON; charset=UTF-8", body.clone());
            let length = plain
                .clone()
                .with("content-length", &body.len().to_string());
            for reply in [plain, length] {
                let answer = stage.hears(&reply, era, Asked::Tool).await;
                assert!(answer.body == body, "{} bytes", body.len());
                assert_eq!(answer.header("content-type"), Some("application/json"));
            }
        }
    }
    assert_eq!(stage.outcomes().await, ["ok"; 8]);
}

#[tokio::test]
async fn u07_a_large_answer_that_is_something_else_is_broken_off() {
    let stage = Stage::start().await;
    let filler = "x".repeat(100_000);
    for (what, tail) in [
        (
            "a second result",
            format!(",\"result\":{{\"a\":\"{MARK}\"}}"),
        ),
        ("a method", format!(",\"method\":\"{MARK}\"")),
    ] {
        let body =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{{\"a\":\"{filler}\"}}{tail}}}");
        let (head, rest) = body.split_at(90_000);
        let mut reply = Reply::body("application/json", head.to_owned());
        reply
            .pieces
            .push((std::time::Duration::from_millis(50), rest.to_owned().into()));
        *stage.line.lock().unwrap() = reply;
        let message = Asked::Tool.message(Era::Modern, &json!(null));
        let request = stage.wire.agent.request(reqwest::Method::POST);
        let request = crate::support::headers_of(request, &message).body(message.to_string());
        let response = request.send().await.unwrap();
        assert!(
            response.text().await.is_err(),
            "{what}: it should not end well"
        );
    }
    assert_eq!(stage.outcomes().await, ["upstream_protocol"; 2]);
    stage.assert_well("after them").await;
}

#[tokio::test]
async fn u08_a_list_under_the_id_of_another_request_is_filtered_before_2026() {
    let stage = Stage::start().await;
    let list = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [{ "name": "search_a" }, { "name": MARK }] } });
    let body = list.to_string();
    let length = body.len().to_string();
    for reply in [
        Reply::json(&list),
        Reply::json(&list).with("content-length", &length),
        super::stream(super::event(&list)),
    ] {
        let answer = stage.hears(&reply, Era::Legacy, Asked::Tool).await;
        assert_silent(&answer, "a list");
        assert!(answer.body.contains("search_a"), "{}", answer.body);
    }
    let answer = stage.hears(&good(), Era::Legacy, Asked::Tool).await;
    assert_eq!(answer.json(), result());
}
