//! A record as one line of ASCII-only JSON, with a gap where its number goes. Never more than one line, whatever the
//! record says.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::error::AuditError;
use super::event::Event;

/// The bytes of one record before the ledger has numbered it.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Vec<u8>,
    before: usize,
}

impl Line {
    /// Encodes `event`. Its `seq` must be 0.
    pub(super) fn of(event: &Event<'_>) -> Result<Self, AuditError> {
        let mut bytes = Vec::with_capacity(USUAL);
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Ascii);
        event
            .serialize(&mut serializer)
            .map_err(|source| AuditError::Encode { source })?;
        bytes.push(b'\n');
        // Within a string the quotes would be escaped, and no object stands before the number: the first is the one.
        let Some(at) = memchr::memmem::find(&bytes, SEQ) else {
            return Err(AuditError::Encode {
                source: serde::ser::Error::custom("the record has no number"),
            });
        };
        let before = at.saturating_add(SEQ.len()).saturating_sub(PLACE.len());
        Ok(Self { bytes, before })
    }

    /// How many bytes it takes at most, once numbered.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_add(DIGITS)
    }

    /// Appends the line to `out` as number `seq`.
    pub(super) fn write(&self, seq: u64, out: &mut Vec<u8>) {
        let (before, after) = self
            .bytes
            .split_at_checked(self.before)
            .unwrap_or((&self.bytes, &[]));
        out.extend_from_slice(before);
        // Writing to memory cannot fail.
        let _ = io::Write::write_fmt(out, format_args!("{seq}"));
        out.extend_from_slice(after.strip_prefix(PLACE).unwrap_or(after));
    }
}

/// Escapes whatever is not printable ASCII, so that no reader, terminal or log shipper sees a second line or a command.
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                writer.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

const SEQ: &[u8] = br#","seq":0"#;
const PLACE: &[u8] = b"0";
const DIGITS: usize = 20;
const USUAL: usize = 2048;

#[cfg(test)]
mod tests {
    use super::Ascii;

    fn encode(text: &str) -> String {
        let mut out = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, Ascii);
        serde::Serialize::serialize(text, &mut serializer).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whatever_is_not_printable_ascii_is_escaped() {
        assert_eq!(encode("plain ~"), r#""plain ~""#);
        assert_eq!(encode("é\u{2028}\u{7f}"), r#""\u00e9\u2028\u007f""#);
        assert_eq!(encode("\u{1f600}"), r#""\ud83d\ude00""#);
        assert_eq!(
            encode("a\r\n\u{1b}[2J\"\\\0"),
            r#""a\r\n\u001b[2J\"\\\u0000""#
        );
    }

    #[test]
    fn the_escaped_text_reads_as_the_same_text() {
        let text = "\u{0}\u{1f}\u{7f}\u{80}\u{85}\u{2029}\u{feff}\u{10ffff}\"\\/";
        assert_eq!(serde_json::from_str::<String>(&encode(text)).unwrap(), text);
    }
}
