//! What a list answer may still say, and what is not passed on at all.

use serde_json::{Value, json};

use super::{Filtered, Item, Kind, ListFault, Listing, filter, filter_any};
use crate::mcp::call::RequestId;
use crate::mcp::version::Era;

fn id(token: &str) -> RequestId {
    RequestId::from_token(token).unwrap()
}

fn tools(message: &str, era: Era) -> Result<Filtered, ListFault> {
    filter(
        message.as_bytes(),
        Listing::Tools,
        era,
        Some(&id("1")),
        &mut |item| !item.name.starts_with("no"),
    )
}

fn parsed(filtered: &Filtered) -> Value {
    assert!(
        filtered
            .message
            .iter()
            .all(|byte| (0x20..=0x7e).contains(byte)),
        "one line of ascii"
    );
    serde_json::from_slice(&filtered.message).unwrap()
}

#[test]
fn denied_items_are_left_out_and_the_rest_keep_order_and_text() {
    let message = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"no1"},{"name":"b", "inputSchema":{"n":1.0}},{"n\u0061me":"no2"},{"name":"a"}],"nextCursor":""}}"#;
    let filtered = tools(message, Era::Legacy).unwrap();
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"b", "inputSchema":{"n":1.0}},{"name":"a"}],"nextCursor":""}}"#;
    assert_eq!(String::from_utf8(filtered.message).unwrap(), expected);
    assert_eq!(
        (filtered.kind, filtered.kept, filtered.removed),
        (Kind::Response, 2, 2)
    );
}

#[test]
fn a_modern_list_becomes_private_whatever_it_was() {
    for scope in [
        "",
        r#""cacheScope":"public","#,
        r#""cacheScope":"private","#,
    ] {
        let message = format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{{scope}"tools":[],"ttlMs":5,"resultType":"complete"}}}}"#
        );
        let result = parsed(&tools(&message, Era::Modern).unwrap());
        let expected =
            json!({ "tools": [], "ttlMs": 5, "resultType": "complete", "cacheScope": "private" });
        assert_eq!(result["result"], expected);
    }
}

#[test]
fn a_legacy_list_gets_no_scope_but_is_never_public() {
    let without = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#;
    assert_eq!(
        tools(without, Era::Legacy).unwrap().message,
        without.as_bytes()
    );
    let public = r#"{"jsonrpc":"2.0","id":1,"result":{"cacheScope":"public","tools":[]}}"#;
    assert_eq!(
        parsed(&tools(public, Era::Legacy).unwrap())["result"]["cacheScope"],
        "private"
    );
}

#[test]
fn members_that_lists_do_not_have_are_left_out() {
    let message = r#"{"jsonrpc":"2.0","id":1,"result":{"toolsets":["no"],"Tools":[{"name":"no"}],"prompts":[{"name":"no"}],"instructions":"no","tools":[{"name":"a"}],"_meta":{"k":1}}}"#;
    let filtered = parsed(&tools(message, Era::Legacy).unwrap());
    assert_eq!(
        filtered["result"],
        json!({ "tools": [{ "name": "a" }], "_meta": { "k": 1 } })
    );
}

