//! Puts other words into a text and remembers what stood where. Knows nothing of what the words mean.

use std::ops::Range;

use super::uses::Use;

/// A text with other words in it, and the way back.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rewritten {
    pub(crate) text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone)]
struct Piece {
    now: Range<usize>,
    before: Range<usize>,
}

impl Rewritten {
    /// The bytes `part` of `text`, each use in it replaced by what `name` says of its number.
    pub(crate) fn new(
        text: &str,
        part: Range<usize>,
        uses: &[Use],
        name: impl Fn(usize) -> String,
    ) -> Self {
        let mut rewritten = Self::default();
        let mut at = part.start;
        for (number, found) in uses.iter().enumerate() {
            if found.bytes.start < at || found.bytes.end > part.end {
                continue;
            }
            rewritten.copy(text, at..found.bytes.start);
            rewritten.put(&name(number), found.bytes.clone());
            at = found.bytes.end;
        }
        rewritten.copy(text, at..part.end);
        rewritten
    }

    /// Puts words around it that nobody wrote.
    pub(crate) fn within(self, head: &str, tail: &str) -> Self {
        let shift = |range: Range<usize>| range.start + head.len()..range.end + head.len();
        let pieces = self.pieces.into_iter().map(|piece| Piece {
            now: shift(piece.now),
            before: piece.before,
        });
        Self {
            pieces: pieces.collect(),
            text: format!("{head}{}{tail}", self.text),
        }
    }

    /// Where in the text before these bytes come from.
    pub(crate) fn origin(&self, bytes: &Range<usize>) -> Range<usize> {
        let start = self.place(bytes.start, |piece| piece.before.start);
        let end = self.place(bytes.end, |piece| piece.before.end);
        start..end.max(start)
    }

    fn place(&self, at: usize, side: impl Fn(&Piece) -> usize) -> usize {
        let inside = self
            .pieces
            .iter()
            .find(|piece| piece.now.start <= at && at <= piece.now.end);
        match inside {
            Some(piece) if piece.now.len() == piece.before.len() => {
                piece.before.start + (at - piece.now.start)
            }
            Some(piece) => side(piece),
            None => {
                let last = self.pieces.last().map_or(0, |piece| piece.before.end);
                let first = self.pieces.first().map_or(0, |piece| piece.before.start);
                let before = self
                    .pieces
                    .first()
                    .is_some_and(|piece| at < piece.now.start);
                if before { first } else { last }
            }
        }
    }

    fn copy(&mut self, text: &str, part: Range<usize>) {
        if let Some(words) = text.get(part.clone()).filter(|words| !words.is_empty()) {
            let words = words.to_owned();
            self.put(&words, part);
        }
    }

    fn put(&mut self, words: &str, before: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(words);
        self.pieces.push(Piece {
            now: start..self.text.len(),
            before,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::Rewritten;
    use crate::compile::lexer::Lexed;
    use crate::compile::uses;

    #[test]
    fn a_place_after_a_replaced_word_leads_back() {
        let text = "context.args.amount > limit";
        let found = uses::find(&Lexed::new(text)).unwrap();
        let now = Rewritten::new(text, 0..text.len(), &found.all, |_| "x".to_owned());
        assert_eq!(now.text, "x > limit");
        assert_eq!(now.origin(&(4..9)), 22..27);
        assert_eq!(now.origin(&(0..1)), 0..19);
        let around = now.within("when { ", " }");
        assert_eq!(around.origin(&(11..16)), 22..27);
        assert_eq!(around.origin(&(0..2)), 0..0);
    }
}
