//! Builds answers of the gateway and sums up answers of servers. Never keeps what an answer says.

use super::ascii;
use super::call::RequestId;
use super::listing::Listing;

/// A JSON-RPC error (JSON-RPC 2.0 section 5.1) as ASCII on one line. Without an `id` there is no member
/// `id`: MCP knows no null. `data` that is null is left out.
pub fn error_body(
    id: Option<&RequestId>,
    code: i64,
    message: &str,
    data: &serde_json::Value,
) -> Vec<u8> {
    let mut text = String::from("{\"jsonrpc\":\"2.0\",");
    if let Some(id) = id {
        text.push_str("\"id\":");
        text.push_str(id.as_json());
        text.push(',');
    }
    let mut error = serde_json::json!({ "code": code, "message": message });
    if !data.is_null()
        && let Some(members) = error.as_object_mut()
    {
        members.insert("data".to_owned(), data.clone());
    }
    text.push_str("\"error\":");
    text.push_str(&error.to_string());
    text.push('}');
    ascii::encode(&text)
}

/// The result that ends a `subscriptions/listen` in order (MCP 2026-07-28, basic/patterns/subscriptions), as ASCII on
/// one line.
pub fn subscription_end(id: &RequestId) -> Vec<u8> {
    let id = id.as_json();
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"complete\",\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{id}}}}}}}"
    )
    .into_bytes()
}

/// The notification that a list may have changed, as ASCII on one line; with the subscription that it is for. None where
/// MCP has no such notification.
pub fn list_changed(listing: Listing, subscription: Option<&RequestId>) -> Option<Vec<u8>> {
    let method = listing.changed()?;
    let params = subscription.map_or_else(String::new, |id| {
        let id = id.as_json();
        format!(",\"params\":{{\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{id}}}}}")
    });
    Some(format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"{params}}}").into_bytes())
}

/// What a response says about how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// The code of its JSON-RPC error.
    pub error_code: Option<i64>,
    /// Does the result call itself an error (`isError`)?
    pub is_error: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{error_body, list_changed, subscription_end};
    use crate::mcp::Listing;
    use crate::mcp::call::RequestId;

    #[test]
    fn an_error_carries_the_id_of_the_request_as_it_was() {
        let id = RequestId::from_token("\"a\\u0062\"");
        let body = error_body(id.as_ref(), 40301, "nö", &json!({ "reason": "x" }));
        assert!(body.is_ascii());
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({
            "jsonrpc": "2.0", "id": "ab",
            "error": { "code": 40301, "message": "nö", "data": { "reason": "x" } },
        });
        assert_eq!(parsed, expected);
    }

    #[test]
    fn an_error_without_an_id_has_no_id_and_null_data_is_left_out() {
        let body = error_body(None, -32700, "bad", &Value::Null);
        let parsed: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            parsed,
            json!({ "jsonrpc": "2.0", "error": { "code": -32700, "message": "bad" } })
        );
    }

    #[test]
    fn s07_a_change_of_a_list_is_told_plainly_or_to_its_subscription() {
        let parsed = |text: Option<Vec<u8>>| -> Value {
            serde_json::from_slice(&text.unwrap_or_else(|| b"null".to_vec())).unwrap()
        };
        let tools = "notifications/tools/list_changed";
        assert_eq!(
            parsed(list_changed(Listing::Tools, None)),
            json!({ "jsonrpc": "2.0", "method": tools })
        );
        let id = RequestId::from_token("\"a\\u0062\"");
        assert_eq!(
            parsed(list_changed(Listing::Tools, id.as_ref())),
            json!({ "jsonrpc": "2.0", "method": tools, "params": {
                "_meta": { "io.modelcontextprotocol/subscriptionId": "ab" } } })
        );
        assert_eq!(parsed(list_changed(Listing::Templates, None)), Value::Null);
    }

    #[test]
    fn the_end_of_a_subscription_names_it_by_the_id_of_its_request() {
        for token in ["7", "\"a\\u0062\""] {
            let id = RequestId::from_token(token).unwrap();
            let parsed: Value = serde_json::from_slice(&subscription_end(&id)).unwrap();
            let id: Value = serde_json::from_str(token).unwrap();
            let expected = json!({
                "jsonrpc": "2.0", "id": id,
                "result": {
                    "resultType": "complete",
                    "_meta": { "io.modelcontextprotocol/subscriptionId": id },
                },
            });
            assert_eq!(parsed, expected);
        }
    }
}
