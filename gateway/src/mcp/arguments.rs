//! The arguments of a call, read once: their canonical form and single values in them. Never says what may be kept.

use super::canonical::Tree;
use super::number;

/// Arguments that were read.
#[derive(Debug)]
pub struct Arguments<'a>(Tree<'a>);

/// One value that holds no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// A string, unescaped.
    Text(&'a str),
    /// A number in its canonical spelling (RFC 8785 section 3.2.2.3).
    Number(String),
    /// `true` or `false`.
    Flag(bool),
    /// `null`.
    Null,
}

impl<'a> Arguments<'a> {
    /// Reads `text`, one strict JSON value; nothing when it is none or nested too deeply.
    pub fn read(text: &'a str) -> Option<Self> {
        Tree::read(text).ok().map(Self)
    }

    /// The form that all their spellings share (RFC 8785).
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.0.write(&mut out);
        out
    }

    /// The value at `pointer`, when there is one and it holds no others.
    pub fn scalar(&self, pointer: &Pointer) -> Option<Scalar<'_>> {
        let mut at = &self.0;
        for step in &pointer.0 {
            at = match at {
                Tree::Object(members) => {
                    let mut members = members.iter();
                    let found = members.find(|(key, _)| key.as_ref() == &**step);
                    found.map(|(_, value)| value)
                }
                Tree::Array(items) => index(step).and_then(|index| items.get(index)),
                Tree::Text(_) | Tree::Number(_) | Tree::Literal(_) => None,
            }?;
        }
        match at {
            Tree::Text(text) => Some(Scalar::Text(text)),
            Tree::Number(token) => Some(Scalar::Number(number::canonical(token))),
            Tree::Literal("null") => Some(Scalar::Null),
            Tree::Literal(word) => Some(Scalar::Flag(*word == "true")),
            Tree::Object(_) | Tree::Array(_) => None,
        }
    }
}

/// RFC 6901 section 4: digits without a zero before them.
fn index(step: &str) -> Option<usize> {
    let is_plain = step == "0" || !step.starts_with('0');
    let is_number = step.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && is_number).then(|| step.parse().ok())?
}

/// A JSON pointer (RFC 6901) to a value inside another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Vec<Box<str>>);

impl Pointer {
    /// Reads `/a/b`; the empty pointer, which is everything, is none here.
    pub fn parse(text: &str) -> Option<Self> {
        let steps = text.strip_prefix('/')?;
        steps
            .split('/')
            .map(unescaped)
            .collect::<Option<_>>()
            .map(Self)
    }
}

/// RFC 6901 section 3: `~1` is a slash, `~0` a tilde, and nothing else starts with one.
fn unescaped(step: &str) -> Option<Box<str>> {
    let mut pieces = step.split('~');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (sign, rest) = piece
            .strip_prefix('0')
            .map(|rest| ('~', rest))
            .or_else(|| piece.strip_prefix('1').map(|rest| ('/', rest)))?;
        out.push(sign);
        out.push_str(rest);
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Pointer, Scalar};

    fn at(text: &str, pointer: &str) -> Option<String> {
        let arguments = Arguments::read(text).unwrap();
        let scalar = arguments.scalar(&Pointer::parse(pointer).unwrap())?;
        Some(match scalar {
            Scalar::Text(text) => text.to_owned(),
            Scalar::Number(token) => token,
            Scalar::Flag(flag) => flag.to_string(),
            Scalar::Null => "null".to_owned(),
        })
    }

    #[test]
    fn a_pointer_leads_to_one_scalar_or_to_nothing() {
        let text =
            r#"{"a":{"b~c/d":[1.0,"x"],"":true},"n":null,"e":"\u0061","o":{"secret":1},"l":[1]}"#;
        for (pointer, value) in [
            ("/a/b~0c~1d/0", "1"),
            ("/a/b~0c~1d/1", "x"),
            ("/a/", "true"),
            ("/n", "null"),
            ("/e", "a"),
        ] {
            assert_eq!(at(text, pointer).as_deref(), Some(value), "{pointer}");
        }
        for nothing in ["/o", "/l", "/a", "/l/00", "/l/1", "/l/-", "/e/0", "/z"] {
            assert_eq!(at(text, nothing), None, "{nothing}");
        }
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["", "a", "a/b", "/~", "/~2", "/a~"] {
            assert_eq!(Pointer::parse(text), None, "{text}");
        }
    }
}
