//! Event streams that are something else than one answer to one request.

use serde_json::{Value, json};

use super::{
    Asked, ERAS, Era, MARK, Stage, assert_error, assert_silent, event, messages, result, stream,
};

fn marked(id: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": { "x": MARK } })
}

/// Streams of which nothing passes but an error, by row.
fn broken() -> Vec<(&'static str, String)> {
    let answer = marked(&json!(7)).to_string();
    let line = format!("data: {answer}");
    vec![
        (
            "u03 a stray return before a result",
            format!("data: {{\"jsonrpc\":\r{line}\n\n"),
        ),
        ("u04 two messages", format!("{line}\n{line}\n\n")),
        (
            "u04 garbage between",
            format!("data: {{\ndata: x\n{line}\n\n"),
        ),
        ("u04 garbage", format!("data: {MARK}\n\n")),
        ("u07 a batch", format!("data: [{answer}]\n\n")),
        (
            "u07 a method too",
            format!("{}\n\n", line.replace("\"id\"", "\"method\":\"x\",\"id\"")),
        ),
        (
            "u07 a result twice",
            format!(
                "{}\n\n",
                line.replace("\"result\"", "\"result\":{},\"result\"")
            ),
        ),
        (
            "u07 a notification with a result",
            format!("data: {{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"result\":\"{MARK}\"}}\n\n"),
        ),
        (
            "u12 a number too large",
            format!("{}\n\n", line.replace(":7", ":1e999")),
        ),
        (
            "u06 half a message at the end",
            line.trim_end_matches('}').to_owned(),
        ),
    ]
}

#[tokio::test]
async fn u04_a_stream_that_cannot_be_read_ends_with_an_error() {
    let stage = Stage::start().await;
    let mut count = 0;
    for (what, text) in broken() {
        for era in ERAS {
            for asked in [Asked::Tool, Asked::List] {
                let answer = stage.hears(&stream(text.clone()), era, asked).await;
                assert_silent(&answer, what);
                let heard = messages(&answer.body);
                assert_eq!(heard.len(), 1, "{what}: {}", answer.body);
                assert_error(&heard[0], what);
                count += 1;
            }
        }
    }
    assert_eq!(stage.outcomes().await, vec!["upstream_protocol"; count]);
    stage.assert_well("after all of them").await;
}

#[tokio::test]
async fn u08_responses_to_other_requests_vanish_and_the_answer_passes_as_it_came() {
    let stage = Stage::start().await;
    let foreign = [json!(8), json!("7"), json!(null), json!("a")].map(|id| {
        let error = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": 1, "message": MARK } });
        let result = if id.is_null() {
            String::new()
        } else {
            event(&marked(&id))
        };
        format!("{result}{}", event(&error))
    });
    let answer = format!("id: 9\r\ndata:{}\r\n\r\n", result());
    let text = format!("{}{answer}{}", foreign.concat(), event(&marked(&json!(7))));
    for era in ERAS {
        let heard = stage.hears(&stream(text.clone()), era, Asked::Tool).await;
        assert_eq!(heard.body, answer, "{era:?}");
    }
    assert_eq!(stage.dropped("response").await, 16);
    assert_eq!(stage.outcomes().await, ["ok"; 2]);
}

#[tokio::test]
async fn u05_what_some_clients_take_for_a_line_end_does_not_pass_raw() {
    let stage = Stage::start().await;
    for odd in ['\u{2028}', '\u{2029}', '\u{85}'] {
        let message =
            json!({ "jsonrpc": "2.0", "id": 7, "result": { "x": format!("a{odd}data: b") } });
        for (era, asked) in ERAS.map(|era| (era, Asked::Tool)) {
            let answer = stage.hears(&stream(event(&message)), era, asked).await;
            assert!(answer.body.is_ascii(), "{odd:?}: {}", answer.body);
            assert_eq!(messages(&answer.body), std::slice::from_ref(&message));
        }
    }
    for odd in ['\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}'] {
        let text = format!(
            "data: {{\"jsonrpc\":\"2.0\",{odd}\"id\":7,\"result\":{{\"x\":\"{MARK}\"}}}}\n\n"
        );
        let answer = stage.hears(&stream(text), Era::Modern, Asked::Tool).await;
        assert_silent(&answer, "a control character");
        assert_error(&messages(&answer.body)[0], "a control character");
    }
    let comment = format!(
        ": a\u{2028}data: {MARK}\u{2028}\u{2028}b\n\n{}",
        event(&result())
    );
    let answer = stage
        .hears(&stream(comment), Era::Modern, Asked::Tool)
        .await;
    assert_silent(&answer, "a comment");
    assert_eq!(messages(&answer.body), [result()]);
}

