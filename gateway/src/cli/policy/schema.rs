//! The arguments that conditions read, against the schemas of tools. Never reads a call.

use std::collections::BTreeSet;

use gatewright_policies::lint::{Argument, arguments, matched};
use gatewright_policies::{Access, PolicySet, Row, Rule, Type};
use serde_json::Value;

use super::findings::{Finding, Level};
use super::tools::Tool;
use crate::config::places::Place;
use crate::config::suggest;

/// The arguments of `rule` that a tool which it is about does not have, or has with another type.
pub(super) fn findings(
    policy: &PolicySet,
    rule: &Rule,
    place: &Place,
    tools: &[Tool],
) -> Vec<Finding> {
    let read = arguments(policy, rule);
    let about = tools.iter().filter(|tool| is_about(rule, tool));
    let mut found = Vec::new();
    for tool in about {
        let Some(schema) = &tool.schema else { continue };
        let faults = read.iter().filter_map(|argument| fault(argument, schema));
        found.extend(faults.map(|(code, what)| {
            let message = format!("{what} of `{}`", tool.name);
            Finding::of(place, Level::Warning, code, &message)
        }));
    }
    found
}

fn is_about(rule: &Rule, tool: &Tool) -> bool {
    let Some(pattern) = rule.subject.pattern.as_deref() else {
        return false;
    };
    let row = Row::plain("", "", Access::Tool, pattern);
    !matched(&row, [tool.name.as_str()]).is_empty()
}

fn fault(argument: &Argument, schema: &Value) -> Option<(&'static str, String)> {
    let mut inner = schema;
    let mut so_far = String::new();
    for key in &argument.path {
        let Some(properties) = inner.get("properties").and_then(Value::as_object) else {
            // What a schema does not describe may hold anything.
            return None;
        };
        so_far = if so_far.is_empty() {
            key.clone()
        } else {
            format!("{so_far}.{key}")
        };
        let Some(found) = properties.get(key) else {
            let names: Vec<_> = properties.keys().map(String::as_str).collect();
            let help = suggest::help(key, &names, "it has");
            let what = format!("reads `{so_far}` ({help}), which is no argument");
            return Some(("unknown-argument", what));
        };
        inner = found;
    }
    let kind = argument.kind?;
    let types = types(inner);
    (!types.is_empty() && types.is_disjoint(&takes(kind))).then(|| {
        let types: Vec<_> = types.into_iter().collect();
        let what = format!(
            "compares `{so_far}` as {}, which is {} in the arguments",
            kind.name(),
            types.join(" or ")
        );
        ("argument-type", what)
    })
}

/// The types of a schema; none when it does not say.
fn types(schema: &Value) -> BTreeSet<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => BTreeSet::from([one.as_str()]),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    }
}

/// The JSON types that a value of this type is read from.
fn takes(kind: Type) -> BTreeSet<&'static str> {
    match kind {
        Type::Bool => BTreeSet::from(["boolean"]),
        Type::Long => BTreeSet::from(["integer", "number"]),
        Type::String | Type::Ip | Type::Datetime | Type::Duration => BTreeSet::from(["string"]),
        Type::Strings | Type::Longs | Type::Bools => BTreeSet::from(["array"]),
        Type::Decimal => BTreeSet::from(["number", "integer", "string"]),
    }
}
