//! What a record keeps of the arguments of a call: a digest, a length, and the values that the configuration lists by
//! name. Has no place for any other value.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::text::{Text, hexadecimal};
use crate::model::Digest;

/// What is kept of the arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Arguments {
    /// Their keyed digest, HMAC-SHA-256: without the key nobody can try values.
    #[serde(serialize_with = "hexadecimal")]
    pub digest: Digest,
    /// The form of them that was digested.
    pub canonical: Canonical,
    /// Their length in bytes, as they came.
    pub bytes: usize,
    /// The values that are listed by name.
    #[serde(skip_serializing_if = "Fields::is_empty")]
    pub fields: Fields,
}

/// A form of arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Canonical {
    /// That of RFC 8785: equal arguments have equal digests, however they are spelled.
    Jcs,
    /// As they came.
    None,
}

/// Values by their JSON pointers (RFC 6901), in the order of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<(Box<str>, Field)>);

impl Fields {
    /// None at all?
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (pointer, value) in &self.0 {
            map.serialize_entry(&Text::from(&**pointer), value)?;
        }
        map.end()
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// A string, or a number that is none of 64 bits, as it is written.
    Text(Box<str>),
    /// A whole number.
    Integer(i64),
    /// `true` or `false`.
    Flag(bool),
    /// `null`.
    Null,
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => Text::from(&**text).serialize(serializer),
            Self::Integer(number) => serializer.serialize_i64(*number),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Null => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Canonical, Field, Fields};
    use crate::audit::json;
    use crate::model::Digest;

    fn written(fields: Vec<(Box<str>, Field)>) -> String {
        let arguments = Arguments {
            digest: Digest::from_bytes([7; 32]),
            canonical: Canonical::Jcs,
            bytes: 9,
            fields: Fields(fields),
        };
        let mut out = Vec::new();
        json::write(&arguments, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a02_a_value_that_looks_like_a_record_stays_a_string() {
        let forged = "1\"},\"kind\":\"checkpoint\"}\n{\"seq\":1";
        let line = written(vec![("/a\"b".into(), Field::Text(forged.into()))]);
        assert!(!line.contains('\n'), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["fields"]["/a\"b"], forged);
        assert_eq!(read.as_object().unwrap().len(), 4, "{line}");
    }

    #[test]
    fn a_long_value_is_cut_with_a_mark_and_others_keep_their_type() {
        let line = written(vec![
            ("/long".into(), Field::Text("x".repeat(300).into())),
            ("/n".into(), Field::Integer(-7)),
            ("/f".into(), Field::Flag(true)),
            ("/o".into(), Field::Null),
        ]);
        let fields = &serde_json::from_str::<serde_json::Value>(&line).unwrap()["fields"];
        let long = fields["/long"].as_str().unwrap();
        assert!(long.len() < 280 && long.ends_with("(cut)"), "{long}");
        let others = (&fields["/n"], &fields["/f"], &fields["/o"]);
        assert_eq!(others, (&(-7).into(), &true.into(), &().into()));
        assert!(!written(Vec::new()).contains("fields"));
    }
}
