//! Compares the headers that mirror the body with the body (MCP 2026-07-28, transports). Never trusts them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The value without the optional white space around it (RFC 9110 section 5.5).
pub(super) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// Does the value of `Mcp-Name` say `expected`? The base64 form is undone exactly once.
pub(super) fn says(value: &[u8], expected: &str) -> bool {
    decoded(trimmed(value)).is_some_and(|name| name == expected.as_bytes())
}

/// Can the value of a header that repeats an argument be read at all: visible ASCII, or base64 of UTF-8?
/// (MCP 2026-07-28, transports, value encoding.)
pub fn is_readable(value: &[u8]) -> bool {
    decoded(trimmed(value)).is_some()
}

fn decoded(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let inside = value
        .strip_prefix(b"=?base64?")
        .and_then(|rest| rest.strip_suffix(b"?="));
    let Some(inside) = inside else {
        // Other characters must come as base64.
        let is_plain = value.iter().all(|byte| (0x20..=0x7e).contains(byte));
        return is_plain.then_some(Cow::Borrowed(value));
    };
    let bytes = STANDARD.decode(inside).ok()?;
    str::from_utf8(&bytes).ok()?;
    Some(Cow::Owned(bytes))
}

#[cfg(test)]
mod tests {
    use super::{is_readable, says};

    #[test]
    fn q28_a_value_is_readable_as_plain_ascii_or_as_good_base64() {
        for good in [
            &b"eu-west"[..],
            b"",
            b" a b ",
            b"=?base64?w6k=?=",
            b"=?BASE64?w6k?=",
        ] {
            assert!(is_readable(good), "{good:?}");
        }
        for bad in [
            &b"\xe9"[..],
            b"a\x01",
            b"=?base64?w6k?=",
            b"=?base64?!?=",
            b"=?base64?/w==?=",
        ] {
            assert!(!is_readable(bad), "{bad:?}");
        }
    }

    #[test]
    fn q20_a_plain_value_says_its_text_without_white_space_around_it() {
        assert!(says(b"get_weather", "get_weather"));
        assert!(says(b" \t get_weather\t ", "get_weather"));
        assert!(!says(b"Get_weather", "get_weather"));
    }

    #[test]
    fn q20_a_base64_value_says_its_text() {
        assert!(says("=?base64?w6k=?=".as_bytes(), "é"));
        assert!(says(b"=?base64?IGE=?=", " a"));
    }

    #[test]
    fn q20_base64_is_undone_only_once() {
        // The text inside is itself `=?base64?YQ==?=`.
        assert!(says(b"=?base64?PT9iYXNlNjQ/WVE9PT89?=", "=?base64?YQ==?="));
        assert!(!says(b"=?base64?PT9iYXNlNjQ/WVE9PT89?=", "a"));
    }

    #[test]
    fn q20_a_marker_in_other_case_is_plain_text() {
        assert!(says(b"=?BASE64?YQ==?=", "=?BASE64?YQ==?="));
        assert!(!says(b"=?BASE64?YQ==?=", "a"));
    }

    #[test]
    fn q20_bad_base64_says_nothing() {
        for value in [
            "=?base64?YQ?=",
            "=?base64?YQ=?=",
            "=?base64?YR==?=",
            "=?base64?Y Q==?=",
            "=?base64?/w==?=",
        ] {
            assert!(!says(value.as_bytes(), "a"), "{value}");
            assert!(!says(value.as_bytes(), value), "{value}");
        }
    }

    #[test]
    fn q20_raw_bytes_beyond_ascii_say_nothing() {
        assert!(!says("é".as_bytes(), "é"));
        assert!(!says(b"a\x01b", "a\u{1}b"));
    }
}
