//! Text from outside, on its way into a record. Never more than 256 characters of it, and always marked when cut.

use std::fmt::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::model::{Digest, RoleName, UnixTime};

/// Text that somebody else wrote. Longer than 256 characters, it is cut and ends in `…(cut)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(&'a str);

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(text)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cut(self.0) {
            None => f.write_str(self.0),
            Some(kept) => {
                f.write_str(kept)?;
                f.write_str(MARK)
            }
        }
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match cut(self.0) {
            None => serializer.serialize_str(self.0),
            Some(_) => serializer.collect_str(self),
        }
    }
}

/// Two texts as one, such as `crm/get_customer`; without a second, the first alone. Each is cut for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined<'a> {
    first: Text<'a>,
    between: char,
    second: Option<Text<'a>>,
}

impl<'a> Joined<'a> {
    /// What was done: `method`, or `method:name` for a method with a target.
    pub fn action(method: &'a str, name: Option<&'a str>) -> Self {
        Self {
            first: Text(method),
            between: ':',
            second: name.map(Text),
        }
    }

    /// What it was done to: `server`, or `server/name` for a method with a target.
    pub fn resource(server: &'a str, name: Option<&'a str>) -> Self {
        Self {
            first: Text(server),
            between: '/',
            second: name.map(Text),
        }
    }
}

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.first, f)?;
        let Some(second) = self.second else {
            return Ok(());
        };
        f.write_char(self.between)?;
        fmt::Display::fmt(&second, f)
    }
}

impl Serialize for Joined<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Several texts, borrowed as their owner holds them. Past 64 of them the rest is cut.
#[derive(Debug, Clone, Copy)]
pub enum Texts<'a> {
    /// Roles.
    Roles(&'a [RoleName]),
    /// Boxed texts.
    Boxed(&'a [Box<str>]),
    /// Owned texts.
    Owned(&'a [String]),
    /// Borrowed texts.
    Borrowed(&'a [&'a str]),
}

impl Texts<'_> {
    /// None at all?
    pub const fn is_empty(&self) -> bool {
        match self {
            Self::Roles(all) => all.is_empty(),
            Self::Boxed(all) => all.is_empty(),
            Self::Owned(all) => all.is_empty(),
            Self::Borrowed(all) => all.is_empty(),
        }
    }
}

impl Default for Texts<'_> {
    fn default() -> Self {
        Self::Borrowed(&[])
    }
}

impl<'a> From<&'a [RoleName]> for Texts<'a> {
    fn from(all: &'a [RoleName]) -> Self {
        Self::Roles(all)
    }
}

impl<'a> From<&'a [Box<str>]> for Texts<'a> {
    fn from(all: &'a [Box<str>]) -> Self {
        Self::Boxed(all)
    }
}

impl<'a> From<&'a [String]> for Texts<'a> {
    fn from(all: &'a [String]) -> Self {
        Self::Owned(all)
    }
}

impl<'a> From<&'a [&'a str]> for Texts<'a> {
    fn from(all: &'a [&'a str]) -> Self {
        Self::Borrowed(all)
    }
}

impl Serialize for Texts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Roles(all) => sequence(serializer, all.iter().map(RoleName::as_str)),
            Self::Boxed(all) => sequence(serializer, all.iter().map(AsRef::as_ref)),
            Self::Owned(all) => sequence(serializer, all.iter().map(String::as_str)),
            Self::Borrowed(all) => sequence(serializer, all.iter().copied()),
        }
    }
}

/// The id of a JSON-RPC request, given as its raw JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId<'a>(&'a str);

impl<'a> RequestId<'a> {
    /// From the JSON text as it stood in the request: `7` or `"seven"`, with the quotes.
    pub fn from_json(raw: &'a str) -> Self {
        Self(raw)
    }
}

impl Serialize for RequestId<'_> {
    /// An integer stays one, a string stays one; whatever else came is recorded as a string.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Ok(number) = serde_json::from_str::<i64>(self.0) {
            return serializer.serialize_i64(number);
        }
        if let Ok(plain) = serde_json::from_str::<&str>(self.0) {
            return Text(plain).serialize(serializer);
        }
        match serde_json::from_str::<String>(self.0) {
            Ok(unescaped) => Text(&unescaped).serialize(serializer),
            Err(_) => Text(self.0).serialize(serializer),
        }
    }
}