#[test]
fn the_text_of_items_leaves_as_ascii_on_one_line() {
    let message = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[\n{\"name\":\"é\",\r\n\t\"description\":\"a\u{2028}b\u{85}c😀\"}]}}";
    let filtered = tools(message, Era::Legacy).unwrap();
    let tool = &parsed(&filtered)["result"]["tools"][0];
    assert_eq!(
        *tool,
        json!({ "name": "é", "description": "a\u{2028}b\u{85}c😀" })
    );
}

#[test]
fn every_listing_has_its_own_member_and_key() {
    for listing in Listing::ALL {
        let (member, key) = (listing.member(), listing.key());
        let result = json!({ member: [{ key: "x" }, { key: "y" }] });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
        let filtered = filter(
            message.as_bytes(),
            listing,
            Era::Legacy,
            None,
            &mut |item| item.name == "y",
        )
        .unwrap();
        assert_eq!(parsed(&filtered)["result"][member], json!([{ key: "y" }]));
    }
}

#[test]
fn lists_that_cannot_be_understood_are_not_passed() {
    for result in [
        r"{}",
        r#"{"tools":{}}"#,
        r#"{"tools":null}"#,
        r#"{"tools":"no"}"#,
        r#"{"tools":[1]}"#,
        r#"{"tools":[[{"name":"no"}]]}"#,
        r#"{"tools":[{}]}"#,
        r#"{"tools":[{"name":1}]}"#,
        r#"{"tools":[{"title":"no"}]}"#,
        r#"{"tools":[{"name":"a","Name":"no"}]}"#,
        r#"{"tools":[{"name":"a","name":"no"}]}"#,
        r#"{"tools":[],"tools":[{"name":"no"}]}"#,
        r#"{"tools":[{"name":NaN}]}"#,
        r#"{"resultType":"input_required","inputRequests":{}}"#,
        "[]",
        "null",
        "\"no\"",
    ] {
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
        for era in [Era::Legacy, Era::Modern] {
            assert!(tools(&message, era).is_err(), "{message}");
        }
    }
}

#[test]
fn messages_that_are_disguised_are_not_passed() {
    for message in [
        r#"[{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}]"#,
        r#"{"id":1,"result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","method":"x","result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1},"result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"Result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"params":{},"result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":"x"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":null,"result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}} {}"#,
        "",
        "null",
    ] {
        assert!(tools(message, Era::Legacy).is_err(), "{message}");
    }
}

#[test]
fn an_answer_to_another_request_is_not_passed() {
    for other in ["2", "\"1\""] {
        for body in [
            r#""result":{"tools":[]}"#,
            r#""error":{"code":1,"message":"x"}"#,
        ] {
            let message = format!(r#"{{"jsonrpc":"2.0","id":{other},{body}}}"#);
            assert_eq!(
                tools(&message, Era::Legacy),
                Err(ListFault::WrongId),
                "{message}"
            );
        }
    }
}

#[test]
fn errors_and_notifications_pass() {
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}"#;
    assert_eq!(tools(error, Era::Modern).unwrap().message, error.as_bytes());
    let notification =
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}"#;
    let passed = tools(notification, Era::Modern).unwrap();
    assert_eq!(
        (passed.kind, passed.message.as_slice()),
        (Kind::Notification, notification.as_bytes())
    );
}

#[test]
fn a_request_of_the_server_passes_only_in_the_legacy_era() {
    let message = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
    assert_eq!(tools(message, Era::Legacy).unwrap().kind, Kind::Request);
    assert_eq!(tools(message, Era::Modern), Err(ListFault::ServerRequest));
}

#[test]
fn any_list_on_a_resumed_stream_is_filtered() {
    let mut allowed = |listing, item: Item<'_>| listing == Listing::Tools && item.name == "a";
    let mut any = |text: &str| filter_any(text.as_bytes(), Era::Legacy, &mut allowed);
    let message = r#"{"jsonrpc":"2.0","id":5,"result":{"tools":[{"name":"a"},{"name":"b"}],"prompts":[{"name":"a"}]}}"#;
    let filtered = any(message).unwrap();
    assert_eq!(
        parsed(&filtered)["result"],
        json!({ "tools": [{ "name": "a" }], "prompts": [] })
    );
    assert_eq!((filtered.kept, filtered.removed), (1, 2));
    let call = r#"{"jsonrpc":"2.0","id":5,"result":{"content":[],"isError":false}}"#;
    assert_eq!(any(call).unwrap().message, call.as_bytes());
    for bad in [
        r#"{"jsonrpc":"2.0","id":5,"result":{"tools":{}}}"#,
        r#"{"jsonrpc":"2.0","id":5,"result":{"Tools":[{"name":"b"}]}}"#,
        r#"{"jsonrpc":"2.0","id":5,"result":{"tools":[{"title":"b"}]}}"#,
        "data",
    ] {
        assert!(any(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_list_of_a_thousand_tools_is_filtered() {
    let items: Vec<_> = (0..1000)
        .map(|n| json!({ "name": format!("{}{n}", if n % 2 == 0 { "no" } else { "t" }), "inputSchema": { "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } } } }))
        .collect();
    let message = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": items } }).to_string();
    let filtered = tools(&message, Era::Modern).unwrap();
    assert_eq!((filtered.kept, filtered.removed), (500, 500));
}
