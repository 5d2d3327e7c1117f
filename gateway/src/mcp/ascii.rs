//! Writes JSON that was scanned as ASCII on one line. Never changes what it means.
//!
//! Clients split event streams at U+2028, U+0085 and their like, so none of them may stay raw.

/// Appends the strict JSON `text` to `out`.
pub(super) fn write(text: &str, out: &mut Vec<u8>) {
    out.reserve(text.len());
    if text.as_bytes().chunks(64).all(is_printable) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    for c in text.chars() {
        match c {
            // Raw, these stand only between tokens: RFC 8259 section 7 wants them escaped in strings.
            '\n' | '\r' | '\t' => {}
            ' '..='~' => out.extend(u8::try_from(c)),
            _ => write_escape(c, out),
        }
    }
}

/// The strict JSON `text` as ASCII on one line.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write(text, &mut out);
    out
}

// No early return inside a chunk, so that the compiler can compare many bytes at once.
fn is_printable(chunk: &[u8]) -> bool {
    chunk
        .iter()
        .fold(true, |all, byte| all & (0x20..=0x7e).contains(byte))
}

fn write_escape(c: char, out: &mut Vec<u8>) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        out.extend_from_slice(b"\\u");
        for shift in [12, 8, 4, 0] {
            let digit = char::from_digit(u32::from(*unit >> shift & 0xf), 16);
            out.extend(digit.and_then(|digit| u8::try_from(digit).ok()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn everything_above_ascii_is_escaped_and_means_the_same() {
        let text = "{\"a\" :\n\t\"\u{2028}\u{85}é😀\u{7f}\\n\" ,\r\n \"b\": [1, 2]}";
        let written = encode(text);
        assert!(written.iter().all(|byte| (0x20..=0x7e).contains(byte)));
        let before: serde_json::Value = serde_json::from_str(text).unwrap();
        let after: serde_json::Value = serde_json::from_slice(&written).unwrap();
        assert_eq!(before, after);
    }

    #[test]
    fn plain_ascii_is_kept_byte_for_byte() {
        assert_eq!(
            encode(r#"{"n": 1.0e+2, "s":"\u00e9"}"#),
            br#"{"n": 1.0e+2, "s":"\u00e9"}"#
        );
    }
}
