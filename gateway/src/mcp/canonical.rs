//! One JSON value in the one form that all its spellings share (RFC 8785). Never knows what the value is about.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::jsonrpc::JsonFault;
use super::{number, spelling, token};

/// A JSON value whose objects are in canonical order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree<'a> {
    /// Members, sorted by the UTF-16 code units of their keys (RFC 8785 section 3.2.3).
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
    Array(Vec<Tree<'a>>),
    Text(Cow<'a, str>),
    /// As it is written.
    Number(&'a str),
    /// `true`, `false` or `null`.
    Literal(&'a str),
}

impl<'a> Tree<'a> {
    /// Reads one strict JSON value with only white space around it.
    pub(super) fn read(text: &'a str) -> Result<Self, JsonFault> {
        let mut reader = Reader { text, at: 0 };
        let tree = reader.value(0)?;
        reader.skip_space();
        if reader.at < text.len() {
            return Err(reader.unexpected());
        }
        Ok(tree)
    }

    /// Appends the canonical form.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Object(members) => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    comma(index, out);
                    quote(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    comma(index, out);
                    item.write(out);
                }
                out.push(']');
            }
            Self::Text(text) => quote(text, out),
            Self::Number(token) => out.push_str(&number::canonical(token)),
            Self::Literal(word) => out.push_str(word),
        }
    }

    /// Appends the canonical form with one member or item a line, and text line by line. For readers: text of several lines
    /// is not JSON any more.
    pub(super) fn write_lines(&self, depth: usize, out: &mut String) {
        match self {
            Self::Object(members) if !members.is_empty() => {
                out.push('{');
                for (index, (key, value)) in members.iter().enumerate() {
                    comma(index, out);
                    new_line(depth + 1, out);
                    quote(key, out);
                    out.push_str(": ");
                    value.write_lines(depth + 1, out);
                }
                new_line(depth, out);
                out.push('}');
            }
            Self::Array(items) if !items.is_empty() => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    comma(index, out);
                    new_line(depth + 1, out);
                    item.write_lines(depth + 1, out);
                }
                new_line(depth, out);
                out.push(']');
            }
            Self::Text(text) => quote_lines(text, depth, out),
            Self::Object(_) | Self::Array(_) | Self::Number(_) | Self::Literal(_) => {
                self.write(out);
            }
        }
    }
}

/// RFC 8785 section 3.2.3: by UTF-16 code units, which in ASCII are the bytes.
fn in_order(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        return one.cmp(other);
    }
    one.encode_utf16().cmp(other.encode_utf16())
}

fn comma(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn new_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

/// RFC 8785 section 3.2.2.2: the short escapes, `\u` in lower case for other controls, everything else raw.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    // Most text needs no escape. Looks at every byte without stopping early: that way it takes many at a time.
    let is_plain = |byte: u8| byte >= b' ' && byte != b'"' && byte != b'\\';
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        out.push_str(text);
    } else {
        escape(text, out);
    }
    out.push('"');
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{9}' => out.push_str("\\t"),
            '\u{a}' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\u{d}' => out.push_str("\\r"),
            '\0'..='\u{1f}' => {
                out.push_str("\\u00");
                let code = u32::from(c);
                out.extend(
                    [code >> 4, code & 0xf].map(|digit| char::from_digit(digit, 16).unwrap_or('0')),
                );
            }
            _ => out.push(c),
        }
    }
}

