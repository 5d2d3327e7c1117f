//! The one pass over a JSON text: grammar, depth, keys. Never recurses, so no input can exhaust the stack.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use super::document::{Document, Member};
use super::jsonrpc::JsonFault;
use super::spelling::unquote;
use super::token;

/// What a text may hold and what is remembered of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many brackets may stand inside each other.
    pub depth: usize,
    /// How many object keys in all.
    pub keys: usize,
    /// At which depth the elements of arrays are indexed, if at all.
    pub elements_at: Option<usize>,
}

impl Limits {
    /// For what a server sends: a list of a thousand tools has many more keys than a request needs.
    pub const ANSWER: Self = Self {
        depth: 64,
        keys: 200_000,
        elements_at: Some(3),
    };
}

/// Scans `bytes` as one JSON value with only white space around it.
///
/// Refused are: anything outside RFC 8259, a byte order mark, duplicate keys at any depth, lone
/// surrogates, numbers that no double holds, more levels and more keys than the limits.
pub fn scan(bytes: &[u8], limits: Limits) -> Result<Document<'_>, JsonFault> {
    let text = str::from_utf8(bytes).map_err(|error| JsonFault::NotUtf8 {
        offset: error.valid_up_to(),
    })?;
    Scanner::new(text, limits).run()
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
    open: Vec<Bracket<'a>>,
    keys: Vec<Cow<'a, str>>,
    keys_in_all: usize,
    members: Vec<Member<'a>>,
    elements: Vec<Range<usize>>,
}

/// An object or array that is not closed yet.
struct Bracket<'a> {
    shape: Shape,
    start: usize,
    first_key: usize,
    many_keys: Option<HashSet<Cow<'a, str>>>,
    current: Current,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Object,
    Array,
}

/// Whose value is being read inside a bracket.
#[derive(Clone, Copy)]
enum Current {
    Unindexed,
    Member(usize),
    Element(usize),
}

