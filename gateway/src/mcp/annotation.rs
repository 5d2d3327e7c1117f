//! `x-mcp-header` in the schema of a tool (MCP 2026-07-28, server/tools). Never follows a `$ref`.

use std::collections::HashSet;

use serde_json::Value;

/// Whether the annotations of this tool, one JSON object, keep the rules: names that are tokens of HTTP (RFC 9110
/// section 5.6.2), each once in whatever case, at plain values that `properties` alone lead to. A client drops a tool
/// that breaks them, and one that does not would send a header that nobody foresaw.
pub fn is_sound(tool: &str) -> bool {
    // An escape may spell the key.
    if !tool.contains(KEY) && !tool.contains("\\u") {
        return true;
    }
    let Ok(tool) = serde_json::from_str::<Value>(tool) else {
        return false;
    };
    let mut names = HashSet::new();
    let mut reached = 0;
    let mut open: Vec<&Value> = tool.get("inputSchema").into_iter().collect();
    while let Some(schema) = open.pop() {
        if let Some(name) = schema.get(KEY) {
            reached += 1;
            let is_new = name
                .as_str()
                .is_some_and(|name| is_token(name) && names.insert(name.to_ascii_lowercase()));
            if !is_new || !is_plain(schema) {
                return false;
            }
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        open.extend(properties.into_iter().flat_map(serde_json::Map::values));
    }
    reached == annotations(&tool)
}

/// How many annotations stand anywhere in the tool's schemas, as a key of a schema and not as the name of a property.
fn annotations(tool: &Value) -> usize {
    let mut open: Vec<(&Value, Place)> = tool
        .get("inputSchema")
        .map(|s| (s, Place::Schema))
        .into_iter()
        .collect();
    let mut found = 0;
    while let Some((value, place)) = open.pop() {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let is_schema = matches!(place, Place::Schema);
                    found += usize::from(is_schema && key == KEY);
                    let inner = if is_schema && key == "properties" {
                        Place::Properties
                    } else {
                        Place::Schema
                    };
                    open.push((member, inner));
                }
            }
            Value::Array(items) => open.extend(items.iter().map(|item| (item, Place::Schema))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Place {
    Schema,
    /// Keys are names of arguments here.
    Properties,
}

fn is_token(name: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_tchar)
}

fn is_plain(schema: &Value) -> bool {
    let kind = schema.get("type").and_then(Value::as_str);
    matches!(kind, Some("string" | "integer" | "boolean"))
}

const KEY: &str = "x-mcp-header";

#[cfg(test)]
mod tests {
    use super::is_sound;

    fn tool(properties: &str) -> String {
        format!(r#"{{"name":"a","inputSchema":{{"type":"object","properties":{{{properties}}}}}}}"#)
    }

    #[test]
    fn s13_an_annotation_that_keeps_the_rules_is_sound() {
        for properties in [
            "",
            r#""a":{"type":"string"}"#,
            r#""a":{"type":"string","x-mcp-header":"Region"}"#,
            r#""a":{"type":"integer","x-mcp-header":"A"},"b":{"type":"boolean","x-mcp-header":"B"}"#,
            r#""o":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"In"}}}"#,
            r#""x-mcp-header":{"type":"string"}"#,
        ] {
            assert!(is_sound(&tool(properties)), "{properties}");
        }
        assert!(is_sound(r#"{"name":"x-mcp-header"}"#));
    }

    #[test]
    fn s13_an_annotation_that_breaks_a_rule_is_not() {
        for properties in [
            r#""a":{"type":"string","x-mcp-header":""}"#,
            r#""a":{"type":"string","x-mcp-header":"a b"}"#,
            r#""a":{"type":"string","x-mcp-header":"a\r\nSet-Cookie"}"#,
            r#""a":{"type":"string","x-mcp-header":"\u00e4"}"#,
            r#""a":{"type":"string","x-mcp-header":1}"#,
            r#""a":{"type":"string","x\u002dmcp\u002dheader":"a b"}"#,
            r#""a":{"type":"number","x-mcp-header":"A"}"#,
            r#""a":{"type":"object","x-mcp-header":"A"}"#,
            r#""a":{"x-mcp-header":"A"}"#,
            r#""a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}"#,
            r#""a":{"type":"array","items":{"type":"string","x-mcp-header":"A"}}"#,
            r#""a":{"anyOf":[{"type":"string","x-mcp-header":"A"}]}"#,
        ] {
            assert!(!is_sound(&tool(properties)), "{properties}");
        }
        let elsewhere = r##"{"inputSchema":{"$ref":"#/$defs/a","$defs":{"a":{"type":"string","x-mcp-header":"A"}}}}"##;
        assert!(!is_sound(elsewhere));
    }

    #[test]
    fn s12_a_reference_is_not_followed() {
        let bomb = r##"{"inputSchema":{"$ref":"http://169.254.169.254/x","properties":{"a":{"$ref":"#"}}}}"##;
        assert!(is_sound(bomb));
    }
}
