//! JSON as the attributes of OTLP: one for each leaf, its name the path to it with dots.

use serde_json::{Map, Value, json};

/// The attributes of `members`, in their order. What is null is left out.
pub(super) fn attributes(members: &Map<String, Value>) -> Vec<Value> {
    let mut found = Vec::new();
    collect("", members, &mut found);
    found
}

/// One attribute.
pub(super) fn attribute(key: &str, value: &Value) -> Value {
    json!({ "key": key, "value": any_value(value) })
}

fn collect(prefix: &str, members: &Map<String, Value>, found: &mut Vec<Value>) {
    for (name, value) in members {
        let key = format!("{prefix}{name}");
        match value {
            Value::Object(inner) => collect(&format!("{key}."), inner, found),
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                found.push(attribute(&key, value));
            }
        }
    }
}

/// An `AnyValue`: 64-bit integers are strings in the JSON encoding.
fn any_value(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(flag) => json!({ "boolValue": flag }),
        Value::Number(number) if number.is_f64() => json!({ "doubleValue": number }),
        Value::Number(number) => json!({ "intValue": number.to_string() }),
        Value::String(text) => json!({ "stringValue": text }),
        Value::Array(items) => {
            json!({ "arrayValue": { "values": items.iter().map(any_value).collect::<Vec<_>>() } })
        }
        Value::Object(members) => {
            let values: Vec<_> = members
                .iter()
                .map(|(key, value)| attribute(key, value))
                .collect();
            json!({ "kvlistValue": { "values": values } })
        }
    }
}