/// `digest` as lower-case hexadecimal, without an allocation.
pub(super) fn hexadecimal<S: Serializer>(
    digest: &Digest,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let digits = hex_digits(digest);
    serializer.serialize_str(str::from_utf8(digits.as_flattened()).unwrap_or_default())
}

/// The digits of `digest`, by byte.
pub(super) fn hex_digits(digest: &Digest) -> [[u8; 2]; 32] {
    let mut out = [[b'0'; 2]; 32];
    for (to, byte) in out.iter_mut().zip(digest.as_bytes()) {
        *to = [digit(byte >> 4), digit(byte & 15)];
    }
    out
}

/// Without a branch, so that it is done for many at a time.
const fn digit(half: u8) -> u8 {
    half + b'0' + (half > 9) as u8 * (b'a' - b'0' - 10)
}

/// `time` as RFC 3339 in UTC with milliseconds.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference"
)]
pub(super) fn moment<S: Serializer>(time: &UnixTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

fn sequence<'a, S: Serializer>(
    serializer: S,
    mut all: impl Iterator<Item = &'a str>,
) -> Result<S::Ok, S::Error> {
    let mut sequence = serializer.serialize_seq(None)?;
    for text in all.by_ref().take(ENTRIES) {
        sequence.serialize_element(&Text(text))?;
    }
    if all.next().is_some() {
        sequence.serialize_element(MARK)?;
    }
    sequence.end()
}

/// What is left of `text` when it is too long.
fn cut(text: &str) -> Option<&str> {
    // No text has more characters than bytes.
    if text.len() <= CHARACTERS {
        return None;
    }
    let (end, _) = text.char_indices().nth(CHARACTERS)?;
    text.get(..end)
}

const CHARACTERS: usize = 256;
const ENTRIES: usize = 64;
const MARK: &str = "…(cut)";

#[cfg(test)]
mod tests {
    use super::{Joined, RequestId, Text, Texts};

    fn json(value: impl serde::Serialize) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn text_of_256_characters_is_kept_whole() {
        for character in ["a", "é", "\u{1f600}"] {
            let text = character.repeat(256);
            assert_eq!(Text(&text).to_string(), text);
        }
    }

    #[test]
    fn text_of_257_characters_is_cut_and_marked() {
        for character in ["a", "é", "\u{1f600}"] {
            let kept = character.repeat(256);
            assert_eq!(
                Text(&character.repeat(257)).to_string(),
                format!("{kept}…(cut)")
            );
        }
    }

    #[test]
    fn a_resource_names_the_server_and_the_tool() {
        assert_eq!(
            json(Joined::resource("crm", Some("get_customer"))),
            r#""crm/get_customer""#
        );
        assert_eq!(json(Joined::action("tools/list", None)), r#""tools/list""#);
    }

    #[test]
    fn a_long_list_is_cut_and_marked() {
        let roles = vec![String::from("r"); 65];
        let read: Vec<String> = serde_json::from_str(&json(Texts::from(roles.as_slice()))).unwrap();
        assert_eq!(read.len(), 65);
        assert_eq!(read.last().unwrap(), "…(cut)");
        assert_eq!(json(Texts::from(["a", "b"].as_slice())), r#"["a","b"]"#);
    }

    #[test]
    fn a_request_id_keeps_its_kind() {
        assert_eq!(json(RequestId::from_json("7")), "7");
        assert_eq!(json(RequestId::from_json(r#""seven""#)), r#""seven""#);
        assert_eq!(json(RequestId::from_json(r#""a\nb""#)), r#""a\nb""#);
    }

    #[test]
    fn a_request_id_that_is_none_is_recorded_as_text() {
        assert_eq!(json(RequestId::from_json("[1,\n2]")), r#""[1,\n2]""#);
        assert_eq!(json(RequestId::from_json("1e400")), r#""1e400""#);
    }
}
