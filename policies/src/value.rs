//! Turns a JSON value into one that Cedar compares. What is missing, of another type or too large becomes nothing.

use std::collections::BTreeMap;

use cedar_policy::{Context, RestrictedExpression};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::attribute::Type;
use crate::slot::Reading;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lack {
    /// Nobody gave one.
    Missing,
    /// It is of another type than the policy takes it for, or cannot be converted.
    Mistyped,
    /// It is larger than policies look at.
    Oversized,
}

/// The JSON text at `path` of an object; `None` when some key is not there.
pub(crate) fn at<'j>(object: &'j str, path: &[String]) -> Option<&'j str> {
    let mut now = object;
    for key in path {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(now).ok()?;
        now = fields.get(key)?.get();
    }
    Some(now)
}

/// The text `json`, read so.
pub(crate) fn express(reading: Reading, json: Option<&str>) -> Result<RestrictedExpression, Lack> {
    if reading == Reading::Present {
        return Ok(RestrictedExpression::new_bool(json.is_some()));
    }
    let json = json.map(str::trim).ok_or(Lack::Missing)?;
    if json.len() > LARGEST {
        return Err(Lack::Oversized);
    }
    let found = match reading {
        Reading::Present => None,
        Reading::Size => size(json).map(RestrictedExpression::new_long),
        Reading::Path => text(json)
            .and_then(|path| normal(&path))
            .map(RestrictedExpression::new_string),
        Reading::As(kind) => as_kind(kind, json)?,
    };
    found.ok_or(Lack::Mistyped)
}

fn as_kind(kind: Type, json: &str) -> Result<Option<RestrictedExpression>, Lack> {
    Ok(match kind {
        Type::Bool => json.parse().ok().map(RestrictedExpression::new_bool),
        Type::Long => long(json).map(RestrictedExpression::new_long),
        Type::String => match text(json) {
            Some(text) if text.len() > LONGEST_TEXT => return Err(Lack::Oversized),
            found => found.map(RestrictedExpression::new_string),
        },
        Type::Strings | Type::Longs | Type::Bools => return set(kind, json),
        Type::Ip => text(json).and_then(|text| sound(RestrictedExpression::new_ip(text))),
        Type::Decimal => {
            decimal(json).and_then(|text| sound(RestrictedExpression::new_decimal(text)))
        }
        Type::Datetime => {
            text(json).and_then(|text| sound(RestrictedExpression::new_datetime(text)))
        }
        Type::Duration => {
            text(json).and_then(|text| sound(RestrictedExpression::new_duration(text)))
        }
    })
}

/// Cedar converts when the context is made, and then a bad text spoils all of it: tried alone first.
fn sound(expression: RestrictedExpression) -> Option<RestrictedExpression> {
    Context::from_pairs([("value".to_owned(), expression.clone())])
        .is_ok()
        .then_some(expression)
}

fn set(kind: Type, json: &str) -> Result<Option<RestrictedExpression>, Lack> {
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else {
        return Ok(None);
    };
    if elements.len() > MOST_ELEMENTS {
        return Err(Lack::Oversized);
    }
    let element = match kind {
        Type::Longs => Type::Long,
        Type::Bools => Type::Bool,
        Type::Bool
        | Type::Long
        | Type::String
        | Type::Strings
        | Type::Ip
        | Type::Decimal
        | Type::Datetime
        | Type::Duration => Type::String,
    };
    let mut found = Vec::with_capacity(elements.len());
    for each in elements {
        match as_kind(element, each.get())? {
            Some(each) => found.push(each),
            None => return Ok(None),
        }
    }
    Ok(Some(RestrictedExpression::new_set(found)))
}

fn text(json: &str) -> Option<String> {
    json.starts_with('"')
        .then(|| serde_json::from_str(json).ok())?
}

/// Digits only: `100.0` and `1e2` are no whole numbers.
fn long(json: &str) -> Option<i64> {
    json.parse().ok()
}

