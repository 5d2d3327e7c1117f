//! A map of the file against its table of keys: the walk that finds unknown keys and wrong shapes, and the readers that
//! come after it. The readers report no shape: the walk did.

use std::collections::{HashMap, HashSet};

use super::raw::{Key, Presence, Shape};
use super::review::Review;
use super::suggest;
use super::tree::{At, Node, Text, Value};
use super::value::{DURATION_HELP, SIZE_HELP};

/// Reports every key and every value under `node` that does not have its shape. `at` is shown when there is no value.
pub(crate) fn walk(node: &Node, at: At, shape: &Shape, review: &mut Review<'_>) {
    match (shape, &node.value) {
        (_, Value::Faulty) | (Shape::TextOr(_), Value::Text(_)) => {}
        (Shape::Any, _) => walk_any(node, review),
        (Shape::TextOr(other), _) => walk(node, at, other, review),
        (Shape::Section(keys), Value::Map(entries)) => walk_section(keys, entries, node.at, review),
        (Shape::Each(item), Value::List(items)) => {
            for value in items {
                walk(value, value.at, item, review);
            }
        }
        (Shape::Named(inner), Value::Map(entries)) => {
            report_duplicates(entries, review);
            for (key, value) in entries {
                walk(value, key.at, inner, review);
            }
        }
        (Shape::NamedBeside(keys, inner), Value::Map(entries)) => {
            report_duplicates(entries, review);
            for (key, value) in entries {
                let known = keys.iter().find(|known| known.name == key.value);
                walk(
                    value,
                    key.at,
                    known.map_or(inner, |known| &known.shape),
                    review,
                );
            }
        }
        (leaf, value) => {
            if !fits(leaf, value) {
                let at = if node.value == Value::Null {
                    at
                } else {
                    node.at
                };
                report_shape(shape, value, at, review);
            }
        }
    }
}

/// Of a value that may be anything, only keys that come twice can be wrong.
fn walk_any(node: &Node, review: &mut Review<'_>) {
    match &node.value {
        Value::List(items) => {
            for item in items {
                walk_any(item, review);
            }
        }
        Value::Map(entries) => {
            report_duplicates(entries, review);
            for (_, value) in entries {
                walk_any(value, review);
            }
        }
        Value::Null
        | Value::Flag(_)
        | Value::Integer(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Faulty => {}
    }
}

fn walk_section(keys: &'static [Key], entries: &[(Text, Node)], at: At, review: &mut Review<'_>) {
    report_duplicates(entries, review);
    let mut meant = HashSet::new();
    for (written, value) in entries {
        match keys.iter().find(|key| key.name == written.value) {
            Some(key) => walk(value, written.at, &key.shape, review),
            None => meant.extend(report_unknown(keys, written, review)),
        }
    }
    for key in keys {
        let Presence::Required(example) = key.presence else {
            continue;
        };
        let is_there = entries.iter().any(|(written, _)| written.value == key.name);
        if !is_there && !meant.contains(key.name) {
            review.report(
                at,
                "missing-key",
                format!("missing key `{}`", key.name),
                format!("add `{example}`"),
            );
        }
    }
}

/// Reports an unknown key; answers the key that was probably meant.
fn report_unknown(
    keys: &'static [Key],
    written: &Text,
    review: &mut Review<'_>,
) -> Option<&'static str> {
    let names: Vec<&'static str> = keys.iter().map(|key| key.name).collect();
    let help = suggest::help(&written.value, &names, "known here");
    review.report(
        written.at,
        "unknown-key",
        format!("unknown key `{}`", written.value),
        help,
    );
    suggest::nearest(&written.value, names)
}

fn report_duplicates(entries: &[(Text, Node)], review: &mut Review<'_>) {
    let mut seen: HashMap<&str, At> = HashMap::with_capacity(entries.len());
    for (key, _) in entries {
        let first = *seen.entry(&key.value).or_insert(key.at);
        if first == key.at {
            continue;
        }
        review.report(
            key.at,
            "duplicate-key",
            format!("the key `{}` comes twice", key.value),
            format!("it stands on line {} already: keep one", first.line),
        );
    }
}

fn fits(leaf: &Shape, value: &Value) -> bool {
    matches!(
        (leaf, value),
        (Shape::Text | Shape::Duration | Shape::Size, Value::Text(_))
            | (Shape::Flag, Value::Flag(_))
            | (Shape::Integer | Shape::Size, Value::Integer(_))
    )
}

