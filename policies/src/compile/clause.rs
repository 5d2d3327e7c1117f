//! Takes a condition apart at its `&&`, `||` and `!( )`. What it cannot take apart stays whole.

use std::ops::Range;

use super::Draft;
use super::lexer::{Kind, Lexed};
use crate::program::{Clause, Leaf, Reads, Shape};

impl Draft<'_> {
    /// The parts of the pieces `tokens`.
    pub(crate) fn clause(&self, tokens: Range<usize>) -> Clause {
        let tokens = without_brackets(&self.lexed, tokens);
        let bytes = self.lexed.bytes(tokens.clone());
        let (shape, reads) = match split(&self.lexed, &tokens) {
            Split::Any(parts) => self.parts(parts, Shape::Any),
            Split::All(parts) => self.parts(parts, Shape::All),
            Split::Not(inner) => {
                let inner = self.clause(inner);
                let reads = inner.reads;
                (Shape::Not(Box::new(inner)), reads)
            }
            Split::Leaf => {
                let text = self.part(bytes.clone());
                (Shape::Leaf(Leaf::new(text.text)), self.reads(&bytes))
            }
        };
        Clause {
            shape,
            bytes,
            reads,
        }
    }

    fn parts(&self, parts: Vec<Range<usize>>, shape: fn(Vec<Clause>) -> Shape) -> (Shape, Reads) {
        let parts: Vec<_> = parts.into_iter().map(|part| self.clause(part)).collect();
        let reads = union(&parts);
        (shape(parts), reads)
    }

    fn reads(&self, bytes: &Range<usize>) -> Reads {
        let within = |at: &usize| bytes.contains(at);
        let arguments =
            self.uses.all.iter().any(|found| {
                found.root == crate::slot::Root::Arguments && within(&found.bytes.start)
            });
        Reads {
            arguments: arguments || self.uses.bulk.iter().any(within),
            hours: self.uses.hours.iter().any(within),
        }
    }
}

pub(crate) fn union(parts: &[Clause]) -> Reads {
    parts
        .iter()
        .fold(Reads::default(), |reads, part| reads.and(part.reads))
}

enum Split {
    Any(Vec<Range<usize>>),
    All(Vec<Range<usize>>),
    Not(Range<usize>),
    Leaf,
}

fn split(lexed: &Lexed<'_>, tokens: &Range<usize>) -> Split {
    let outer = outer(lexed, tokens);
    let has_branch = outer
        .iter()
        .any(|at| lexed.kind(*at) == Some(Kind::Word) && lexed.word(*at) == "if");
    if has_branch {
        return Split::Leaf;
    }
    let at = |word: &str| -> Vec<usize> {
        let found = outer.iter().copied();
        found.filter(|at| lexed.word(*at) == word).collect()
    };
    let (ors, ands) = (at("||"), at("&&"));
    if !ors.is_empty() {
        return Split::Any(between(tokens, &ors));
    }
    if !ands.is_empty() {
        return Split::All(between(tokens, &ands));
    }
    let is_not =
        lexed.word(tokens.start) == "!" && is_bracketed(lexed, &(tokens.start + 1..tokens.end));
    if is_not {
        return Split::Not(tokens.start + 1..tokens.end);
    }
    Split::Leaf
}

/// The pieces that stand in no bracket of this range.
fn outer(lexed: &Lexed<'_>, tokens: &Range<usize>) -> Vec<usize> {
    let mut depth = 0_usize;
    let mut found = Vec::new();
    for at in tokens.clone() {
        match lexed.word(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ if depth == 0 => found.push(at),
            _ => {}
        }
    }
    found
}

fn between(tokens: &Range<usize>, cuts: &[usize]) -> Vec<Range<usize>> {
    let mut parts = Vec::with_capacity(cuts.len() + 1);
    let mut start = tokens.start;
    for cut in cuts {
        parts.push(start..*cut);
        start = cut + 1;
    }
    parts.push(start..tokens.end);
    parts
}

/// Whether the range is one pair of round brackets and what is in it.
fn is_bracketed(lexed: &Lexed<'_>, tokens: &Range<usize>) -> bool {
    lexed.word(tokens.start) == "("
        && tokens.len() > 2
        && outer(lexed, tokens).is_empty()
        && closes_last(lexed, tokens)
}

fn closes_last(lexed: &Lexed<'_>, tokens: &Range<usize>) -> bool {
    let mut depth = 0_usize;
    for at in tokens.clone() {
        match lexed.word(at) {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1 == tokens.end;
        }
    }
    false
}

fn without_brackets(lexed: &Lexed<'_>, mut tokens: Range<usize>) -> Range<usize> {
    while is_bracketed(lexed, &tokens) {
        tokens = tokens.start + 1..tokens.end - 1;
    }
    tokens
}
