//! What one message of a client asks for. Never holds a result or an argument value.

use std::ops::Range;

use super::ascii;
use super::asks::Capability;
use super::listing::Listings;
use super::method::Method;
use super::version::{Era, Revision};
use crate::model::Reason;

/// The headers that mirror the body, each at most once: whoever fills this in has refused duplicates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mirrored<'a> {
    /// `MCP-Protocol-Version`.
    pub protocol_version: Option<&'a [u8]>,
    /// `Mcp-Method`.
    pub method: Option<&'a [u8]>,
    /// `Mcp-Name`.
    pub name: Option<&'a [u8]>,
}

/// The id of a request: an integer or a string (MCP forbids null), kept as ASCII-only JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Box<str>);

impl RequestId {
    /// Takes a scanned JSON token: an integer of 64 bits, or a string of at most 256 bytes as written.
    pub(crate) fn from_token(token: &str) -> Option<Self> {
        let is_short_string = token.starts_with('"') && token.len() <= LONGEST_ID + 2;
        if !is_short_string && token.parse::<i64>().is_err() {
            return None;
        }
        let ascii = String::from_utf8(ascii::encode(token)).ok()?;
        Some(Self(ascii.into_boxed_str()))
    }

    /// The JSON text, with quotes when it is a string. ASCII, one line.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Is `other` the same id? `1` and `"1"` are not; `"a"` and `"\u0061"` are.
    pub fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0 || self.value() == other.value()
    }

    /// The value, of whatever spelling: a number in decimal, or a string behind one quotation mark. Two ids are the same
    /// exactly when their values are. Some parsers keep the sign of `-0` and some do not: here it is 0.
    pub fn value(&self) -> Box<str> {
        if let Ok(number) = self.0.parse::<i64>() {
            return number.to_string().into();
        }
        let unescaped = serde_json::from_str::<String>(&self.0);
        unescaped.map_or_else(|_| self.0.clone(), |text| format!("\"{text}").into())
    }

    /// Does this JSON token, as somebody wrote it, stand for the same value?
    pub fn is_written(&self, token: &str) -> bool {
        Self::from_token(token).is_some_and(|other| self.is_same(&other))
    }
}

/// What a request wants to reach: the words of the body, byte for byte after unescaping.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// Nothing in particular.
    None,
    /// A tool, by name.
    Tool(Box<str>),
    /// A prompt, by name.
    Prompt(Box<str>),
    /// A resource or a resource template, by URI.
    Resource(Box<str>),
    /// Resources to be told about, by URI; may be empty.
    Resources(Vec<Box<str>>),
    /// A task, by id.
    Task(Box<str>),
}

impl Target {
    /// The resources to be told about.
    pub fn resources(&self) -> &[Box<str>] {
        match self {
            Self::Resources(uris) => uris,
            Self::None | Self::Tool(_) | Self::Prompt(_) | Self::Resource(_) | Self::Task(_) => &[],
        }
    }

    /// The tool, if it is one.
    pub fn tool(&self) -> Option<&str> {
        match self {
            Self::Tool(name) => Some(name),
            Self::None
            | Self::Prompt(_)
            | Self::Resource(_)
            | Self::Resources(_)
            | Self::Task(_) => None,
        }
    }
}

/// A request that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub id: RequestId,
    /// What it asks.
    pub method: Method,
    /// The method as it was sent: at most 128 bytes, no control characters.
    pub method_name: Box<str>,
    /// What it wants to reach.
    pub target: Target,
    /// The tasks it wants to be told about, by id.
    pub tasks: Vec<Box<str>>,
    /// The lists whose changes it wants to be told about.
    pub lists: Listings,
    /// The byte range of `params.arguments` in the body, when it is an object.
    pub arguments: Option<Range<usize>>,
    /// The byte range of `params._meta` in the body.
    pub meta: Option<Range<usize>>,
    /// What `_meta["gatewright/prompt"]` refers to: visible ASCII, at most 128 bytes. Only asserted.
    pub prompt: Option<Box<str>>,
    /// The name the client gives itself, cut to 1028 bytes. Only asserted.
    pub client_name: Option<Box<str>>,
    /// The trace id of `_meta.traceparent`, 32 lower-case hexadecimal digits (W3C Trace Context section 3.2.2).
    pub trace_id: Option<Box<str>>,
    /// What it wants progress to be reported under (`_meta.progressToken`).
    pub progress_token: Option<RequestId>,
    /// What the client can do for the server (`_meta`, 2026-07-28).
    pub capabilities: Vec<Capability>,
}

/// A message that a client may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A request: the server answers it.
    Request(Call),
    /// A notification: nobody answers it.
    Notification {
        /// What it says.
        method: Method,
        /// The method as it was sent: at most 128 bytes, no control characters.
        method_name: Box<str>,
        /// The request that `notifications/cancelled` is about, if it names one.
        cancels: Option<RequestId>,
    },
    /// The answer to a request of the server; legacy only.
    Response {
        /// The id of that request.
        id: RequestId,
    },
}

/// A body that was read and that agrees with its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The message.
    pub message: Message,
    /// How it was read.
    pub era: Era,
    /// The revision it claims; a legacy request that names none is taken for 2025-03-26.
    pub revision: Revision,
}

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refused {
    /// What the client is told.
    pub reason: Reason,
    /// The id of the request, when it could be read.
    pub id: Option<RequestId>,
    /// The version the client asked for, when that is why; visible ASCII, at most 64 bytes.
    pub requested: Option<Box<str>>,
    /// The cause in fixed words, for the operator's log.
    pub detail: &'static str,
}

const LONGEST_ID: usize = 256;

#[cfg(test)]
mod tests {
    use super::RequestId;

    #[test]
    fn integers_and_short_strings_are_ids() {
        for token in [
            "0",
            "-1",
            "9223372036854775807",
            "\"\"",
            "\"a b\"",
            "\"\\u0031\"",
        ] {
            assert!(RequestId::from_token(token).is_some(), "{token}");
        }
        let longest = format!("\"{}\"", "x".repeat(256));
        assert!(RequestId::from_token(&longest).is_some());
    }

    #[test]
    fn other_values_are_no_ids() {
        for token in [
            "null",
            "true",
            "1.5",
            "1e3",
            "1.0",
            "{}",
            "[]",
            "-9223372036854775809",
        ] {
            assert!(RequestId::from_token(token).is_none(), "{token}");
        }
        let too_long = format!("\"{}\"", "x".repeat(257));
        assert!(RequestId::from_token(&too_long).is_none());
    }

    #[test]
    fn ids_are_the_same_by_value_and_type() {
        let id = |token| RequestId::from_token(token).unwrap();
        assert!(id("\"a\"").is_same(&id("\"\\u0061\"")));
        assert!(id("\"é\"").is_same(&id("\"\\u00e9\"")));
        assert!(!id("1").is_same(&id("\"1\"")));
        assert!(!id("1").is_same(&id("2")));
        assert!(id("-0").is_same(&id("0")));
        assert!(!id("\"-0\"").is_same(&id("\"0\"")));
        assert_eq!(id("\"é\"").as_json(), "\"\\u00e9\"");
    }
}
