//! The file as a tree of values that know their place. Knows no key, judges no value.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Error, Location, Spanned};

/// A place in the file: line and column from 1, width in characters. Width 0 means the word that starts here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

impl At {
    /// The first word of the file.
    pub(crate) const START: Self = Self {
        line: 1,
        column: 1,
        width: 0,
    };

    fn of(location: Location) -> Self {
        Self {
            line: small(location.line()).max(1),
            column: small(location.column()).max(1),
            width: small(location.span().len()),
        }
    }
}

/// A string and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) value: String,
    pub(crate) at: At,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: At,
}

impl Node {
    /// Is it a list without items?
    pub(crate) fn is_empty_list(&self) -> bool {
        matches!(&self.value, Value::List(items) if items.is_empty())
    }
}

/// A value of YAML 1.2.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Nothing, or `null`.
    Null,
    /// `true` or `false`, nothing else.
    Flag(bool),
    /// A whole number.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map in the order of the file; a key may come twice.
    Map(Vec<(Text, Node)>),
    /// A value about which a mistake was reported already.
    Faulty,
}

impl Value {
    /// What a reader calls such a value.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
            Self::Faulty => "a faulty value",
        }
    }
}

/// Why a file is no YAML that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxFault {
    pub(crate) at: At,
    pub(crate) message: String,
}

/// Reads one YAML document. Aliases are expanded within a budget; merge keys and unknown tags are refused.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxFault> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MAX_NODES,
            max_events: MAX_NODES * 4,
            max_depth: MAX_DEPTH,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_REPLAYED,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| SyntaxFault {
        at: error.location().map_or(At::START, |location| At {
            width: 1,
            ..At::of(location)
        }),
        message: describe(&error),
    })
}

/// The error's first line without the place, which is shown apart.
fn describe(error: &Error) -> String {
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or_default();
    if line.starts_with("multiple YAML documents") {
        return "a second document starts here".to_owned();
    }
    if line.starts_with("budget breached") || line.starts_with("alias replay") {
        return "the file holds too much, or its aliases expand to too much".to_owned();
    }
    let cut = line.find(" at line ").or_else(|| line.find(": line "));
    cut.and_then(|end| line.get(..end))
        .unwrap_or(line)
        .to_owned()
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Value>::deserialize(deserializer)?;
        let mut at = At::of(spanned.defined);
        if matches!(spanned.value, Value::List(_) | Value::Map(_)) {
            at.width = 0;
        }
        Ok(Self {
            value: spanned.value,
            at,
        })
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Node>()? {
            map.push((
                Text {
                    value: key.value,
                    at: At::of(key.defined),
                },
                value,
            ));
        }
        Ok(Value::Map(map))
    }
}

/// How many values a file may hold once its aliases are expanded.
const MAX_NODES: usize = 150_000;
/// How many of them aliases may bring.
const MAX_REPLAYED: usize = 20_000;
/// How deep a file may nest; the deepest key of ours is at 7.
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::time::{Duration, Instant};

    use super::{At, Node, Value, parse};

    fn entry(text: &str, name: &str) -> Node {
        let Value::Map(entries) = parse(text).unwrap().value else {
            panic!("no map in `{text}`")
        };
        entries
            .into_iter()
            .find(|(key, _)| key.value == name)
            .unwrap()
            .1
    }

    #[test]
    fn values_know_where_they_stand() {
        let node = entry("a: 1\nb:   \"q q\"\n", "b");
        assert_eq!(node.value, Value::Text("q q".to_owned()));
        assert_eq!(
            node.at,
            At {
                line: 2,
                column: 6,
                width: 5
            }
        );
    }

    #[test]
    fn no_and_yes_stay_strings() {
        let text = "a: no\nb: yes\nc: true\n";
        assert_eq!(entry(text, "a").value, Value::Text("no".to_owned()));
        assert_eq!(entry(text, "b").value, Value::Text("yes".to_owned()));
        assert_eq!(entry(text, "c").value, Value::Flag(true));
    }

    #[test]
    fn a_key_that_comes_twice_is_kept_twice() {
        let Value::Map(entries) = parse("a: 1\na: 2\n").unwrap().value else {
            panic!("no map")
        };
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn an_alias_stands_for_its_anchor() {
        assert_eq!(
            entry("a: &x foo\nb: *x\n", "b").value,
            Value::Text("foo".to_owned())
        );
    }

    #[test]
    fn what_is_no_single_plain_document_is_refused() {
        for (text, message) in [
            ("a: [1\nb: 2\n", "illegal placement of ':' indicator"),
            ("a: !foo x\n", "unsupported tag `!foo`"),
            (
                "<<: {a: 1}\n",
                "YAML merge keys are not allowed by configured policy",
            ),
            ("a: 1\n---\nb: 2\n", "a second document starts here"),
            ("a: *nope\n", "alias references unknown anchor"),
        ] {
            assert_eq!(parse(text).unwrap_err().message, message, "{text}");
        }
    }

    #[test]
    fn an_alias_bomb_is_stopped_quickly() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let item = format!("*a{}, ", level - 1).repeat(10);
            writeln!(text, "a{level}: &a{level} [{item}]").unwrap();
        }
        let before = Instant::now();
        let fault = parse(&text).unwrap_err();
        assert_eq!(
            fault.message,
            "the file holds too much, or its aliases expand to too much"
        );
        assert!(
            before.elapsed() < Duration::from_secs(1),
            "took {:?}",
            before.elapsed()
        );
    }

    #[test]
    fn a_file_that_nests_without_end_is_refused() {
        assert!(parse(&format!("a: {}", "[".repeat(500))).is_err());
    }
}
