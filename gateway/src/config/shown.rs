//! The configuration in force: every key of the table with what the file says or what holds without it. Shows no value
//! of the environment and no query of a URL, because either may be a secret; opens no file that the file names.

use super::raw::{Key, Presence, Shape};
use super::tree::{Node, Text, Value};

/// A value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// There is none.
    Absent,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Integer(i128),
    /// A string, a size or a duration.
    Text(String),
    /// A list.
    List(Vec<Shown>),
    /// A map.
    Map(Vec<ShownKey>),
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// The key.
    pub name: String,
    /// Who says so.
    pub origin: Origin,
    /// Its value.
    pub value: Shown,
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file says so.
    Written,
    /// It holds because the file says nothing.
    Default,
}

/// What is in force under `keys`, when a checked file says `node` before its variables are replaced.
pub(crate) fn shown(keys: &'static [Key], node: &Node) -> Shown {
    let Value::Map(entries) = &node.value else {
        return Shown::Absent;
    };
    let mut root = section(keys, entries);
    derive_servers(&mut root);
    Shown::Map(root)
}

fn section(keys: &'static [Key], entries: &[(Text, Node)]) -> Vec<ShownKey> {
    keys.iter()
        .map(|key| {
            let written = entries.iter().find(|(name, _)| name.value == key.name);
            let (origin, value) = match written {
                Some((_, node)) => (Origin::Written, value(&key.shape, node)),
                None => (Origin::Default, default(key)),
            };
            ShownKey {
                name: key.name.to_owned(),
                origin,
                value,
            }
        })
        .collect()
}

fn value(shape: &'static Shape, node: &Node) -> Shown {
    match (shape, &node.value) {
        (Shape::Section(keys), Value::Map(entries)) => Shown::Map(section(keys, entries)),
        (Shape::Each(item), Value::List(items)) => {
            Shown::List(items.iter().map(|node| value(item, node)).collect())
        }
        (Shape::Named(inner), Value::Map(entries)) => Shown::Map(named(&[], inner, entries)),
        (Shape::NamedBeside(keys, inner), Value::Map(entries)) => {
            Shown::Map(named(keys, inner, entries))
        }
        (Shape::TextOr(other), Value::Map(_) | Value::List(_)) => value(other, node),
        (_, Value::Flag(flag)) => Shown::Flag(*flag),
        (_, Value::Integer(number)) => Shown::Integer(*number),
        (_, Value::Text(text)) => Shown::Text(without_query(text)),
        (_, Value::Null | Value::Float(_) | Value::Faulty | Value::List(_) | Value::Map(_)) => {
            Shown::Absent
        }
    }
}

/// The keys that the table knows, and then those that it leaves to the file.
fn named(keys: &'static [Key], inner: &'static Shape, entries: &[(Text, Node)]) -> Vec<ShownKey> {
    let mut found = section(keys, entries);
    let own = entries
        .iter()
        .filter(|(name, _)| keys.iter().all(|key| key.name != name.value));
    found.extend(own.map(|(name, node)| ShownKey {
        name: name.value.clone(),
        origin: Origin::Written,
        value: value(inner, node),
    }));
    found
}

/// What holds without the key.
fn default(key: &'static Key) -> Shown {
    match (&key.presence, &key.shape) {
        (Presence::Default(text), Shape::Integer) => {
            text.parse().map_or(Shown::Absent, Shown::Integer)
        }
        (Presence::Default(text), _) => Shown::Text((*text).to_owned()),
        (Presence::Defaults(texts), _) => Shown::List(list(texts)),
        (Presence::Optional, Shape::Flag) => Shown::Flag(false),
        (Presence::Optional, Shape::Section(keys)) if !demands(keys) => {
            Shown::Map(section(keys, &[]))
        }
        (Presence::Optional | Presence::Required(_), _) => Shown::Absent,
    }
}

/// Does a map of these keys have to say something? Then its absence means that there is none.
fn demands(keys: &[Key]) -> bool {
    keys.iter()
        .any(|key| matches!(key.presence, Presence::Required(_)))
}

fn list(texts: &[&str]) -> Vec<Shown> {
    texts
        .iter()
        .map(|text| Shown::Text((*text).to_owned()))
        .collect()
}

/// The defaults of one key that depend on what others say.
fn derive_servers(root: &mut [ShownKey]) {
    let public_url = text(root, "public_url").unwrap_or_default();
    if let Some(Shown::List(issuers)) = value_of(root, "issuers") {
        issuers.iter_mut().for_each(derive_token_types);
    }
    let names: Vec<Shown> = items(root, "issuers")
        .filter_map(|issuer| text(issuer, "name").map(Shown::Text))
        .collect();
    let Some(Shown::List(servers)) = value_of(root, "servers") else {
        return;
    };
    for server in servers {
        let Shown::Map(keys) = server else { continue };
        let resource = format!("{public_url}{}", text(keys, "path").unwrap_or_default());
        derive(keys, "issuers", names.clone());
        derive(keys, "audiences", vec![Shown::Text(resource)]);
    }
}

fn derive_token_types(issuer: &mut Shown) {
    if let Shown::Map(keys) = issuer
        && text(keys, "profile").as_deref() == Some("lenient")
    {
        derive(keys, "token_types", list(&["at+jwt", "JWT"]));
    }
}

fn derive(keys: &mut [ShownKey], name: &str, values: Vec<Shown>) {
    let absent = |key: &&mut ShownKey| key.name == name && key.origin == Origin::Default;
    if let Some(key) = keys.iter_mut().find(absent) {
        key.value = Shown::List(values);
    }
}

fn items<'k>(keys: &'k [ShownKey], name: &str) -> impl Iterator<Item = &'k [ShownKey]> {
    let list = keys.iter().find(|key| key.name == name);
    let items = match list.map(|key| &key.value) {
        Some(Shown::List(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().filter_map(|item| {
        if let Shown::Map(keys) = item {
            Some(keys.as_slice())
        } else {
            None
        }
    })
}

fn value_of<'k>(keys: &'k mut [ShownKey], name: &str) -> Option<&'k mut Shown> {
    let key = keys.iter_mut().find(|key| key.name == name)?;
    Some(&mut key.value)
}

fn text(keys: &[ShownKey], name: &str) -> Option<String> {
    match keys
        .iter()
        .find(|key| key.name == name)
        .map(|key| &key.value)
    {
        Some(Shown::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// A query may carry a key to what it asks.
fn without_query(text: &str) -> String {
    match text.split_once('?') {
        Some((before, _)) if before.contains("://") => format!("{before}?{HIDDEN}"),
        _ => text.to_owned(),
    }
}

const HIDDEN: &str = "<hidden>";