/// A number as it is written, or a text: never by way of a binary fraction.
fn decimal(json: &str) -> Option<String> {
    if let Some(text) = text(json) {
        return Some(text);
    }
    let is_number = json
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    match (is_number, json.contains('.')) {
        (true, true) => Some(json.to_owned()),
        (true, false) => Some(format!("{json}.0")),
        (false, _) => None,
    }
}

fn size(json: &str) -> Option<i64> {
    let size = match serde_json::from_str::<Value>(json).ok()? {
        Value::String(text) => text.chars().count(),
        Value::Array(elements) => elements.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    i64::try_from(size).ok()
}

/// An absolute path without `.`, `..` and doubled slashes. What leads above the root is none, nor is what another
/// system might read in another way: a backslash, a control character.
fn normal(path: &str) -> Option<String> {
    let is_odd = |c: char| c == '\\' || c.is_control();
    if !path.starts_with('/') || path.contains(is_odd) {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop()?;
            }
            name => kept.push(name),
        }
    }
    Some(format!("/{}", kept.join("/")))
}

/// Bytes of JSON that are looked at for one value.
const LARGEST: usize = 1024 * 1024;
/// Bytes of a text: patterns take time for each.
const LONGEST_TEXT: usize = 16 * 1024;
/// Elements of a set.
const MOST_ELEMENTS: usize = 1000;

#[cfg(test)]
mod tests {
    use super::{Lack, at, decimal, express, long, normal, size};
    use crate::attribute::Type;
    use crate::slot::Reading;

    #[test]
    fn only_digits_are_a_whole_number() {
        assert_eq!(long("100"), Some(100));
        assert_eq!(long("-7"), Some(-7));
        for other in ["100.0", "1e2", "\"100\"", "9223372036854775808", "true"] {
            assert_eq!(long(other), None, "{other}");
        }
    }

    #[test]
    fn a_decimal_is_taken_as_it_is_written() {
        assert_eq!(decimal("800").as_deref(), Some("800.0"));
        assert_eq!(decimal("800.01").as_deref(), Some("800.01"));
        assert_eq!(decimal("8e2"), None);
        let converts = |json| express(Reading::As(Type::Decimal), Some(json)).is_ok();
        assert!(converts("800.0001") && converts("\"800.50\""));
        assert!(!converts("800.00001") && !converts("\"many\"") && !converts("1.2.3"));
    }

    #[test]
    fn a_path_is_resolved_and_never_leads_above_its_root() {
        assert_eq!(normal("/data//a/./b/../c/").as_deref(), Some("/data/a/c"));
        assert_eq!(normal("/").as_deref(), Some("/"));
        for odd in [
            "data/a",
            "../a",
            "/a/../../etc",
            "/a\0b",
            "/a\\..\\b",
            "",
            "~/a",
        ] {
            assert_eq!(normal(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_size_counts_characters_and_elements() {
        assert_eq!(size("\"h\u{e9}llo\""), Some(5));
        assert_eq!(size("[1,2,3]"), Some(3));
        assert_eq!(size("12"), None);
    }

    #[test]
    fn a_text_over_the_limit_is_not_looked_at() {
        let text = format!("\"{}\"", "a".repeat(16 * 1024 + 1));
        let found = express(Reading::As(Type::String), Some(&text));
        assert_eq!(found.unwrap_err(), Lack::Oversized);
    }

    #[test]
    fn a_path_of_keys_leads_into_objects_only() {
        let object = r#"{"a": {"b": [1, 2], "c": null}}"#;
        let keys = |path: &[&str]| path.iter().map(|&key| key.to_owned()).collect::<Vec<_>>();
        assert_eq!(at(object, &keys(&["a", "b"])), Some("[1, 2]"));
        assert_eq!(at(object, &keys(&["a", "c"])), Some("null"));
        assert_eq!(at(object, &keys(&["a", "b", "0"])), None);
        assert_eq!(at(object, &keys(&["b"])), None);
    }
}
