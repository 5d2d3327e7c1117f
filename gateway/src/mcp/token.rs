//! The tokens of JSON: strings, numbers, literals (RFC 8259 sections 3, 6, 7). Never copies what it reads.

use super::jsonrpc::JsonFault;

/// Where a string ends and whether it holds an escape.
#[derive(Debug, Clone, Copy)]
pub(super) struct StringToken {
    /// The offset of the closing quote.
    pub(super) end: usize,
    /// Has at least one backslash?
    pub(super) is_escaped: bool,
}

/// Reads a string whose first byte after the opening quote is at `start`.
pub(super) fn string(bytes: &[u8], start: usize) -> Result<StringToken, JsonFault> {
    let mut at = start;
    let mut is_escaped = false;
    loop {
        at = end_of_plain(bytes, at);
        match bytes.get(at) {
            Some(b'"') => {
                return Ok(StringToken {
                    end: at,
                    is_escaped,
                });
            }
            Some(b'\\') => at = escape(bytes, at)?,
            _ => return Err(JsonFault::Unexpected { offset: at }),
        }
        is_escaped = true;
    }
}

/// Reads a number that starts at `start` and returns where it ends.
pub(super) fn number(bytes: &[u8], start: usize) -> Result<usize, JsonFault> {
    let mut at = match bytes.get(start) {
        Some(b'-') => start + 1,
        _ => start,
    };
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    let mut has_exponent = false;
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        has_exponent = true;
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits(bytes, at + 1 + usize::from(signed))?;
    }
    if (has_exponent || at - start > SURELY_FINITE) && !is_finite(bytes.get(start..at)) {
        return Err(JsonFault::NumberNotFinite { offset: start });
    }
    Ok(at)
}

/// Reads `true`, `false` or `null` and returns where it ends.
pub(super) fn literal(bytes: &[u8], start: usize) -> Result<usize, JsonFault> {
    let rest = bytes.get(start..).unwrap_or_default();
    ["true", "null", "false"]
        .into_iter()
        .find(|word| rest.starts_with(word.as_bytes()))
        .map(|word| start + word.len())
        .ok_or(JsonFault::Unexpected { offset: start })
}

/// Where the run of bytes that need no attention inside a string ends: eight bytes at a time.
fn end_of_plain(bytes: &[u8], start: usize) -> usize {
    let mut rest = bytes.get(start..).unwrap_or_default();
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let hit = specials(u64::from_le_bytes(*word));
        if hit != 0 {
            return bytes.len() - rest.len() + (hit.trailing_zeros() >> 3) as usize;
        }
        rest = after;
    }
    let plain = rest
        .iter()
        .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20))
        .count();
    bytes.len() - rest.len() + plain
}

/// The high bit of every byte that is a quote, a backslash or a control character. A borrow may set
/// further bits, but only above the lowest true one, and only the lowest is used.
const fn specials(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    let zero_in_quote = quote.wrapping_sub(ONES) & !quote;
    let zero_in_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero_in_quote | zero_in_backslash | control) & (ONES * 0x80)
}

fn escape(bytes: &[u8], at: usize) -> Result<usize, JsonFault> {
    match bytes.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => unicode_escape(bytes, at),
        _ => Err(JsonFault::Unexpected { offset: at }),
    }
}

fn unicode_escape(bytes: &[u8], at: usize) -> Result<usize, JsonFault> {
    let unit = hex4(bytes, at + 2).ok_or(JsonFault::Unexpected { offset: at })?;
    match unit {
        0xd800..0xdc00 => {
            let low = (bytes.get(at + 6..at + 8) == Some(b"\\u".as_slice()))
                .then(|| hex4(bytes, at + 8))
                .flatten();
            match low {
                Some(0xdc00..0xe000) => Ok(at + 12),
                _ => Err(JsonFault::LoneSurrogate { offset: at }),
            }
        }
        0xdc00..0xe000 => Err(JsonFault::LoneSurrogate { offset: at }),
        _ => Ok(at + 6),
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |unit, byte| {
        Some(unit << 4 | char::from(*byte).to_digit(16)?)
    })
}

fn digits(bytes: &[u8], start: usize) -> Result<usize, JsonFault> {
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
        0 => Err(JsonFault::Unexpected { offset: start }),
        count => Ok(start + count),
    }
}

fn is_finite(number: Option<&[u8]>) -> bool {
    number
        .and_then(|bytes| str::from_utf8(bytes).ok())
        .and_then(|text| text.parse::<f64>().ok())
        .is_some_and(f64::is_finite)
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// So few digits without an exponent stay below the largest double, 1.8e308.
const SURELY_FINITE: usize = 300;
