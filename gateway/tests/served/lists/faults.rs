//! A list that cannot be filtered never reaches its reader: an error takes its place.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{ERAS, Era, KINDS, SECRET, answering, ask, events};
use crate::support::{Answer, Reply, Setup, Upstream};
use crate::wire::Wire;

/// Answers with denied names that are no list of tools to the request with id 7.
fn bodies() -> Vec<(&'static str, String)> {
    let changed = changed_bodies().into_iter();
    let changed = changed.map(|(what, body)| (what, body.to_string()));
    changed.chain(respelled_bodies()).collect()
}

/// JSON that is something else.
fn changed_bodies() -> Vec<(&'static str, Value)> {
    let answer = KINDS[0].answer();
    let tools = answer["result"]["tools"].clone();
    let with = |pointer: &str, value: Value| {
        let mut changed = answer.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        changed.pointer_mut(parent).unwrap()[key] = value;
        changed
    };
    vec![
        (
            "tools in an object",
            with("/result/tools", json!({ "a": tools })),
        ),
        ("tools as text", with("/result/tools", json!("SECRET"))),
        ("no tools", with("/result", json!({ "prompts": tools }))),
        ("a result that is an array", with("/result", tools.clone())),
        ("another id", with("/id", json!(8))),
        ("the id as text", with("/id", json!("7"))),
        ("id null", with("/id", Value::Null)),
        (
            "a result and a method",
            with("/method", json!("notifications/message")),
        ),
        ("a result and an error", with("/error", json!({}))),
        ("a batch", json!([answer])),
    ]
}

/// Text that two readers could read as two lists, or not at all.
fn respelled_bodies() -> Vec<(&'static str, String)> {
    let text = KINDS[0].answer().to_string();
    let named = |to: &str| text.replace("\"name\":\"search_b\"", to);
    vec![
        (
            "tools in other case",
            text.replace("\"tools\"", "\"Tools\""),
        ),
        (
            "tools twice",
            text.replacen("\"tools\"", "\"tools\":[],\"tools\"", 1),
        ),
        ("no id", text.replace("\"id\":7,", "")),
        ("two documents", format!("{text}\n{text}")),
        ("cut short", text.trim_end_matches('}').to_owned()),
        ("a tool that is text", text.replacen('[', "[\"SECRET\",", 1)),
        ("a nameless tool", named("\"title2\":\"search_b\"")),
        ("a name that is a number", named("\"name\":5")),
        (
            "a look-alike name",
            named("\"Name\":\"SECRET\",\"name\":\"search_b\""),
        ),
        (
            "a name twice",
            named("\"name\":\"SECRET\",\"name\":\"search_b\""),
        ),
        ("a byte order mark", format!("\u{feff}{text}")),
        (
            "a lone surrogate",
            text.replace("drop_SECRET", r"drop_SECRET\ud800"),
        ),
        ("markup", format!("<html>{text}</html>")),
    ]
}

#[track_caller]
fn assert_replaced(what: &str, answer: &Answer, message: &Value) {
    assert!(!answer.body.contains(SECRET), "{what}: {}", answer.body);
    assert_eq!(message["error"]["code"], 50202, "{what}: {}", answer.body);
    assert_eq!(message["error"]["data"]["reason"], "upstream_protocol");
    assert_eq!(message["id"], 7, "{what}");
    assert_eq!(message.get("result"), None);
}

async fn assert_outcomes(wire: &Wire, count: usize) {
    assert_eq!(wire.upstream.count(), count);
    assert_eq!(wire.decisions().await, vec!["allow"; count]);
    assert_eq!(wire.outcomes(count).await, vec!["upstream_protocol"; count]);
}

#[tokio::test]
async fn u12_a_json_answer_that_is_no_list_is_replaced_by_an_error() {
    for (what, body) in bodies() {
        assert!(body.contains(SECRET));
        let wire = answering(move |_| Reply::body("application/json", body.clone())).await;
        for era in ERAS {
            let answer = ask(&wire, era, "tools/list").await;
            assert_replaced(what, &answer, &answer.json());
        }
        assert_outcomes(&wire, ERAS.len()).await;
    }
}

#[tokio::test]
async fn u07_an_event_that_is_no_list_is_replaced_by_an_error_and_ends_the_stream() {
    let good = KINDS[0].answer();
    for (what, body) in bodies() {
        let lines: Vec<_> = body.lines().map(|line| format!("data: {line}\n")).collect();
        let text = format!("id: 1\n{}\ndata: {good}\n\n", lines.concat());
        let wire = answering(move |_| Reply::events(vec![Bytes::from(text.clone())])).await;
        for era in ERAS {
            let answer = ask(&wire, era, "tools/list").await;
            let messages = events(&answer.body);
            assert_eq!(messages.len(), 1, "{what}: {}", answer.body);
            assert_replaced(what, &answer, &messages[0]);
        }
        assert_outcomes(&wire, ERAS.len()).await;
    }
}

/// In JSON it would take the place of the answer; as an event it only comes before it.
#[tokio::test]
async fn u07_a_notification_is_no_answer_in_json() {
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": KINDS[0].answer()["result"] });
    let wire = answering(move |_| Reply::json(&note)).await;
    for era in ERAS {
        let answer = ask(&wire, era, "tools/list").await;
        assert_replaced("a notification", &answer, &answer.json());
    }
    assert_outcomes(&wire, ERAS.len()).await;
}