#[tokio::test]
async fn u06_an_event_without_its_blank_line_is_an_event() {
    let stage = Stage::start().await;
    for era in ERAS {
        let text = format!("data: {}", result());
        let answer = stage.hears(&stream(text), era, Asked::Tool).await;
        assert_eq!(messages(&answer.body), [result()]);
        let list = json!({ "jsonrpc": "2.0", "id": 7, "result": { "tools": [{ "name": MARK }] } });
        let answer = stage
            .hears(&stream(format!("data: {list}")), era, Asked::List)
            .await;
        assert_silent(&answer, "a list");
        assert_eq!(messages(&answer.body)[0]["result"]["tools"], json!([]));
    }
}

#[tokio::test]
async fn u14_requests_of_a_server_pass_where_the_configuration_lists_them_and_never_since_2026() {
    let listed = Stage::configured("    server_requests: [sampling/createMessage]\n").await;
    let unlisted = Stage::start().await;
    let request =
        |method: &str| json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "x": 1 } });
    let methods = [
        "ping",
        "sampling/createMessage",
        "elicitation/create",
        "roots/list",
        "x/y",
    ];
    let text = methods.map(|method| event(&request(method))).concat() + &event(&result());
    let heard = |stage: &'static str, answer: &crate::support::Answer| {
        let heard = messages(&answer.body);
        assert_eq!(heard.last(), Some(&result()), "{stage}");
        let methods = heard
            .iter()
            .filter_map(|message| message["method"].as_str());
        methods.map(str::to_owned).collect::<Vec<_>>()
    };
    for asked in [Asked::Tool] {
        let answer = listed
            .hears(&stream(text.clone()), Era::Legacy, asked)
            .await;
        assert_eq!(heard("listed", &answer), ["ping", "sampling/createMessage"]);
        let answer = unlisted
            .hears(&stream(text.clone()), Era::Legacy, asked)
            .await;
        assert_eq!(heard("unlisted", &answer), ["ping"]);
        let answer = listed
            .hears(&stream(text.clone()), Era::Modern, asked)
            .await;
        assert!(heard("modern", &answer).is_empty());
    }
    assert_eq!(listed.dropped("request").await, 3 + 5);
    assert_eq!(unlisted.dropped("request").await, 4);
}

#[tokio::test]
async fn u16_progress_passes_only_under_the_token_of_this_request() {
    let stage = Stage::start().await;
    let progress = |token: Value| json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": token, "progress": 1 } });
    let log =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "data": 1 } });
    let tokens = [json!("p"), json!("q"), json!(1), json!("1"), json!(null)];
    let text = tokens.clone().map(|token| event(&progress(token))).concat();
    let text = format!("{text}{}{}", event(&log), event(&result()));
    for era in ERAS {
        for token in [json!("p"), json!(1)] {
            let message = Asked::Tool.message(era, &json!({ "progressToken": token }));
            let answer = stage.hears_with(&stream(text.clone()), era, &message).await;
            let expected = [progress(token), log.clone(), result()];
            assert_eq!(messages(&answer.body), expected);
        }
        let answer = stage.hears(&stream(text.clone()), era, Asked::Tool).await;
        assert_eq!(messages(&answer.body), [log.clone(), result()]);
    }
    assert_eq!(stage.dropped("notification").await, 2 * (4 + 4 + 5));
}

#[tokio::test]
async fn u19_a_stream_that_ends_without_an_answer_ends_with_an_error() {
    let stage = Stage::start().await;
    let log =
        json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "data": 1 } });
    for era in ERAS {
        let answer = stage.hears(&stream(event(&log)), era, Asked::Tool).await;
        let heard = messages(&answer.body);
        assert_eq!((heard.len(), &heard[0]), (2, &log));
        assert_error(&heard[1], "no answer");
    }
    // Before 2026-07-28 a client that knows an id asks for the rest.
    let priming = "id: 1\ndata:\n\nretry: 10\n\n";
    let answer = stage
        .hears(&stream(priming), Era::Legacy, Asked::Tool)
        .await;
    assert_eq!(answer.body, priming);
    assert_eq!(
        stage.outcomes().await,
        ["upstream_protocol", "upstream_protocol", "ok"]
    );
}

#[tokio::test]
async fn s08_a_flood_of_changed_lists_is_thinned_out() {
    let stage = Stage::start().await;
    let notice = json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" });
    let text = event(&notice).repeat(1000) + &event(&result());
    for era in ERAS {
        let answer = stage.hears(&stream(text.clone()), era, Asked::Tool).await;
        let heard = messages(&answer.body);
        assert!((2..=4).contains(&heard.len()), "{}", heard.len());
        assert_eq!(heard[heard.len() - 2], notice, "the last is not lost");
        assert_eq!(heard[heard.len() - 1], result());
    }
}
