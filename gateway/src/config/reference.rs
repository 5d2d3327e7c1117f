//! Every key of the file with the shape of its value and its default, for the reference document. Reads the table
//! that files are checked against, so that the two cannot differ.

use super::policy_keys::CASE;
use super::raw::{Key, Presence, ROOT, Shape};

/// One key as the reference document shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key with everything it stands under, e.g. `servers[].name`.
    pub path: String,
    /// What kind of value it has.
    pub value: String,
    /// What it means when it is absent, in Markdown.
    pub default: String,
}

/// Every key, in the order of the table.
pub fn entries() -> Vec<Entry> {
    let mut found = Vec::new();
    collect("", ROOT, &mut found);
    found
}

/// Every key of a test of a policy, those of who asks after `as.`.
pub fn case_keys() -> Vec<String> {
    let mut found = Vec::new();
    collect("", CASE, &mut found);
    found.into_iter().map(|entry| entry.path).collect()
}

fn collect(prefix: &str, keys: &[Key], found: &mut Vec<Entry>) {
    for key in keys {
        let path = format!("{prefix}{}", key.name);
        found.push(Entry {
            path: path.clone(),
            value: value(&key.shape),
            default: default(&key.presence),
        });
        collect_below(&path, &key.shape, found);
    }
}

fn collect_below(path: &str, shape: &Shape, found: &mut Vec<Entry>) {
    match shape {
        Shape::Section(keys) => collect(&format!("{path}."), keys, found),
        Shape::Each(item) => collect_below(&format!("{path}[]"), item, found),
        Shape::Named(item) => collect_below(&format!("{path}.*"), item, found),
        Shape::NamedBeside(keys, item) => {
            collect(&format!("{path}."), keys, found);
            collect_below(&format!("{path}.*"), item, found);
        }
        Shape::TextOr(other) => collect_below(path, other, found),
        Shape::Text | Shape::Flag | Shape::Integer | Shape::Size | Shape::Duration | Shape::Any => {
        }
    }
}

fn value(shape: &Shape) -> String {
    match shape {
        Shape::Text => "string".to_owned(),
        Shape::Flag => "true or false".to_owned(),
        Shape::Integer => "whole number".to_owned(),
        Shape::Size => "size".to_owned(),
        Shape::Duration => "duration".to_owned(),
        Shape::Section(_) => "map".to_owned(),
        Shape::Each(item) => format!("list of {}", value(item)),
        Shape::Named(item) | Shape::NamedBeside(_, item) => format!("names to {}", value(item)),
        Shape::TextOr(other) => format!("string or {}", value(other)),
        Shape::Any => "any value".to_owned(),
    }
}

fn default(presence: &Presence) -> String {
    match presence {
        Presence::Required(_) => "required".to_owned(),
        Presence::Optional => "absent".to_owned(),
        Presence::Default(text) => format!("`{text}`"),
        Presence::Defaults(texts) => format!("`[{}]`", texts.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn keys_of_lists_and_of_named_maps_are_found() {
        let paths: Vec<_> = entries().into_iter().map(|entry| entry.path).collect();
        for path in [
            "listen.tls.cert_file",
            "servers[].upstream",
            "policy.roles.*.*[].tool",
        ] {
            assert!(paths.iter().any(|known| known == path), "{path}: {paths:?}");
        }
    }
}
