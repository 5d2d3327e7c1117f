//! The digest of a policy: what it says, and not how its rows are laid out. Never decides anything.

use gatewright_policies::{Access, Limit, Measure, Per, PolicySource, Row, Tier};
use serde_json::{Value, json};

use crate::model::Digest;

/// One line of JSON for each row in the order of the file, which is part of a rule's identity; then the Cedar files as they
/// stand, and the time zone unless it is UTC.
pub(crate) fn fingerprint(source: &PolicySource, zone: &str) -> Digest {
    let mut lines: Vec<String> = source.rows.iter().map(row).collect();
    let files = source.cedar.iter();
    lines.extend(files.map(|file| json!(["cedar", file.name, file.text]).to_string()));
    if zone != "UTC" {
        lines.push(json!(["time_zone", zone]).to_string());
    }
    Digest::of(lines.join("\n").as_bytes())
}

fn row(row: &Row) -> String {
    let access = match row.access {
        Access::Tool => "tool",
        Access::Prompt => "prompt",
        Access::Resource => "resource",
    };
    let mut parts = vec![
        json!(row.role),
        json!(row.server),
        json!(access),
        json!(row.pattern),
        json!(row.scopes),
    ];
    let is_plain = row.when.is_none()
        && row.details.is_none()
        && row.approval.is_none()
        && row.tier.is_none()
        && row.limits.is_empty();
    if !is_plain {
        parts.push(conditions(row));
    }
    Value::Array(parts).to_string()
}

fn conditions(row: &Row) -> Value {
    let approval = row.approval.as_ref();
    let limits: Vec<_> = row.limits.iter().map(limit).collect();
    json!([
        row.when,
        row.details,
        approval.map(|ask| json!([ask.by, ask.ttl.map(|ttl| ttl.as_secs_f64())])),
        row.tier.map(Tier::name),
        limits,
    ])
}

fn limit(limit: &Limit) -> Value {
    let per = match limit.per {
        Per::Principal => "principal",
        Per::Role => "role",
        Per::Tool => "tool",
    };
    let measure = match &limit.measure {
        Measure::Calls => None,
        Measure::Sum(argument) => Some(argument),
    };
    json!([limit.most, limit.window.as_secs_f64(), per, measure])
}