#[tokio::test]
async fn u09_an_answer_in_another_media_type_or_coding_is_replaced_by_an_error() {
    let text = KINDS[0].answer().to_string();
    let replies = [
        ("text", Reply::body("text/plain", text.clone())),
        (
            "html",
            Reply::body("text/html; charset=utf-8", text.clone()),
        ),
        ("a suffix", Reply::body("application/jsonx", text.clone())),
        ("lines", Reply::body("application/x-ndjson", text.clone())),
        (
            "no type",
            Reply {
                headers: Vec::new(),
                ..Reply::body("", text.clone())
            },
        ),
        (
            "two types",
            Reply::body("application/json", text.clone()).with("content-type", "text/plain"),
        ),
        (
            "gzip",
            Reply::body("application/json", text.clone()).with("content-encoding", "gzip"),
        ),
        (
            "identity",
            Reply::body("application/json", text.clone()).with("content-encoding", "identity"),
        ),
        (
            "packed events",
            Reply::events(vec![Bytes::from(format!("data: {text}\n\n"))])
                .with("content-encoding", "br"),
        ),
    ];
    for (what, reply) in replies {
        let wire = answering(move |_| reply.clone()).await;
        for era in ERAS {
            let answer = ask(&wire, era, "tools/list").await;
            assert_eq!(answer.status, 502, "{what}: {}", answer.body);
            assert_eq!(answer.header("content-type"), Some("application/json"));
            assert_eq!(answer.header("content-encoding"), None);
            assert_replaced(what, &answer, &answer.json());
        }
        assert_outcomes(&wire, ERAS.len()).await;
    }
}

#[tokio::test]
async fn u23_an_answer_without_a_body_is_replaced_by_an_error() {
    let bare = |status: u16| {
        Reply {
            headers: vec![("content-type".into(), "application/json".into())],
            ..Reply::default()
        }
        .status(status)
    };
    let replies = [
        ("no content", bare(204)),
        ("a length of zero", bare(200).with("content-length", "0")),
        ("accepted", bare(202).with("content-length", "0")),
        ("chunks of nothing", bare(200)),
    ];
    for (what, reply) in replies {
        let wire = answering(move |_| reply.clone()).await;
        for era in ERAS {
            let answer = ask(&wire, era, "tools/list").await;
            assert_replaced(what, &answer, &answer.json());
        }
        assert_outcomes(&wire, ERAS.len()).await;
    }
}

/// A client must learn that its session is lost, in whatever words the server says it.
#[tokio::test]
async fn u10_the_status_of_an_error_stays_when_its_words_cannot() {
    let words = [
        Reply::body("text/plain", "SECRET"),
        Reply::body("text/plain", "").with("content-length", "0"),
        Reply::body(
            "application/json",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"SECRET"}}"#,
        ),
    ];
    for (reply, status) in words
        .iter()
        .flat_map(|reply| [400, 404, 500].map(|status| (reply, status)))
    {
        let reply = reply.clone().status(status);
        let wire = answering(move |_| reply.clone()).await;
        for era in ERAS {
            let answer = ask(&wire, era, "tools/list").await;
            assert_eq!(answer.status, status, "{}", answer.body);
            assert_replaced("an error", &answer, &answer.json());
        }
    }
}

#[tokio::test]
async fn limit_list_u17_beyond_it_an_error_takes_the_place_of_the_list() {
    let text = KINDS[0].answer().to_string();
    let event = format!("data: {text}\n\n");
    for (media, body) in [("application/json", &text), ("text/event-stream", &event)] {
        let size = body.len();
        for (limit, passes) in [(size + 1, true), (size, true), (size - 1, false)] {
            let setup = Setup {
                extra: format!("limits: {{ list: {limit}B }}\n"),
                ..Setup::default()
            };
            let body = body.clone();
            let upstream = Upstream::start(move |_| Reply::body(media, body.clone())).await;
            let wire = Wire::with(setup, upstream).await;
            let answer = ask(&wire, Era::Modern, "tools/list").await;
            let message = match media {
                "application/json" => answer.json(),
                _ => events(&answer.body)[0].clone(),
            };
            if passes {
                KINDS[0].assert_filtered(Era::Modern, &message);
            } else {
                assert_replaced(media, &answer, &message);
                assert_outcomes(&wire, 1).await;
            }
        }
    }
}

#[tokio::test]
async fn u20_an_error_of_the_server_passes_with_its_status() {
    let error = json!({ "jsonrpc": "2.0", "id": 7, "error": {
        "code": -32603, "message": "the list is döwn", "data": { "retry": true } } });
    for status in [200, 400, 404, 500, 503] {
        let error_sent = error.clone();
        let wire = answering(move |_| Reply::json(&error_sent).status(status)).await;
        for era in ERAS {
            let answer = ask(&wire, era, "tools/list").await;
            assert_eq!((answer.status, answer.json()), (status, error.clone()));
        }
    }
    let event = format!("data: {error}\n\n");
    let wire = answering(move |_| Reply::events(vec![Bytes::from(event.clone())])).await;
    for era in ERAS {
        let answer = ask(&wire, era, "tools/list").await;
        assert_eq!(events(&answer.body), std::slice::from_ref(&error));
    }
}
