//! What a list answer may still say, and what is not passed on at all.

mod messages;

use serde_json::{Value, json};

use super::{Answered, Passed, Standing, Weighed, weigh_body, weigh_event};
use crate::mcp::asks::Ask;
use crate::mcp::call::RequestId;
use crate::mcp::judge::{Exchange, Hidden, Judge, Purpose};
use crate::mcp::listing::{Item, Kind, ListFault, Listing};
use crate::mcp::method::Method;
use crate::mcp::seen::{Onward, Seen};
use crate::mcp::version::Era;

/// Hides what starts with `no`, and lets nobody ask for anything but a page of `a.test`.
#[derive(Default)]
struct Strict {
    seen: Vec<String>,
    dropped: Vec<Kind>,
}

impl Judge for Strict {
    fn shows(&mut self, _: Listing, item: Item<'_>) -> bool {
        !item.name.starts_with("no")
    }

    fn passes(&mut self, seen: &Seen<'_>) -> Onward {
        self.seen.push(format!("{seen:?}"));
        match seen {
            Seen::Request { method, .. } if *method != "ping" => Onward::Drop,
            Seen::EventId(_)
            | Seen::Response { .. }
            | Seen::Request { .. }
            | Seen::Notification { .. } => Onward::Pass,
        }
    }

    fn permits(&mut self, ask: &Ask) -> bool {
        *ask == Ask::Page(Some("a.test".into()))
    }

    fn dropped(&mut self, kind: Kind) {
        self.dropped.push(kind);
    }
}

fn exchange(era: Era, purpose: Purpose) -> Exchange {
    Exchange {
        era,
        longest_ttl: 1000,
        purpose,
    }
}

fn one() -> RequestId {
    RequestId::from_token("1").unwrap()
}

fn list(listing: Listing, era: Era) -> Exchange {
    let id = one();
    exchange(era, Purpose::List { listing, id })
}

fn call(method: Method, era: Era) -> Exchange {
    exchange(era, Purpose::Call { method, id: one() })
}

fn event(text: &str, exchange: &Exchange) -> Result<Weighed, ListFault> {
    weigh_event(text, Answered::No, exchange, &mut Strict::default())
}

fn body(text: &str, exchange: &Exchange) -> Result<Weighed, ListFault> {
    let judge = &mut Strict::default();
    weigh_body(text.as_bytes(), Standing::Answer, exchange, judge)
}

/// A list as it leaves.
#[derive(Debug, PartialEq)]
struct Filtered {
    message: Vec<u8>,
    passed: Passed,
}

fn rewritten(weighed: Weighed) -> Filtered {
    match weighed {
        Weighed::Rewritten { message, passed } => Filtered { message, passed },
        Weighed::Pass(_) | Weighed::Drop => panic!("it should be written anew"),
    }
}

fn tools(message: &str, era: Era) -> Result<Filtered, ListFault> {
    body(message, &list(Listing::Tools, era)).map(rewritten)
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
fn u01_denied_items_are_left_out_and_the_rest_keep_order_and_text() {
    let message = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"no1"},{"name":"b", "inputSchema":{"n":1.0}},{"n\u0061me":"no2"},{"name":"a"}],"nextCursor":""}}"#;
    let filtered = tools(message, Era::Legacy).unwrap();
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"b", "inputSchema":{"n":1.0}},{"name":"a"}],"nextCursor":""}}"#;
    assert_eq!(String::from_utf8(filtered.message).unwrap(), expected);
    let passed = filtered.passed;
    assert_eq!((passed.kind, passed.removed), (Kind::Response, 2));
}