/// Every line of `text` between quotes of its own, one below the other.
fn quote_lines(text: &str, depth: usize, out: &mut String) {
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if index > 0 {
            new_line(depth + 1, out);
        }
        quote(line, out);
    }
    if text.is_empty() {
        quote(text, out);
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Tree<'a>, JsonFault> {
        if depth > DEPTH {
            return Err(JsonFault::TooDeep { offset: self.at });
        }
        self.skip_space();
        let (bytes, start) = (self.text.as_bytes(), self.at);
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Tree::Text),
            Some(b'-' | b'0'..=b'9') => {
                self.at = token::number(bytes, start)?;
                Ok(Tree::Number(self.since(start)))
            }
            _ => {
                self.at = token::literal(bytes, start)?;
                Ok(Tree::Literal(self.since(start)))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Tree<'a>, JsonFault> {
        let mut members = Vec::new();
        self.at += 1;
        if !self.takes(b'}') {
            loop {
                self.skip_space();
                let key = self.string()?;
                if !self.takes(b':') {
                    return Err(self.unexpected());
                }
                members.push((key, self.value(depth + 1)?));
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        members.sort_by(|(one, _), (other, _)| in_order(one, other));
        let is_double = |pair: &[(Cow<'_, str>, Tree<'_>)]| matches!(pair, [(one, _), (other, _)] if one == other);
        if members.windows(2).any(is_double) {
            return Err(JsonFault::DuplicateKey { offset: self.at });
        }
        Ok(Tree::Object(members))
    }

    fn array(&mut self, depth: usize) -> Result<Tree<'a>, JsonFault> {
        let mut items = Vec::new();
        self.at += 1;
        if !self.takes(b']') {
            loop {
                items.push(self.value(depth + 1)?);
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        Ok(Tree::Array(items))
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonFault> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        self.at = token::string(self.text.as_bytes(), start + 1)?.end + 1;
        spelling::unquote(self.since(start)).ok_or(JsonFault::Unexpected { offset: start })
    }

    /// After a value of a bracket: whether another follows.
    fn goes_on(&mut self, close: u8) -> Result<bool, JsonFault> {
        if self.takes(b',') {
            return Ok(true);
        }
        if self.takes(close) {
            return Ok(false);
        }
        Err(self.unexpected())
    }

    fn takes(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn unexpected(&self) -> JsonFault {
        JsonFault::Unexpected { offset: self.at }
    }
}

/// How many brackets may stand inside each other: as many as in a message.
const DEPTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::Tree;

    fn canonical(text: &str) -> String {
        let mut out = String::new();
        Tree::read(text).unwrap().write(&mut out);
        out
    }

    #[test]
    fn s11_the_example_of_rfc_8785_section_3_2_is_written_as_it_says() {
        let text = "{\n  \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n  \"literals\": [null, true, false]\n}";
        assert_eq!(
            canonical(text),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        );
    }

    #[test]
    fn s11_keys_are_sorted_by_utf_16_code_units() {
        let text = "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}";
        assert_eq!(
            canonical(text),
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\u{fb33}\":3}"
        );
    }

    #[test]
    fn what_is_no_strict_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\":1 \"b\":2}",
            "{\"a\":1,\"\\u0061\":2}",
            "01",
            "nul",
            "\"\\ud800\"",
            "{} {}",
            "{a:1}",
            "{\"a\"}",
            "[1 2]",
            "1e999",
        ] {
            assert!(Tree::read(text).is_err(), "{text}");
        }
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tree::read(&nested(64)).is_ok());
        assert!(Tree::read(&nested(65)).is_err());
    }

    #[test]
    fn lines_show_one_member_each_and_mean_the_same() {
        let text = r#"{"b":[1,{"c":[]}],"a":{}}"#;
        let mut out = String::new();
        Tree::read(text).unwrap().write_lines(0, &mut out);
        assert_eq!(
            out,
            "{\n  \"a\": {},\n  \"b\": [\n    1,\n    {\n      \"c\": []\n    }\n  ]\n}"
        );
        assert_eq!(canonical(&out), canonical(text));
        let mut out = String::new();
        Tree::read(r#"{"a":"b\nc\\n\n","d":""}"#)
            .unwrap()
            .write_lines(0, &mut out);
        assert_eq!(
            out,
            "{\n  \"a\": \"b\\n\"\n    \"c\\\\n\\n\",\n  \"d\": \"\"\n}"
        );
    }

    proptest::proptest! {
        #[test]
        fn s11_a_canonical_form_is_its_own(value in values()) {
            let text = value.to_string();
            let once = canonical(&text);
            proptest::prop_assert_eq!(canonical(&once), once.clone());
            let back: serde_json::Value = serde_json::from_str(&once).unwrap();
            proptest::prop_assert_eq!(back, value);
        }
    }

    fn values() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;
        use serde_json::{Value, json};
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".*", inner, 0..6).prop_map(|map| json!(map)),
            ]
        })
    }
}
