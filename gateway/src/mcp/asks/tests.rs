//! What is asked for, and where a page really is.

use super::{Ask, Capability, host, in_error, in_request, in_result};
use crate::mcp::listing::ListFault;
use crate::mcp::method::Method;
use crate::mcp::scan::{Limits, scan};

fn page(host: &str) -> Ask {
    Ask::Page(Some(host.into()))
}

fn asked(result: &str, method: Method) -> Result<Vec<Ask>, ListFault> {
    let text = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
    let document = scan(text.as_bytes(), Limits::ANSWER).unwrap();
    let result = document.member(&document.root(), "result").unwrap();
    in_result(&document, &result.value, method)
}

#[test]
fn u15_the_host_of_a_page_is_read_in_one_way_or_not_at_all() {
    for (url, expected) in [
        ("https://pay.example.com", Some("pay.example.com")),
        (
            "https://PAY.example.com:8443/a?b#c",
            Some("pay.example.com"),
        ),
        ("http://pay.example.com/", None),
        ("HTTPS://pay.example.com/", None),
        ("https://pay.example.com@evil.test/", None),
        ("https://evil.test\\@pay.example.com/", None),
        ("https://pay.example.com\\.evil.test/", None),
        ("https://pay.example.com%2eevil.test/", None),
        ("https://pay.example.com\t.evil.test/", None),
        ("https:/pay.example.com/", None),
        ("https:///pay.example.com/", None),
        ("https://pay.example.com:x/", None),
        ("https://pay.example.com:1:2/", None),
        ("https://pay..example.com/", None),
        ("https://[::1]/", None),
        ("https://p\u{e4}y.example.com/", None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
    ] {
        assert_eq!(host(url).as_deref(), expected, "{url}");
    }
}

#[test]
fn u15_what_a_result_asks_for_is_found_whatever_its_key_is() {
    let result = r#"{"resultType":"input_required","inputRequests":{
        "a":{"method":"elicitation/create","params":{"mode":"url","url":"https://a.test/x"}},
        "b":{"method":"elicitation/create","params":{"mode":"form"}},
        "c":{"method":"elicitation/create","params":{}},
        "d":{"method":"elicitation/create","params":{"url":"https://d.test/"}},
        "e":{"method":"elicitation/create","params":{"mode":"URL","url":"https://e.test/"}},
        "f":{"method":"sampling/createMessage"},
        "g":{"method":"roots/list"},
        "h":{"method":"x"}, "i":1}}"#;
    let expected = [
        page("a.test"),
        Ask::Form,
        Ask::Form,
        page("d.test"),
        Ask::Other,
        Ask::Sampling,
        Ask::Roots,
        Ask::Other,
        Ask::Other,
    ];
    assert_eq!(asked(result, Method::ToolsCall).unwrap(), expected);
}

#[test]
fn u15_only_three_methods_may_be_answered_with_a_question() {
    let required = r#"{"resultType":"input_required","requestState":"x"}"#;
    let requests = r#"{"status":"input_required","inputRequests":{}}"#;
    for method in [Method::ToolsCall, Method::PromptsGet, Method::ResourcesRead] {
        assert!(asked(required, method).is_ok());
        assert!(asked(requests, method).is_ok());
    }
    for method in [Method::ServerDiscover, Method::CompletionComplete] {
        assert_eq!(asked(required, method), Err(ListFault::Asks));
        assert_eq!(asked(requests, method), Err(ListFault::Asks));
    }
    assert!(
        asked(requests, Method::TasksGet).is_ok(),
        "what it waits for"
    );
    assert_eq!(asked(required, Method::TasksGet), Err(ListFault::Asks));
    for odd in [r#"{"InputRequests":{}}"#, r#"{"resulttype":"x"}"#] {
        assert!(asked(odd, Method::ToolsCall).is_err(), "{odd}");
    }
}

#[test]
fn u15_the_pages_of_an_error_and_of_a_request_are_found() {
    let text = r#"{"error":{"code":-32042,"message":"x","data":{"elicitations":[
        {"mode":"url","url":"https://a.test/"},{"url":5}]}},
        "params":{"mode":"url","url":"https://b.test/"}}"#;
    let document = scan(text.as_bytes(), Limits::ANSWER).unwrap();
    let member = |key| {
        document
            .member(&document.root(), key)
            .unwrap()
            .value
            .clone()
    };
    let pages = in_error(&document, &member("error"));
    assert_eq!(pages, [page("a.test"), Ask::Page(None)]);
    let params = member("params");
    let ask = |method| in_request(&document, method, Some(&params));
    assert_eq!(ask("elicitation/create"), Some(page("b.test")));
    assert_eq!(ask("roots/list"), None);
}

#[test]
fn u15_a_client_can_do_what_it_says_and_nothing_else() {
    let of = Capability::all_in;
    assert_eq!(of("{}"), []);
    assert_eq!(of(r#"{"elicitation":{}}"#), [Capability::Form]);
    assert_eq!(of(r#"{"elicitation":{"url":{}}}"#), [Capability::Page]);
    assert_eq!(
        of(r#"{"sampling":{},"roots":{},"elicitation":{"form":{},"url":{}}}"#),
        [
            Capability::Sampling,
            Capability::Roots,
            Capability::Form,
            Capability::Page
        ]
    );
}
