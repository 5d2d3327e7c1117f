//! What a client says in `_meta` of the model behind it. Never believed: whoever records it says where it comes from.

use serde_json::Value;

use super::jsonrpc::{Limits, scan};
use crate::model::AgentModel;

/// The model that `meta`, the text of a request's `_meta`, names under `key`.
pub fn model(meta: &str, key: &str) -> Option<AgentModel> {
    let document = scan(meta.as_bytes(), Limits::ANSWER).ok()?;
    let member = document.member(&document.root(), key)?;
    let value: Value = serde_json::from_str(document.text(&member.value)).ok()?;
    AgentModel::asserted(&value)
}

#[cfg(test)]
mod tests {
    use super::model;
    use crate::model::AgentModel;

    #[test]
    fn the_model_stands_under_the_key_that_is_asked_for() {
        let meta = r#"{"a/model":"m-1","b/model":{"name":"m-2","version":"3"},"c":7}"#;
        assert_eq!(model(meta, "a/model"), AgentModel::named("m-1"));
        assert_eq!(model(meta, "b/model").unwrap().version(), Some("3"));
        for key in ["c", "d", "A/model", ""] {
            assert_eq!(model(meta, key), None, "{key}");
        }
        assert_eq!(model("[]", "c"), None);
    }
}
