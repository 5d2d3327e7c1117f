//! Methods that nobody may call: not implemented, in the words of either era.

use super::{Case, META, assert_refused};
use crate::support::Upstream;
use crate::support::{Setup, legacy, stateless};
use crate::wire::{Lines, Wire};
use serde_json::json;

/// Unknown to every revision, or spelled as only a loose server would take it.
const UNKNOWN: [&str; 8] = [
    "rpc.discover",
    "tools/call2",
    "Tools/Call",
    "tools//call",
    "tools/delete",
    "x-vendor/run",
    "tasks/list",
    "_OTHER",
];

#[tokio::test]
async fn q09_s02_an_unknown_method_is_not_found_in_both_eras_and_never_arrives() {
    let mut cases = Vec::new();
    for method in UNKNOWN {
        let body = legacy(method, &json!({ "name": "search_customers" })).to_string();
        let modern = body.replace(r#""params":{"#, &format!(r#""params":{{{META},"#));
        let case = Case::new(method, Lines::legacy(), body).status(200);
        cases.push(case.is(-32601, "method_not_allowed").id(7));
        let lines = Lines::modern(method, "search_customers");
        let case = Case::new(method, lines, modern).status(404);
        cases.push(case.is(-32601, "method_not_allowed").id(7));
    }
    for method in ["", " tools/call", "tools/call "] {
        let body = legacy(method, &json!({ "name": "search_customers" })).to_string();
        let case = Case::new("white space", Lines::legacy(), body).status(200);
        cases.push(case.is(-32601, "method_not_allowed").id(7));
    }
    assert_refused(cases).await;
}

#[tokio::test]
async fn s02_an_unknown_notification_never_arrives() {
    let body = r#"{"jsonrpc":"2.0","method":"notifications/x-vendor"}"#;
    let case = Case::new("legacy", Lines::legacy(), body).status(200);
    assert_refused(vec![case.is(-32601, "method_not_allowed")]).await;
}

#[tokio::test]
async fn s02_methods_that_everyone_may_call_arrive() {
    let upstream = Upstream::plain().await;
    let wire = Wire::with(Setup::default(), upstream).await;
    let legacy_ping = wire.agent.legacy(&legacy("ping", &json!({}))).await;
    let discover = stateless("server/discover", &json!({}));
    let modern_discover = wire.agent.modern(&discover).await;
    assert_eq!((legacy_ping.status, modern_discover.status), (200, 200));
    assert_eq!(wire.upstream.count(), 2);
}
