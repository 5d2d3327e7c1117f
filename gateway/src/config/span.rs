//! From bytes of a text to a place that people can look at. Judges nothing.

use std::ops::Range;

use super::tree::{At, Text};

/// Where these bytes of `text` stand, line and column from 1. Of several lines the first is meant.
pub(crate) fn at_bytes(text: &str, range: &Range<usize>) -> At {
    let start = floor(text, range.start);
    let (before, after) = text.split_at_checked(start).unwrap_or((text, ""));
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let length = floor(after, range.end.saturating_sub(start));
    let meant = after.get(..length).unwrap_or_default();
    At {
        line: before.matches('\n').count() + 1,
        column: before
            .get(line_start..)
            .map_or(0, |lead| lead.chars().count())
            + 1,
        width: meant
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            .max(1),
    }
}

/// Where these bytes of a value stand in the lines of its file; nothing when the file spells the value another way, with
/// escapes or folded lines.
pub(crate) fn within(lines: &[&str], text: &Text, range: &Range<usize>) -> Option<At> {
    let inner = at_bytes(&text.value, range);
    let above = inner.line - 1;
    let whole = text.value.lines().nth(above)?;
    // The mark of a block stands on the line above the block.
    [above, above + 1].into_iter().find_map(|below| {
        let line = text.at.line + below;
        let source = lines.get(line - 1)?;
        let skipped = if below == 0 { text.at.column - 1 } else { 0 };
        let tail = source
            .char_indices()
            .nth(skipped)
            .map_or("", |(at, _)| source.get(at..).unwrap_or_default());
        let (lead, _) = tail.split_once(whole)?;
        Some(At {
            line,
            column: skipped + lead.chars().count() + inner.column,
            width: inner.width,
        })
    })
}

/// The nearest border of a character, at or before `byte`.
fn floor(text: &str, byte: usize) -> usize {
    let byte = byte.min(text.len());
    (0..=byte)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{At, Text, at_bytes, within};

    fn at(line: usize, column: usize, width: usize) -> At {
        At {
            line,
            column,
            width,
        }
    }

    #[test]
    fn bytes_become_lines_and_columns_of_characters() {
        assert_eq!(at_bytes("ab\ncöde", &(3..8)), at(2, 1, 4));
        assert_eq!(at_bytes("ab\ncöde", &(6..7)), at(2, 3, 1));
        assert_eq!(at_bytes("ab", &(2..2)), at(1, 3, 1));
        assert_eq!(at_bytes("", &(9..12)), at(1, 1, 1));
        assert_eq!(at_bytes("ab\ncd", &(1..5)), at(1, 2, 1));
    }

    #[test]
    fn a_value_is_found_as_the_file_spells_it() {
        let text = |value: &str, column| Text {
            value: value.to_owned(),
            at: at(1, column, 0),
        };
        let plain = ["a: b == c"];
        assert_eq!(
            within(&plain, &text("b == c", 4), &(0..1)),
            Some(at(1, 4, 1))
        );
        let quoted = ["- { a: \"b == c\" }"];
        assert_eq!(
            within(&quoted, &text("b == c", 8), &(5..6)),
            Some(at(1, 14, 1))
        );
        let block = ["a: |", "  b ==", "  c"];
        assert_eq!(
            within(&block, &text("b ==\nc\n", 4), &(5..6)),
            Some(at(3, 3, 1))
        );
        let escaped = ["a: \"b == \\\"c\\\"\""];
        assert_eq!(within(&escaped, &text("b == \"c\"", 4), &(0..1)), None);
    }
}