fn report_shape(shape: &Shape, value: &Value, at: At, review: &mut Review<'_>) {
    let (expected, help) = match shape {
        Shape::Text | Shape::TextOr(_) => {
            ("a string", "write a string; put quotes around a number")
        }
        Shape::Flag => ("true or false", "write `true` or `false`"),
        Shape::Integer => ("a whole number", "write a whole number without quotes"),
        Shape::Size => ("a size", SIZE_HELP),
        Shape::Duration => ("a duration", DURATION_HELP),
        Shape::Section(_) | Shape::Named(_) | Shape::NamedBeside(..) => {
            ("a map", "write `key: value` lines below, indented")
        }
        Shape::Each(_) => ("a list", "write `[a, b]`, or one `- item` per line"),
        Shape::Any => ("a value", "write one"),
    };
    review.report(
        at,
        "wrong-type",
        format!("expected {expected}, found {}", value.kind()),
        help,
    );
}

/// A map whose keys were walked: absent keys answer with their defaults, wrong ones with nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section<'t> {
    keys: &'static [Key],
    entries: &'t [(Text, Node)],
    at: At,
}

impl<'t> Section<'t> {
    /// The map at `node`; an empty one when it is none.
    pub(crate) fn new(keys: &'static [Key], node: &'t Node) -> Self {
        let entries = if let Value::Map(entries) = &node.value {
            entries.as_slice()
        } else {
            &[]
        };
        Self {
            keys,
            entries,
            at: node.at,
        }
    }

    /// Where it starts.
    pub(crate) fn at(&self) -> At {
        self.at
    }

    /// The value of `name` as it is written.
    pub(crate) fn node(&self, name: &str) -> Option<&'t Node> {
        self.entries
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, node)| node)
    }

    /// The section `name`; an empty one in its place when it is absent.
    pub(crate) fn section(&self, name: &str) -> Self {
        let Some(Shape::Section(keys)) = self.key(name).map(|key| &key.shape) else {
            return Self {
                keys: &[],
                entries: &[],
                at: self.at,
            };
        };
        self.node(name).map_or(
            Self {
                keys,
                entries: &[],
                at: self.at,
            },
            |node| Self::new(keys, node),
        )
    }

    /// The sections in the list `name`.
    pub(crate) fn sections(&self, name: &str) -> Vec<Self> {
        let Some(Shape::Each(Shape::Section(keys))) = self.key(name).map(|key| &key.shape) else {
            return Vec::new();
        };
        let Some(Value::List(items)) = self.node(name).map(|node| &node.value) else {
            return Vec::new();
        };
        items.iter().map(|node| Self::new(keys, node)).collect()
    }

    /// The string `name`, or its default.
    pub(crate) fn text(&self, name: &str) -> Option<Text> {
        match (self.node(name), self.key(name).map(|key| &key.presence)) {
            (Some(node), _) => as_text(node),
            (None, Some(Presence::Default(default))) => Some(Text {
                value: (*default).to_owned(),
                at: self.at,
            }),
            (None, _) => None,
        }
    }

    /// The strings in the list `name`, or its default; nothing when it is absent without one, or no list.
    pub(crate) fn texts(&self, name: &str) -> Option<Vec<Text>> {
        match (self.node(name), self.key(name).map(|key| &key.presence)) {
            (Some(node), _) => as_texts(node),
            (None, Some(Presence::Defaults(defaults))) => {
                let texts = defaults.iter().map(|default| Text {
                    value: (*default).to_owned(),
                    at: self.at,
                });
                Some(texts.collect())
            }
            (None, _) => None,
        }
    }

    /// The flag `name`: `true` only when the file says so.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        matches!(
            self.node(name),
            Some(Node {
                value: Value::Flag(true),
                ..
            })
        )
    }

    /// The whole number `name` and its place.
    pub(crate) fn integer(&self, name: &str) -> Option<(i128, At)> {
        match self.node(name) {
            Some(Node {
                value: Value::Integer(number),
                at,
            }) => Some((*number, *at)),
            _ => None,
        }
    }

    fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// The string at `node`.
pub(crate) fn as_text(node: &Node) -> Option<Text> {
    let Value::Text(value) = &node.value else {
        return None;
    };
    Some(Text {
        value: value.clone(),
        at: node.at,
    })
}

/// The strings in the list at `node`.
pub(crate) fn as_texts(node: &Node) -> Option<Vec<Text>> {
    let Value::List(items) = &node.value else {
        return None;
    };
    Some(items.iter().filter_map(as_text).collect())
}

/// The string `name`, or the strings in the list; none when it is absent, nothing when it is wrong.
pub(crate) fn one_or_more(section: &Section<'_>, name: &str) -> Option<Vec<Text>> {
    match section.node(name) {
        None => Some(Vec::new()),
        Some(node) => as_texts(node).or_else(|| Some(vec![as_text(node)?])),
    }
}
