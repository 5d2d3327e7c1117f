//! Text of servers on a terminal: nothing in it steers, hides or reorders; and two texts line by line.

/// `text` with everything in it spelled out that a reader would not see, or not where it stands.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_unseen(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Characters that take no room, or change the direction or the shape of others (Unicode general categories Cf, Zl and Zp,
/// fillers, variation selectors, tags, private use).
fn is_unseen(c: char) -> bool {
    UNSEEN.iter().any(|(from, to)| (*from..=*to).contains(&c))
}

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// In both.
    Same(String),
    /// In the first alone.
    Gone(String),
    /// In the second alone.
    New(String),
    /// Lines that are the same in both are left out here.
    Left,
}

/// What turns `old` into `new`, with some lines around each place.
pub(super) fn compare(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    let head = common(old.iter(), new.iter());
    let (old_rest, new_rest) = (tail(&old, head), tail(&new, head));
    let foot = common(old_rest.iter().rev(), new_rest.iter().rev());
    let middle = |all: &[&str]| {
        let kept = all.len().saturating_sub(foot);
        all.iter()
            .take(kept)
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    let mut lines = same(&old, 0, head);
    lines.extend(changed(&middle(old_rest), &middle(new_rest)));
    lines.extend(same(&old, old.len().saturating_sub(foot), foot));
    shortened(lines)
}

fn common<'a>(
    one: impl Iterator<Item = &'a &'a str>,
    other: impl Iterator<Item = &'a &'a str>,
) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .count()
}

fn tail<'l, 'a>(all: &'l [&'a str], from: usize) -> &'l [&'a str] {
    all.get(from..).unwrap_or_default()
}

fn same(all: &[&str], from: usize, count: usize) -> Vec<Line> {
    let picked = all.iter().skip(from).take(count);
    picked.map(|line| Line::Same((*line).to_owned())).collect()
}

/// The longest common part stays (dynamic programming from the end); texts that are too large for that are shown whole.
fn changed(old: &[String], new: &[String]) -> Vec<Line> {
    let width = new.len() + 1;
    let cells = (old.len() + 1).saturating_mul(width);
    if cells > CELLS {
        let gone = old.iter().cloned().map(Line::Gone);
        return gone.chain(new.iter().cloned().map(Line::New)).collect();
    }
    let mut longest = vec![0_u32; cells];
    let at = |longest: &[u32], i: usize, j: usize| longest.get(i * width + j).copied().unwrap_or(0);
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            let value = if one == other {
                at(&longest, i + 1, j + 1) + 1
            } else {
                at(&longest, i + 1, j).max(at(&longest, i, j + 1))
            };
            if let Some(cell) = longest.get_mut(i * width + j) {
                *cell = value;
            }
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(Line::Same(one.clone()));
                (i, j) = (i + 1, j + 1);
            }
            (Some(one), other)
                if other.is_none() || at(&longest, i + 1, j) >= at(&longest, i, j + 1) =>
            {
                lines.push(Line::Gone(one.clone()));
                i += 1;
            }
            (_, Some(other)) => {
                lines.push(Line::New(other.clone()));
                j += 1;
            }
            (_, None) => return lines,
        }
    }
}

/// Keeps [`AROUND`] lines around each place that changed.
fn shortened(lines: Vec<Line>) -> Vec<Line> {
    let is_same = |line: &Line| matches!(line, Line::Same(_));
    let places: Vec<usize> = lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !is_same(line))
        .map(|(at, _)| at)
        .collect();
    let mut kept = Vec::new();
    for (at, line) in lines.into_iter().enumerate() {
        let next = places.partition_point(|place| *place < at);
        let before = next.checked_sub(1).and_then(|index| places.get(index));
        let is_near = before.is_some_and(|place| at - place <= AROUND)
            || places.get(next).is_some_and(|place| place - at <= AROUND);
        if is_near {
            kept.push(line);
        } else if kept.last() != Some(&Line::Left) {
            kept.push(Line::Left);
        }
    }
    kept
}

/// Lines that are shown around a place that changed.
const AROUND: usize = 3;
/// How large the table of a comparison may be.
const CELLS: usize = 4_000_000;
const UNSEEN: [(char, char); 25] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{13430}', '\u{1345f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{10ffff}'),
];

#[cfg(test)]
mod tests {
    use super::{Line, compare, visible};

    fn shown(old: &str, new: &str) -> Vec<String> {
        let line = |line: Line| match line {
            Line::Same(text) => format!(" {text}"),
            Line::Gone(text) => format!("-{text}"),
            Line::New(text) => format!("+{text}"),
            Line::Left => "…".to_owned(),
        };
        compare(old, new).into_iter().map(line).collect()
    }

    #[test]
    fn s11_text_that_would_write_to_the_terminal_is_spelled_out() {
        assert_eq!(
            visible("a\u{1b}[2J\r\u{9b}\u{7f}b"),
            r"a\u{1b}[2J\u{d}\u{9b}\u{7f}b"
        );
        assert_eq!(
            visible("\u{202e}\u{200b}\u{e0041}\u{2028}"),
            r"\u{202e}\u{200b}\u{e0041}\u{2028}"
        );
        assert_eq!(visible("größer € 😀 日本"), "größer € 😀 日本");
    }

    #[test]
    fn a_comparison_keeps_what_is_common() {
        assert_eq!(shown("a\nb\nc", "a\nx\nc"), [" a", "-b", "+x", " c"]);
        assert_eq!(shown("a\nb", "a\nb\nc"), [" a", " b", "+c"]);
        assert_eq!(shown("", "a"), ["+a"]);
        assert_eq!(shown("a", ""), ["-a"]);
        assert_eq!(
            shown("a\nb\nc\nd", "b\nx\nd\ne"),
            ["-a", " b", "-c", "+x", " d", "+e"]
        );
        assert!(shown("a\nb", "a\nb").iter().all(|line| line == "…"));
    }

    #[test]
    fn lines_far_from_a_change_are_left_out() {
        let old: Vec<_> = (0..20).map(|line| line.to_string()).collect();
        let new = old.join("\n").replace("10", "ten");
        let expected = [
            "…", " 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13", "…",
        ];
        assert_eq!(shown(&old.join("\n"), &new), expected);
    }

    #[test]
    fn texts_that_are_too_large_to_compare_are_shown_whole() {
        let lines = |word: &str| {
            let all: Vec<_> = (0..3000).map(|line| format!("{word}{line}")).collect();
            all.join("\n")
        };
        assert_eq!(shown(&lines("a"), &lines("b")).len(), 6000);
    }
}