enum Next {
    Value,
    Follow,
    End,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str, limits: Limits) -> Self {
        Self {
            text,
            at: 0,
            limits,
            open: Vec::with_capacity(8),
            keys: Vec::with_capacity(16),
            keys_in_all: 0,
            members: Vec::with_capacity(16),
            elements: Vec::new(),
        }
    }

    fn run(mut self) -> Result<Document<'a>, JsonFault> {
        self.skip_space();
        let start = self.at;
        let mut next = Next::Value;
        loop {
            next = match next {
                Next::Value => self.value()?,
                Next::Follow => self.follow()?,
                Next::End => break,
            };
        }
        let end = self.at;
        self.skip_space();
        if self.at != self.text.len() {
            return Err(self.unexpected());
        }
        let Self {
            text,
            members,
            elements,
            ..
        } = self;
        Ok(Document {
            text,
            root: start..end,
            members,
            elements,
        })
    }

    fn value(&mut self) -> Result<Next, JsonFault> {
        let bytes = self.text.as_bytes();
        match self.peek() {
            Some(b'"') => self.at = token::string(bytes, self.at + 1)?.end + 1,
            Some(b'-' | b'0'..=b'9') => self.at = token::number(bytes, self.at)?,
            Some(b'{') => return self.open_object(),
            Some(b'[') => return self.open_array(),
            _ => self.at = token::literal(bytes, self.at)?,
        }
        Ok(Next::Follow)
    }

    fn open_object(&mut self) -> Result<Next, JsonFault> {
        self.open(Shape::Object)?;
        if self.peek() == Some(b'}') {
            self.close();
            return Ok(Next::Follow);
        }
        self.key()
    }

    fn open_array(&mut self) -> Result<Next, JsonFault> {
        self.open(Shape::Array)?;
        if self.peek() == Some(b']') {
            self.close();
            return Ok(Next::Follow);
        }
        self.element();
        Ok(Next::Value)
    }

    fn open(&mut self, shape: Shape) -> Result<(), JsonFault> {
        if self.open.len() >= self.limits.depth {
            return Err(JsonFault::TooDeep { offset: self.at });
        }
        self.open.push(Bracket {
            shape,
            start: self.at,
            first_key: self.keys.len(),
            many_keys: None,
            current: Current::Unindexed,
        });
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    fn close(&mut self) {
        self.at += 1;
        if let Some(bracket) = self.open.pop() {
            self.keys.truncate(bracket.first_key);
        }
    }

    /// After a value: what the bracket around it allows next.
    fn follow(&mut self) -> Result<Next, JsonFault> {
        let Some(bracket) = self.open.last() else {
            return Ok(Next::End);
        };
        let shape = bracket.shape;
        self.end_value(bracket.current);
        self.skip_space();
        match (shape, self.peek()) {
            (Shape::Object, Some(b',')) => {
                self.skip_comma();
                self.key()
            }
            (Shape::Array, Some(b',')) => {
                self.skip_comma();
                self.element();
                Ok(Next::Value)
            }
            (Shape::Object, Some(b'}')) | (Shape::Array, Some(b']')) => {
                self.close();
                Ok(Next::Follow)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn end_value(&mut self, current: Current) {
        match current {
            Current::Unindexed => {}
            Current::Element(start) => self.elements.push(start..self.at),
            Current::Member(index) => {
                if let Some(member) = self.members.get_mut(index) {
                    member.value.end = self.at;
                }
            }
        }
    }

    fn element(&mut self) {
        if self.limits.elements_at == Some(self.open.len())
            && let Some(bracket) = self.open.last_mut()
        {
            bracket.current = Current::Element(self.at);
        }
    }

    /// Reads a key and its colon; the value is next.
    fn key(&mut self) -> Result<Next, JsonFault> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected());
        }
        let string = token::string(self.text.as_bytes(), start + 1)?;
        let key = if string.is_escaped {
            self.text.get(start..=string.end).and_then(unquote)
        } else {
            self.text.get(start + 1..string.end).map(Cow::Borrowed)
        };
        let key = key.ok_or(JsonFault::Unexpected { offset: start })?;
        self.at = string.end + 1;
        let is_indexed = self.open.len() <= INDEXED_DEPTH;
        let kept = is_indexed.then(|| key.clone());
        self.remember(key)?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected());
        }
        self.at += 1;
        self.skip_space();
        if let Some(key) = kept {
            self.index(key);
        }
        Ok(Next::Value)
    }

    fn index(&mut self, key: Cow<'a, str>) {
        if let Some(bracket) = self.open.last_mut() {
            bracket.current = Current::Member(self.members.len());
            let value = self.at..self.at;
            self.members.push(Member {
                key,
                value,
                object: bracket.start,
            });
        }
    }

    /// Few keys are compared one by one; many go through a set, so that the work stays linear.
    fn remember(&mut self, key: Cow<'a, str>) -> Result<(), JsonFault> {
        self.keys_in_all += 1;
        if self.keys_in_all > self.limits.keys {
            return Err(JsonFault::TooManyKeys {
                limit: self.limits.keys,
            });
        }
        let Some(bracket) = self.open.last_mut() else {
            return Err(JsonFault::Unexpected { offset: self.at });
        };
        let known = self.keys.get(bracket.first_key..).unwrap_or_default();
        let is_new = if known.len() < FEW_KEYS {
            let is_new = !known.contains(&key);
            self.keys.push(key);
            is_new
        } else {
            let set = bracket
                .many_keys
                .get_or_insert_with(|| known.iter().cloned().collect());
            set.insert(key)
        };
        if is_new {
            Ok(())
        } else {
            Err(JsonFault::DuplicateKey { offset: self.at })
        }
    }

    fn skip_comma(&mut self) {
        self.at += 1;
        self.skip_space();
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn unexpected(&self) -> JsonFault {
        JsonFault::Unexpected { offset: self.at }
    }
}

/// Down to this depth members are indexed: message, params, `_meta`, `clientInfo`.
const INDEXED_DEPTH: usize = 4;

const FEW_KEYS: usize = 16;
