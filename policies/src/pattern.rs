//! Patterns of names and URIs. Always anchored, always case-sensitive, never normalising what they match.

use crate::error::FaultKind;
use crate::question::Access;

mod cover;
#[cfg(test)]
mod tests;

pub(crate) use cover::covers;

/// A pattern, parsed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// No wildcard: equality of bytes.
    Exact,
    /// At least one wildcard.
    Glob(Glob),
}

/// A pattern with a wildcard: a literal prefix, then the rest from the first wildcard on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glob {
    prefix: Box<str>,
    rest: Vec<Element>,
    /// Bit i is set when element i may stand for nothing at all.
    runs: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Literal(char),
    /// One character.
    One,
    /// One character that is no slash.
    OneInSegment,
    /// Any characters.
    Run,
    /// Any characters that are no slash.
    RunInSegment,
}

impl Pattern {
    /// Reads `text` as a pattern for names of this kind.
    pub(crate) fn parse(access: Access, text: &str) -> Result<Self, FaultKind> {
        if text.is_empty() {
            return Err(FaultKind::EmptyPattern);
        }
        if let Some(found) = text
            .chars()
            .find(|found| REFUSED.contains(found) || found.is_control())
        {
            return Err(FaultKind::BadGlob {
                message: format!(
                    "`{}` cannot stand in a pattern: `*` and `?` are the only wildcards",
                    found.escape_debug()
                ),
            });
        }
        let Some((prefix, rest)) = text
            .find(WILDCARDS)
            .and_then(|at| text.split_at_checked(at))
        else {
            return Ok(Self::Exact);
        };
        let rest = if text == EVERYTHING {
            // A star alone means every name, slashes or not: so everybody reads it.
            vec![Element::Run]
        } else {
            elements(access, rest)
        };
        if rest.len() > MAX_ELEMENTS {
            return Err(FaultKind::BadGlob {
                message: format!(
                    "more than {MAX_ELEMENTS} characters from the first wildcard on: shorten the pattern"
                ),
            });
        }
        let runs = rest.iter().rev().fold(0, |runs, element| {
            (runs << 1) | u128::from(element.is_run())
        });
        Ok(Self::Glob(Glob {
            prefix: prefix.into(),
            rest,
            runs,
        }))
    }
}

impl Glob {
    /// What every matching name starts with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether the pattern matches `prefix` + `tail`. Linear in `tail`, without recursion or allocation.
    pub(crate) fn matches_after_prefix(&self, tail: &str) -> bool {
        // Bit i of `states` is set when the first i elements can stand for what was read so far.
        let mut states = self.skip_runs(1);
        for character in tail.chars() {
            states = self.skip_runs(self.read(states, character));
            if states == 0 {
                return false;
            }
        }
        states >> self.rest.len() & 1 == 1
    }

    fn read(&self, states: u128, character: char) -> u128 {
        let mut left = states;
        let mut next = 0;
        while left != 0 {
            let bit = left & left.wrapping_neg();
            left ^= bit;
            let element = usize::try_from(bit.trailing_zeros())
                .ok()
                .and_then(|at| self.rest.get(at));
            next |= element.map_or(0, |element| element.read(bit, character));
        }
        next
    }

    /// Two runs never stand side by side, so one step is enough.
    fn skip_runs(&self, states: u128) -> u128 {
        states | (states & self.runs) << 1
    }
}

impl Element {
    fn is_run(self) -> bool {
        matches!(self, Self::Run | Self::RunInSegment)
    }

    /// The state after `character`, from the state `bit` in front of this element; 0 when it does not fit.
    fn read(self, bit: u128, character: char) -> u128 {
        match self {
            Self::Literal(literal) if literal == character => bit << 1,
            Self::One => bit << 1,
            Self::OneInSegment if character != SEPARATOR => bit << 1,
            Self::Run => bit,
            Self::RunInSegment if character != SEPARATOR => bit,
            Self::Literal(_) | Self::OneInSegment | Self::RunInSegment => 0,
        }
    }
}

/// Whether a glob may match this name at all. What fails here needs a row that spells it out.
pub(crate) fn is_plain(access: Access, name: &str) -> bool {
    match access {
        Access::Tool => {
            (1..=MAX_TOOL_NAME).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
        }
        Access::Prompt => is_short_text(name),
        // Servers resolve these on their own, and then serve something else than what was matched.
        Access::Resource => {
            is_short_text(name)
                && !name.contains(['%', '\\'])
                && !has_user(name)
                && !name
                    .split(['/', '?', '#'])
                    .any(|segment| matches!(segment, "." | ".."))
        }
    }
}

/// Does a URI name a user in front of its host (RFC 3986 section 3.2.1)? Readers differ in which of the two is the host.
fn has_user(uri: &str) -> bool {
    let authority = uri
        .split_once("//")
        .and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.is_some_and(|authority| authority.contains('@'))
}

fn is_short_text(name: &str) -> bool {
    (1..=MAX_TEXT).contains(&name.len()) && !name.chars().any(char::is_control)
}

fn elements(access: Access, text: &str) -> Vec<Element> {
    let by_segment = access == Access::Resource;
    let mut elements = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        elements.push(match character {
            '*' => {
                let mut stars = 1;
                while characters.next_if_eq(&'*').is_some() {
                    stars += 1;
                }
                if by_segment && stars == 1 {
                    Element::RunInSegment
                } else {
                    Element::Run
                }
            }
            '?' if by_segment => Element::OneInSegment,
            '?' => Element::One,
            literal => Element::Literal(literal),
        });
    }
    elements
}

/// The pattern that matches every name.
const EVERYTHING: &str = "*";
const WILDCARDS: [char; 2] = ['*', '?'];
/// Special in other pattern languages: refused, so that nobody takes them for special here.
const REFUSED: [char; 5] = ['[', ']', '{', '}', '\\'];
const SEPARATOR: char = '/';
/// One bit of 128 for each, and one for the end.
const MAX_ELEMENTS: usize = 127;
/// The longest tool name of MCP 2025-11-25 (server/tools, tool names).
const MAX_TOOL_NAME: usize = 128;
/// Bytes of a prompt name or URI. Keeps the cost of one match small.
const MAX_TEXT: usize = 4096;
