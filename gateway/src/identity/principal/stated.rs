//! What a verified token states besides who it is for: claims that policies read, and what its user agreed to in
//! detail (RFC 9396). Bounded, because a token is remembered; what is left out is absent, never cut.

use serde_json::{Map, Value};

use crate::identity::settings::Audience;

/// What a token states for policies to look at.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Stated {
    pub(super) claims: Map<String, Value>,
    pub(super) details: Vec<Value>,
}

impl Stated {
    /// Of `claims`, those that are `wanted`, and the details that are meant for `audience`.
    pub(super) fn read(
        claims: &Map<String, Value>,
        wanted: &[String],
        audience: &Audience,
    ) -> Self {
        let kept = wanted.iter().filter_map(|name| {
            let value = claims.get(name)?;
            (size(value) <= LARGEST_CLAIM).then(|| (name.clone(), value.clone()))
        });
        Self {
            claims: kept.collect(),
            details: details(claims.get(DETAILS), audience),
        }
    }
}

/// RFC 9396 sections 2 and 9.1. More than there may be is as good as nothing: which of them count is not for us to say.
fn details(stated: Option<&Value>, audience: &Audience) -> Vec<Value> {
    let Some(Value::Array(all)) = stated else {
        return Vec::new();
    };
    if all.len() > MOST_DETAILS || all.iter().map(size).sum::<usize>() > LARGEST_DETAILS {
        return Vec::new();
    }
    let meant = all.iter().filter(|detail| is_meant(detail, audience));
    meant.cloned().collect()
}

/// Whether it has a type and names no other resources only (RFC 9396 sections 2.1 and 2.2).
fn is_meant(detail: &Value, audience: &Audience) -> bool {
    let is_this =
        |text: &str| text == audience.resource || audience.accepted.iter().any(|one| one == text);
    let has_type = detail.get("type").is_some_and(Value::is_string);
    has_type
        && match detail.get("locations") {
            None => true,
            Some(Value::Array(places)) => {
                places.iter().all(Value::is_string)
                    && places.iter().filter_map(Value::as_str).any(is_this)
            }
            Some(_) => false,
        }
}

/// The bytes of its JSON text.
fn size(value: &Value) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |text| text.len())
}

const DETAILS: &str = "authorization_details";
const MOST_DETAILS: usize = 32;
/// Bytes.
const LARGEST_DETAILS: usize = 8192;
/// Bytes.
const LARGEST_CLAIM: usize = 4096;

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::Stated;
    use crate::identity::settings::Audience;

    fn read(claims: &Value, wanted: &[&str]) -> Stated {
        let claims: Map<String, Value> = claims.as_object().unwrap().clone();
        let wanted: Vec<_> = wanted.iter().map(|name| (*name).to_owned()).collect();
        let audience = Audience::new("crm", "https://gw/crm/mcp", Vec::new());
        Stated::read(&claims, &wanted, &audience)
    }

    #[test]
    fn only_claims_that_policies_read_are_kept() {
        let claims = json!({ "tenant": "acme", "email": "a@b", "large": "x".repeat(5000) });
        let stated = read(&claims, &["tenant", "large", "absent"]);
        assert_eq!(Value::Object(stated.claims), json!({ "tenant": "acme" }));
    }

    #[test]
    fn details_for_other_resources_only_are_left_out() {
        let here =
            json!({ "type": "flights", "locations": ["https://else", "https://gw/crm/mcp"] });
        let anywhere = json!({ "type": "flights", "up_to": 800 });
        let claims = json!({ "authorization_details": [
            here,
            { "type": "flights", "locations": ["https://gw/crm/mcp/x"] },
            { "type": "flights", "locations": [] },
            { "type": "flights", "locations": "https://gw/crm/mcp" },
            { "type": "flights", "locations": ["https://gw/crm/mcp", 1] },
            { "type": 1 },
            { "up_to": 800 },
            "flights",
            anywhere,
        ] });
        assert_eq!(read(&claims, &[]).details, [here, anywhere]);
        let no_list = json!({ "authorization_details": { "type": "flights" } });
        assert!(read(&no_list, &[]).details.is_empty());
    }

    #[test]
    fn too_many_details_or_too_large_ones_are_none() {
        let detail = json!({ "type": "flights" });
        let of =
            |details: Vec<Value>| read(&json!({ "authorization_details": details }), &[]).details;
        assert_eq!(of(vec![detail.clone(); 32]).len(), 32);
        assert!(of(vec![detail; 33]).is_empty());
        let large = json!({ "type": "flights", "note": "x".repeat(8192) });
        assert!(of(vec![large]).is_empty());
    }
}
