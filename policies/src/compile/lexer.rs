//! Cuts the text of a condition or a policy into words, texts and symbols, as Cedar does. Understands none of them.

use std::ops::Range;

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) bytes: Range<usize>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Word,
    /// A string literal, with its quotes.
    Text,
    /// Digits.
    Number,
    /// An operator, a bracket, or anything else.
    Symbol,
}

/// A text and its pieces.
#[derive(Debug, Clone)]
pub(crate) struct Lexed<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: Vec<Token>,
}

impl<'t> Lexed<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(rest) = text.get(at..) {
            let Some(first) = rest.chars().next() else {
                break;
            };
            let (kind, length) = piece(first, rest);
            if let Some(kind) = kind {
                tokens.push(Token {
                    kind,
                    bytes: at..at + length,
                });
            }
            at += length;
        }
        Self { text, tokens }
    }

    /// The text of a piece; empty past the end.
    pub(crate) fn word(&self, index: usize) -> &'t str {
        self.tokens
            .get(index)
            .and_then(|token| self.text.get(token.bytes.clone()))
            .unwrap_or_default()
    }

    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        self.tokens.get(index).map(|token| token.kind)
    }

    /// The bytes from the first to before the last of these pieces.
    pub(crate) fn bytes(&self, tokens: Range<usize>) -> Range<usize> {
        let start = self
            .tokens
            .get(tokens.start)
            .map_or(self.text.len(), |token| token.bytes.start);
        let last = tokens
            .end
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        let end = last.map_or(start, |token| token.bytes.end);
        start..end.max(start)
    }
}

/// What starts here and how many bytes it has; no kind for blanks and comments.
fn piece(first: char, rest: &str) -> (Option<Kind>, usize) {
    if first.is_whitespace() {
        return (None, first.len_utf8());
    }
    if rest.starts_with("//") {
        return (None, rest.find(['\n', '\r']).unwrap_or(rest.len()));
    }
    if first == '"' {
        return (Some(Kind::Text), literal(rest));
    }
    if first.is_ascii_digit() {
        return (Some(Kind::Number), run(rest, |c| c.is_ascii_digit()));
    }
    if first.is_ascii_alphabetic() || first == '_' {
        let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_');
        return (Some(Kind::Word), length);
    }
    let pair = PAIRS.iter().find(|pair| rest.starts_with(**pair));
    (
        Some(Kind::Symbol),
        pair.map_or(first.len_utf8(), |pair| pair.len()),
    )
}

fn literal(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

fn run(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

const PAIRS: [&str; 7] = ["==", "!=", "<=", ">=", "&&", "||", "::"];

#[cfg(test)]
mod tests {
    use super::Lexed;

    fn words(text: &str) -> Vec<&str> {
        let lexed = Lexed::new(text);
        (0..lexed.tokens.len())
            .map(|index| lexed.word(index))
            .collect()
    }

    #[test]
    fn comments_and_blanks_are_no_pieces() {
        assert_eq!(words("a // \"b\n && c==1"), ["a", "&&", "c", "==", "1"]);
    }

    #[test]
    fn a_text_ends_at_its_own_quote() {
        assert_eq!(words(r#""a\"// b" c"#), [r#""a\"// b""#, "c"]);
        assert_eq!(words(r#""open"#), [r#""open"#]);
    }

    #[test]
    fn every_character_is_in_some_piece() {
        assert_eq!(words("a.é[0]"), ["a", ".", "é", "[", "0", "]"]);
    }
}
