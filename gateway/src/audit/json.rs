//! Records as JSON: ASCII only, on one line, whatever they say. A serializer of our own, because records are most of
//! what the gateway computes for a request: names of members are written as they are, plain text in one piece.

use std::fmt::{self, Display, Write as _};
use std::io::Write as _;

use serde::Serialize;
use serde::ser::{self, Impossible};
use thiserror::Error;

/// A record has a shape that records do not have: bytes, tuples.
#[derive(Debug, Error)]
#[error("cannot encode the audit record: {what}")]
pub struct EncodeError {
    what: String,
}

impl ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self {
            what: message.to_string(),
        }
    }
}

/// Appends `value` to `out`.
pub(super) fn write(value: &impl Serialize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    value.serialize(Writer(out))
}

struct Writer<'o>(&'o mut Vec<u8>);

/// An object or an array under way.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
    end: u8,
}

impl<'o> Members<'o> {
    fn begin(out: &'o mut Vec<u8>, [begin, end]: [u8; 2]) -> Self {
        out.push(begin);
        Self {
            out,
            is_first: true,
            end,
        }
    }

    fn next(&mut self) {
        if !self.is_first {
            self.out.push(b',');
        }
        self.is_first = false;
    }

    fn end(self) {
        self.out.push(self.end);
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: ?Sized + Serialize>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.next();
        // INVARIANT: members are named by us, in plain ASCII.
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), EncodeError> {
        self.end();
        Ok(())
    }
}

impl ser::SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.next();
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), EncodeError> {
        self.end();
        Ok(())
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.next();
        // INVARIANT: whoever has a map has texts for keys.
        key.serialize(Writer(self.out))
    }

    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.out.push(b':');
        value.serialize(Writer(self.out))
    }

    fn end(self) -> Result<(), EncodeError> {
        self.end();
        Ok(())
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {
        $(fn $method(self, value: $number) -> Result<(), EncodeError> {
            // Writing to memory cannot fail.
            let _ = write!(self.0, "{value}");
            Ok(())
        })*
    };
}

macro_rules! no_part_of_a_record {
    ($($method:ident($($argument:ty),*) -> $answer:ty),* $(,)?) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$answer, EncodeError> {
            Err(ser::Error::custom(stringify!($method)))
        })*
    };
}

type No = Impossible<(), EncodeError>;

impl<'o> ser::Serializer for Writer<'o> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Members<'o>;
    type SerializeStruct = Members<'o>;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = Members<'o>;
    type SerializeStructVariant = No;

    numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    numbers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);
    numbers!(serialize_bool: bool);

    no_part_of_a_record! {
        serialize_bytes(&[u8]) -> (),
        serialize_tuple(usize) -> No,
        serialize_tuple_struct(&'static str, usize) -> No,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No,
    }

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        self.serialize_f64(value.into())
    }

    /// With three decimals; what is no number is null.
    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        if !value.is_finite() {
            return self.serialize_none();
        }
        let _ = write!(self.0, "{value:.3}");
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        self.0.push(b'"');
        append(value, self.0);
        self.0.push(b'"');
        Ok(())
    }

    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), EncodeError> {
        self.0.push(b'"');
        let _ = write!(Inside(self.0), "{value}");
        self.0.push(b'"');
        Ok(())
    }

    fn serialize_none(self) -> Result<(), EncodeError> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.serialize_none()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: &T,
    ) -> Result<(), EncodeError> {
        Err(ser::Error::custom(variant))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'o>, EncodeError> {
        Ok(Members::begin(self.0, *b"[]"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'o>, EncodeError> {
        Ok(Members::begin(self.0, *b"{}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'o>, EncodeError> {
        Ok(Members::begin(self.0, *b"{}"))
    }
}

/// The inside of a string.
struct Inside<'o>(&'o mut Vec<u8>);

impl fmt::Write for Inside<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        append(text, self.0);
        Ok(())
    }
}

fn append(text: &str, out: &mut Vec<u8>) {
    // Looks at every byte without stopping early: that way it takes many at a time.
    if text.bytes().fold(true, |all, byte| all & is_plain(byte)) {
        out.extend_from_slice(text.as_bytes());
    } else {
        text.chars().for_each(|character| escape(character, out));
    }
}

const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte <= b'~' && byte != b'"' && byte != b'\\'
}

/// Whatever is not printable ASCII is escaped, so that no reader, terminal or log shipper sees a second line or a
/// command (RFC 8259 section 7).
fn escape(character: char, out: &mut Vec<u8>) {
    match character {
        '"' | '\\' => out.extend([b'\\', u8::try_from(character).unwrap_or_default()]),
        ' '..='~' => out.push(u8::try_from(character).unwrap_or_default()),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::write;

    fn encode(value: &impl Serialize) -> String {
        let mut out = Vec::new();
        write(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn whatever_is_not_printable_ascii_is_escaped() {
        assert_eq!(encode(&"plain ~"), r#""plain ~""#);
        assert_eq!(encode(&"é\u{2028}\u{7f}"), r#""\u00e9\u2028\u007f""#);
        assert_eq!(encode(&"\u{1f600}"), r#""\ud83d\ude00""#);
        assert_eq!(
            encode(&"a\r\n\t\u{1b}[2J\"\\\0"),
            r#""a\r\n\t\u001b[2J\"\\\u0000""#
        );
    }

    #[derive(Serialize)]
    struct Part {
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<u8>,
        number: i64,
        time: f64,
        texts: Vec<String>,
        kind: Kind,
        flag: Option<bool>,
    }

    #[derive(Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Outcome,
    }

    proptest! {
        #[test]
        fn a_part_reads_as_what_it_was(number: i64, texts: Vec<String>, flag: Option<bool>) {
            let part = Part { absent: None, number, time: 1.5, texts, kind: Kind::Outcome, flag };
            let line = encode(&part);
            assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read, serde_json::to_value(&part).unwrap());
        }
    }

    #[test]
    fn what_is_no_number_is_null_and_a_shape_of_no_record_is_an_error() {
        assert_eq!(encode(&f64::NAN), "null");
        assert_eq!(encode(&0.000_4), "0.000");
        assert!(write(&(1, 2), &mut Vec::new()).is_err());
    }
}