#[test]
fn s05_a_modern_list_becomes_private_whatever_it_was() {
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
fn s05_a_legacy_list_gets_no_scope_but_is_never_public() {
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
fn u13_members_that_lists_do_not_have_are_left_out() {
    let message = r#"{"jsonrpc":"2.0","id":1,"result":{"toolsets":["no"],"Tools":[{"name":"no"}],"prompts":[{"name":"no"}],"instructions":"no","tools":[{"name":"a"}],"_meta":{"k":1}}}"#;
    let filtered = parsed(&tools(message, Era::Legacy).unwrap());
    assert_eq!(
        filtered["result"],
        json!({ "tools": [{ "name": "a" }], "_meta": { "k": 1 } })
    );
}

#[test]
fn u05_the_text_of_items_leaves_as_ascii_on_one_line() {
    let message = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[\n{\"name\":\"é\",\r\n\t\"description\":\"a\u{2028}b\u{85}c😀\"}]}}";
    let filtered = tools(message, Era::Legacy).unwrap();
    let tool = &parsed(&filtered)["result"]["tools"][0];
    assert_eq!(
        *tool,
        json!({ "name": "é", "description": "a\u{2028}b\u{85}c😀" })
    );
}

#[test]
fn u01_every_listing_has_its_own_member_and_key() {
    for listing in Listing::ALL {
        let (member, key) = (listing.member(), listing.key());
        let result = json!({ member: [{ key: "no" }, { key: "y" }] });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "result": result }).to_string();
        let filtered = rewritten(body(&message, &list(listing, Era::Legacy)).unwrap());
        assert_eq!(parsed(&filtered)["result"][member], json!([{ key: "y" }]));
    }
}

#[test]
fn u12_lists_that_cannot_be_understood_are_not_passed() {
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
fn u07_messages_that_are_disguised_are_not_passed() {
    for message in [
        r#"[{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}]"#,
        r#"{"jsonrpc":"2.0","method":"notifications/message"}"#,
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
fn u08_an_answer_to_another_request_is_not_passed() {
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
fn s09_what_is_hidden_of_a_server_is_left_out_and_the_rest_stays() {
    let text = r#"{"jsonrpc":"2.0","id":1,"result":{"instructions":"no","capabilities":{"tools":{},"experimental":{"no":1},"extensions":{"no":1},"\u00e4\"":{}},"ttlMs":5000,"cacheScope":"public","x\n":1}}"#;
    let about = |hidden: &[Hidden], era| {
        let (hidden, id) = (hidden.to_vec(), one());
        parsed(&rewritten(
            body(text, &exchange(era, Purpose::About { hidden, id })).unwrap(),
        ))
    };
    let all = [
        Hidden::Instructions,
        Hidden::Experimental,
        Hidden::Extensions,
    ];
    let expected = json!({ "capabilities": { "tools": {}, "\u{e4}\"": {} }, "ttlMs": 1000, "cacheScope": "private", "x\n": 1 });
    assert_eq!(about(&all, Era::Modern)["result"], expected);
    let some = about(&[Hidden::Experimental], Era::Legacy);
    assert_eq!(some["result"]["instructions"], "no");
    assert_eq!(
        some["result"]["capabilities"]["extensions"],
        json!({ "no": 1 })
    );
    assert_eq!(some["result"]["capabilities"].get("experimental"), None);
    for odd in [
        r#"{"Instructions":"no"}"#,
        r#"{"capabilities":{"Experimental":{}}}"#,
        r#"{"capabilities":[]}"#,
    ] {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{odd}}}"#);
        let purpose = Purpose::About {
            hidden: all.to_vec(),
            id: one(),
        };
        assert!(
            body(&text, &exchange(Era::Legacy, purpose)).is_err(),
            "{odd}"
        );
    }
}

#[test]
fn limit_list_ttl_at_and_past_the_bound() {
    for (written, kept) in [
        ("999", 999),
        ("1000", 1000),
        ("1001", 1000),
        ("1e9", 0),
        ("-1", 0),
        ("\"x\"", 0),
    ] {
        let text =
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[],"ttlMs":{written}}}}}"#);
        let result = parsed(&tools(&text, Era::Modern).unwrap());
        assert_eq!(result["result"]["ttlMs"], kept, "{written}");
    }
}

#[test]
fn s04_an_empty_page_keeps_its_cursor_byte_for_byte() {
    let text =
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"no"}],"nextCursor":"\u0061/=="}}"#;
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[],"nextCursor":"\u0061/=="}}"#;
    assert_eq!(
        tools(text, Era::Legacy).unwrap().message,
        expected.as_bytes()
    );
}

#[test]
fn s12_a_schema_that_is_nested_too_deeply_is_no_list() {
    let nested = |depth: usize| {
        let (open, close) = ("{\"anyOf\":[".repeat(depth), "]}".repeat(depth));
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"result":{{"tools":[{{"name":"a","inputSchema":{open}{close}}}]}}}}"#
        )
    };
    assert!(tools(&nested(20), Era::Modern).is_ok());
    assert!(tools(&nested(40), Era::Modern).is_err());
}

#[test]
fn u08_any_list_where_any_response_may_come_is_filtered() {
    let message = r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a"},{"name":"no"}],"prompts":[{"name":"no"}]}}"#;
    let session = exchange(Era::Legacy, Purpose::Session);
    for exchange in [session, call(Method::Ping, Era::Legacy)] {
        let filtered = rewritten(event(message, &exchange).unwrap());
        let expected = json!({ "tools": [{ "name": "a" }], "prompts": [] });
        assert_eq!(parsed(&filtered)["result"], expected);
        assert_eq!(filtered.passed.removed, 2);
        let call = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#;
        assert!(matches!(event(call, &exchange), Ok(Weighed::Pass(_))));
        for bad in [
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":{}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"Tools":[{"name":"b"}]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"title":"b"}]}}"#,
            "data",
        ] {
            assert!(event(bad, &exchange).is_err(), "{bad}");
        }
    }
}

#[test]
fn u01_a_list_of_a_thousand_tools_is_filtered() {
    let items: Vec<_> = (0..1000)
        .map(|n| json!({ "name": format!("{}{n}", if n % 2 == 0 { "no" } else { "t" }), "inputSchema": { "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } } } }))
        .collect();
    let message = json!({ "jsonrpc": "2.0", "id": 1, "result": { "tools": items } }).to_string();
    let filtered = tools(&message, Era::Modern).unwrap();
    assert_eq!(filtered.passed.removed, 500);
}
