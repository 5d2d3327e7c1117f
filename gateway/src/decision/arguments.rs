//! What records keep of arguments: a keyed digest always, a value only where the configuration lists it. Keeps nothing
//! itself.

use std::collections::HashMap;

use ring::hmac;

use crate::audit::arguments::{Arguments, Canonical, Field, Fields};
use crate::mcp::Target;
use crate::mcp::arguments::{Arguments as Read, Pointer, Scalar};
use crate::model::{Digest, Secret, ServerName};

/// The values that records may hold: by server and tool, each pointer as it is written and as it is read.
pub type Listed = HashMap<String, HashMap<String, Vec<(Box<str>, Pointer)>>>;

/// Makes the part of a record that is about arguments.
#[derive(Debug)]
pub struct Digester {
    key: hmac::Key,
    listed: Listed,
}

impl Digester {
    /// Digests with `key` and lets the values in `listed` through.
    pub fn new(key: &Secret<String>, listed: Listed) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key.expose().as_bytes()),
            listed,
        }
    }

    /// What is kept of `text`, the arguments of a call of `target`, an object that was read.
    pub fn keep(&self, server: &ServerName, target: &Target, text: &str) -> Arguments {
        let listed = self.listed(server, target);
        let is_short = text.len() <= LONGEST_CANONICAL;
        let read = (is_short || !listed.is_empty()).then(|| Read::read(text));
        let read = read.flatten();
        let canonical = read.as_ref().filter(|_| is_short).map(Read::canonical);
        let (digest, form) = match &canonical {
            Some(canonical) => (self.digest(canonical), Canonical::Jcs),
            None => (self.digest(text), Canonical::None),
        };
        let fields = read.map_or_else(Vec::new, |read| fields(&read, listed));
        Arguments {
            digest,
            canonical: form,
            bytes: text.len(),
            fields: Fields(fields),
        }
    }

    fn digest(&self, text: &str) -> Digest {
        let tag = hmac::sign(&self.key, text.as_bytes());
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        Digest::from_bytes(bytes)
    }

    fn listed(&self, server: &ServerName, target: &Target) -> &[(Box<str>, Pointer)] {
        let of_server = self.listed.get(server.as_str());
        let of_tool = of_server.zip(target.tool());
        of_tool
            .and_then(|(tools, tool)| tools.get(tool))
            .map_or(&[], Vec::as_slice)
    }
}

fn fields(read: &Read<'_>, listed: &[(Box<str>, Pointer)]) -> Vec<(Box<str>, Field)> {
    let field = |(written, pointer): &(Box<str>, Pointer)| {
        let field = match read.scalar(pointer)? {
            Scalar::Text(text) => Field::Text(text.into()),
            Scalar::Number(token) => match token.parse() {
                Ok(number) => Field::Integer(number),
                Err(_) => Field::Text(token.into()),
            },
            Scalar::Flag(flag) => Field::Flag(flag),
            Scalar::Null => Field::Null,
        };
        Some((written.clone(), field))
    };
    listed.iter().filter_map(field).collect()
}

/// Longer arguments are digested as they came: to sort and spell them anew costs twice what reading them does, and would
/// hold up everybody else on the same thread.
const LONGEST_CANONICAL: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::{Digester, LONGEST_CANONICAL, Listed};
    use crate::audit::arguments::{Arguments, Canonical, Field};
    use crate::mcp::Target;
    use crate::mcp::arguments::Pointer;
    use crate::model::{Digest, Secret, ServerName};

    fn digester(key: &str, pointers: &[&str]) -> Digester {
        let pointers = pointers
            .iter()
            .map(|text| ((*text).into(), Pointer::parse(text).unwrap()));
        let tools = [("refund".to_owned(), pointers.collect())];
        let listed: Listed = [("crm".to_owned(), tools.into())].into();
        Digester::new(&Secret::new(key.to_owned()), listed)
    }

    fn kept(digester: &Digester, text: &str) -> Arguments {
        let target = Target::Tool("refund".into());
        digester.keep(&ServerName::new("crm"), &target, text)
    }

    #[test]
    fn a03_equal_arguments_have_one_digest_and_only_with_the_key() {
        let one = digester("key-1", &[]);
        let first = kept(&one, r#"{"a":1.0,"b":"\u0061"}"#);
        assert_eq!(first.canonical, Canonical::Jcs);
        assert_eq!(first.digest, kept(&one, r#"{ "b": "a", "a": 1 }"#).digest);
        assert_ne!(first.digest, kept(&one, r#"{"a":2,"b":"a"}"#).digest);
        assert_ne!(
            first.digest,
            kept(&digester("key-2", &[]), r#"{"a":1,"b":"a"}"#).digest
        );
        assert_ne!(first.digest, Digest::of(br#"{"a":1,"b":"a"}"#));
    }

    #[test]
    fn arguments_past_the_bound_are_digested_as_they_came() {
        let digester = digester("key", &["/n"]);
        let padding = "x".repeat(LONGEST_CANONICAL);
        let (tight, wide) = (
            format!(r#"{{"n":7,"p":"{padding}"}}"#),
            format!(r#"{{ "n":7,"p":"{padding}"}}"#),
        );
        let (one, other) = (kept(&digester, &tight), kept(&digester, &wide));
        assert_eq!((one.canonical, one.bytes), (Canonical::None, tight.len()));
        assert_ne!(one.digest, other.digest);
        assert_eq!(one.fields.0, [("/n".into(), Field::Integer(7))]);
    }

    #[test]
    fn a04_only_values_that_are_listed_are_kept() {
        let digester = digester("key", &["/amount", "/note", "/big", "/none"]);
        let text = r#"{"amount":7,"note":"for bob","card":"canary","big":1.5,"nested":{"card":2}}"#;
        let expected = [
            ("/amount".into(), Field::Integer(7)),
            ("/note".into(), Field::Text("for bob".into())),
            ("/big".into(), Field::Text("1.5".into())),
        ];
        assert_eq!(kept(&digester, text).fields.0, expected);
        let other_tool = Target::Tool("pay".into());
        let elsewhere = [
            digester.keep(&ServerName::new("crm"), &other_tool, text),
            digester.keep(&ServerName::new("hr"), &Target::Tool("refund".into()), text),
            digester.keep(
                &ServerName::new("crm"),
                &Target::Prompt("refund".into()),
                text,
            ),
        ];
        assert!(elsewhere.iter().all(|kept| kept.fields.is_empty()));
    }

    #[test]
    fn what_has_no_canonical_form_is_digested_as_it_came() {
        let nested = format!(r#"{{"a":{}1{}}}"#, "[".repeat(70), "]".repeat(70));
        assert_eq!(
            kept(&digester("key", &[]), &nested).canonical,
            Canonical::None
        );
    }
}
