//! What becomes of messages that are no list.

use super::{Strict, body, call, event, exchange, list};
use crate::mcp::judge::Purpose;
use crate::mcp::listing::{Kind, ListFault, Listing};
use crate::mcp::method::Method;
use crate::mcp::version::Era;
use crate::mcp::weigh::{Answered, Standing, Weighed, weigh_body, weigh_event};

#[test]
fn u08_an_event_for_another_request_vanishes_where_nothing_is_filtered() {
    for message in [
        r#"{"jsonrpc":"2.0","id":2,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":"1","error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#,
        r#"{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}"#,
    ] {
        for era in [Era::Legacy, Era::Modern] {
            let mut judge = Strict::default();
            let exchange = call(Method::ToolsCall, era);
            let weighed = weigh_event(message, Answered::No, &exchange, &mut judge);
            assert_eq!(weighed, Ok(Weighed::Drop), "{message}");
            assert_eq!(judge.dropped, [Kind::Response]);
            assert_eq!(body(message, &exchange), Err(ListFault::WrongId));
        }
    }
}

#[test]
fn u08_a_second_response_vanishes() {
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let exchange = call(Method::ToolsCall, Era::Modern);
    let mut judge = Strict::default();
    let weighed = weigh_event(answer, Answered::Yes, &exchange, &mut judge);
    assert_eq!(weighed, Ok(Weighed::Drop));
    assert!(matches!(event(answer, &exchange), Ok(Weighed::Pass(_))));
}

#[test]
fn u10_an_error_without_an_id_passes_only_as_a_refusal() {
    let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"x"}}"#;
    let exchange = call(Method::ToolsCall, Era::Legacy);
    let refusal = |text: &str| {
        let judge = &mut Strict::default();
        weigh_body(text.as_bytes(), Standing::Refusal, &exchange, judge)
    };
    let Ok(Weighed::Pass(passed)) = refusal(error) else {
        panic!("it should pass")
    };
    assert_eq!(passed.summary.unwrap().error_code, Some(-32001));
    assert_eq!(body(error, &exchange), Err(ListFault::WrongId));
    let result = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    assert_eq!(refusal(result), Err(ListFault::NotAMessage));
}

#[test]
fn u20_an_error_of_the_server_passes_and_is_summed_up() {
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;
    for exchange in [
        list(Listing::Tools, Era::Modern),
        call(Method::ToolsCall, Era::Legacy),
    ] {
        let Ok(Weighed::Pass(passed)) = body(error, &exchange) else {
            panic!("it should pass")
        };
        let summary = passed.summary.unwrap();
        assert_eq!(
            (summary.error_code, summary.is_error),
            (Some(-32602), false)
        );
    }
    let failed = r#"{"jsonrpc":"2.0","id":1,"result":{"isError":true}}"#;
    let Ok(Weighed::Pass(passed)) = event(failed, &call(Method::ToolsCall, Era::Modern)) else {
        panic!("it should pass")
    };
    assert!(passed.summary.unwrap().is_error);
}

#[test]
fn u14_a_request_that_does_not_go_on_vanishes_and_is_counted() {
    let exchange = call(Method::ToolsCall, Era::Legacy);
    let mut judge = Strict::default();
    let ping = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    let roots = r#"{"jsonrpc":"2.0","id":9,"method":"roots/list"}"#;
    let ping = weigh_event(ping, Answered::No, &exchange, &mut judge);
    assert!(matches!(ping, Ok(Weighed::Pass(_))));
    let roots = weigh_event(roots, Answered::No, &exchange, &mut judge);
    assert_eq!(
        (roots, judge.dropped),
        (Ok(Weighed::Drop), vec![Kind::Request])
    );
}

#[test]
fn u16_a_notification_is_seen_with_its_token_and_its_task() {
    let mut judge = Strict::default();
    let exchange = call(Method::ToolsCall, Era::Legacy);
    let text = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"\u0061","task":{"taskId":"t"}}}"#;
    let weighed = weigh_event(text, Answered::No, &exchange, &mut judge);
    assert!(matches!(weighed, Ok(Weighed::Pass(_))));
    assert!(
        judge.seen[0].contains(r#"progress_token: Some("\"\\u0061\"")"#),
        "{:?}",
        judge.seen
    );
    assert!(judge.seen[0].contains(r#"task: Some("t")"#));
}

#[test]
fn u15_an_answer_that_asks_what_it_may_not_ask_is_a_fault() {
    let asks = |url: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"resultType":"input_required","inputRequests":{{"a":{{"method":"elicitation/create","params":{{"mode":"url","url":"{url}"}}}}}}}}}}"#
        )
    };
    let tool = call(Method::ToolsCall, Era::Modern);
    assert!(matches!(
        body(&asks("https://a.test/x"), &tool),
        Ok(Weighed::Pass(_))
    ));
    for url in [
        "https://evil.test/",
        "http://a.test/",
        "https://a.test@evil.test/",
    ] {
        assert_eq!(body(&asks(url), &tool), Err(ListFault::Asks), "{url}");
        assert_eq!(event(&asks(url), &tool), Err(ListFault::Asks), "{url}");
    }
    let other = call(Method::CompletionComplete, Era::Modern);
    assert_eq!(
        body(&asks("https://a.test/x"), &other),
        Err(ListFault::Asks)
    );
    let list = list(Listing::Tools, Era::Modern);
    assert!(body(&asks("https://a.test/x"), &list).is_err());
}

#[test]
fn u15_a_page_of_an_older_revision_is_judged_where_it_stands() {
    let legacy = call(Method::ToolsCall, Era::Legacy);
    let first = |host: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-32042,"message":"x","data":{{"elicitations":[{{"mode":"url","url":"https://{host}/"}}]}}}}}}"#
        )
    };
    assert!(matches!(
        body(&first("a.test"), &legacy),
        Ok(Weighed::Pass(_))
    ));
    assert_eq!(body(&first("evil.test"), &legacy), Err(ListFault::Asks));
    let session = exchange(Era::Legacy, Purpose::Session);
    assert_eq!(event(&first("evil.test"), &session), Ok(Weighed::Drop));
    let request = |host: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":5,"method":"elicitation/create","params":{{"mode":"url","url":"https://{host}/"}}}}"#
        )
    };
    assert_eq!(event(&request("evil.test"), &legacy), Ok(Weighed::Drop));
}
