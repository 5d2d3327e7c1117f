//! How long and how nested a condition may be. Cedar recurses over it; what is within these bounds fits any stack.

use std::ops::Range;

use super::Blame;
use super::lexer::{Kind, Lexed};

/// Refuses a text that is too long, too deep, or whose brackets do not close.
pub(crate) fn check(lexed: &Lexed<'_>, most_bytes: usize) -> Result<(), Blame> {
    if lexed.text.len() > most_bytes {
        return Err(Blame::new(
            most_bytes..lexed.text.len(),
            format!("longer than {most_bytes} bytes"),
            "split it into several rules",
        ));
    }
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0;
    for (index, token) in lexed.tokens.iter().enumerate() {
        let word = lexed.word(index);
        let here = || token.bytes.clone();
        match word {
            "(" | "[" | "{" => {
                open.push((closing(word), depth));
                depth += 1;
            }
            ")" | "]" | "}" => match open.pop() {
                Some((expected, before)) if expected == word => depth = before + 1,
                _ => return Err(unbalanced(here(), word)),
            },
            "," | ";" => depth = open.last().map_or(0, |(_, before)| before + 1),
            _ if deepens(token.kind, word) => depth += 1,
            _ => {}
        }
        if open.len() > DEEPEST || depth > LONGEST {
            return Err(Blame::new(
                here(),
                format!("nested deeper than {DEEPEST} brackets or {LONGEST} operators"),
                "split it into several rules",
            ));
        }
    }
    match open.pop() {
        Some((expected, _)) => Err(unbalanced(lexed.text.len()..lexed.text.len(), expected)),
        None => Ok(()),
    }
}

const fn closing(open: &str) -> &'static str {
    match open.as_bytes() {
        b"(" => ")",
        b"[" => "]",
        _ => "}",
    }
}

fn deepens(kind: Kind, word: &str) -> bool {
    match kind {
        Kind::Symbol => true,
        Kind::Word => ["if", "then", "else", "in", "has", "like", "is"].contains(&word),
        Kind::Text | Kind::Number => false,
    }
}

fn unbalanced(bytes: Range<usize>, bracket: &str) -> Blame {
    Blame::new(
        bytes,
        format!("`{bracket}` does not match what was opened"),
        "every bracket that opens must close, in order",
    )
}

/// Brackets in brackets.
const DEEPEST: usize = 64;
/// Operators in a row, and around it.
pub(crate) const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::{LONGEST, check};
    use crate::compile::lexer::Lexed;

    fn passes(text: &str) -> bool {
        check(&Lexed::new(text), 4096).is_ok()
    }

    #[test]
    fn sixty_four_brackets_are_the_most() {
        let nested = |depth| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(passes(&nested(64)));
        assert!(!passes(&nested(65)));
    }

    #[test]
    fn a_long_chain_is_refused_and_a_long_list_is_not() {
        assert!(!passes(&format!("1{}", "+1".repeat(LONGEST + 1))));
        assert!(!passes(&"!".repeat(LONGEST + 1)));
        assert!(passes(&format!("[1{}]", ",1".repeat(1000))));
    }

    #[test]
    fn brackets_close_in_order() {
        for text in ["(", ")", "(]", "} when {", "{[}]"] {
            assert!(!passes(text), "{text}");
        }
        assert!(passes("{[()]}"));
    }

    #[test]
    fn a_text_over_the_limit_is_refused() {
        assert!(!passes(&"a".repeat(4097)));
    }
}
