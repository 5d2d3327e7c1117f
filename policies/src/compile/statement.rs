//! Cuts a file of Cedar policies into policies, and each into annotations, scope and conditions. Checks no types.

use std::ops::Range;

use super::lexer::{Kind, Lexed};
use super::{Blame, Polarity};

/// The pieces of one policy of a file.
pub(crate) fn statements(lexed: &Lexed<'_>) -> Vec<Range<usize>> {
    let mut depth = 0_usize;
    let mut start = 0;
    let mut found = Vec::new();
    for at in 0..lexed.tokens.len() {
        match lexed.word(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => {
                found.push(start..at + 1);
                start = at + 1;
            }
            _ => {}
        }
    }
    if start < lexed.tokens.len() {
        found.push(start..lexed.tokens.len());
    }
    found
}

/// What one policy is made of, as pieces of its text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Anatomy {
    pub(crate) annotations: Vec<Annotation>,
    /// What the scope demands, then the conditions.
    pub(crate) parts: Vec<(Polarity, Range<usize>)>,
    /// How many of them are the scope's.
    pub(crate) scope: usize,
}

/// `@name("value")`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Annotation {
    pub(crate) name: String,
    pub(crate) value: String,
    /// All of it.
    pub(crate) bytes: Range<usize>,
}

/// Takes a policy apart. Cedar's parser says whether it is one: what makes no sense is left out here.
pub(crate) fn anatomy(lexed: &Lexed<'_>) -> Result<Anatomy, Blame> {
    let mut anatomy = Anatomy::default();
    let mut at = 0;
    while lexed.word(at) == "@" {
        let (annotation, after) = annotation(lexed, at)?;
        anatomy.annotations.push(annotation);
        at = after;
    }
    at += 1;
    let end = closing(lexed, at);
    let scope = at + 1..end;
    anatomy
        .parts
        .extend(demands(lexed, scope).map(|part| (Polarity::When, part)));
    anatomy.scope = anatomy.parts.len();
    at = end + 1;
    loop {
        let polarity = match lexed.word(at) {
            "when" => Polarity::When,
            "unless" => Polarity::Unless,
            _ => return Ok(anatomy),
        };
        let end = closing(lexed, at + 1);
        anatomy.parts.push((polarity, at + 2..end));
        at = end + 1;
    }
}

/// The parts of the scope that say more than the name of a variable.
fn demands(lexed: &Lexed<'_>, scope: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut start = scope.start;
    for at in scope.clone() {
        match lexed.word(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            "," if depth == 0 => {
                parts.push(start..at);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(start..scope.end.max(start));
    parts.into_iter().filter(|part| part.len() > 1)
}

fn annotation(lexed: &Lexed<'_>, at: usize) -> Result<(Annotation, usize), Blame> {
    let name = lexed.word(at + 1).to_owned();
    if lexed.word(at + 2) != "(" {
        let annotation = Annotation {
            name,
            value: String::new(),
            bytes: lexed.bytes(at..at + 2),
        };
        return Ok((annotation, at + 2));
    }
    let inner = lexed
        .word(at + 3)
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let is_whole = lexed.kind(at + 3) == Some(Kind::Text) && lexed.word(at + 4) == ")";
    match inner {
        Some(inner) if is_whole && !inner.contains(['\\', '"']) => Ok((
            Annotation {
                name,
                value: inner.to_owned(),
                bytes: lexed.bytes(at..at + 5),
            },
            at + 5,
        )),
        _ => Err(Blame::new(
            lexed.bytes(at..at + 5),
            format!("`@{name}` cannot be read"),
            "write @name(\"value\"), without escapes",
        )),
    }
}

/// The piece that closes the bracket at `open`; the end when none does.
fn closing(lexed: &Lexed<'_>, open: usize) -> usize {
    let mut depth = 0_usize;
    for at in open..lexed.tokens.len() {
        match lexed.word(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    lexed.tokens.len()
}
