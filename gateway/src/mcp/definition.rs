//! What a tool says of itself, in one form and as one hash, however it is spelled. Never says whether it may.

use super::canonical::Tree;
use super::jsonrpc::JsonFault;
use crate::model::Digest;

/// The definition of a tool: every member of its item in `tools/list` but `_meta` and `icons`, in canonical form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    text: String,
    digest: Digest,
}

impl Definition {
    /// Reads an item of a list of tools.
    ///
    /// # Errors
    /// It is not one strict JSON value.
    pub fn of(item: &str) -> Result<Self, JsonFault> {
        let mut tree = Tree::read(item)?;
        if let Tree::Object(members) = &mut tree {
            members.retain(|(key, _)| !LEFT_OUT.contains(&key.as_ref()));
        }
        let mut text = String::with_capacity(item.len());
        tree.write(&mut text);
        let digest = Digest::of(text.as_bytes());
        Ok(Self { text, digest })
    }

    /// Its canonical form (RFC 8785).
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 digest of its canonical form.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

/// The members of a definition, each with its value in lines.
///
/// # Errors
/// It is not one strict JSON value. One that is no object has no members.
pub fn members(definition: &str) -> Result<Vec<(String, String)>, JsonFault> {
    let Tree::Object(members) = Tree::read(definition)? else {
        return Ok(Vec::new());
    };
    let in_lines = |value: &Tree<'_>| {
        let mut lines = String::new();
        value.write_lines(0, &mut lines);
        lines
    };
    let shown = members
        .iter()
        .map(|(key, value)| (key.clone().into_owned(), in_lines(value)));
    Ok(shown.collect())
}

/// No part of a definition: `_meta` may differ from answer to answer and is not for the model; `icons` are pictures for
/// people, whose URLs are often signed anew. A member that nobody knows is a part: some client may show it to a model.
const LEFT_OUT: [&str; 2] = ["_meta", "icons"];

#[cfg(test)]
mod tests {
    use super::{Definition, members};

    const TOOL: &str = r#"{"name":"pay","title":"Pay","description":"Pays é","inputSchema":{"type":"object","properties":{"amount":{"type":"number","maximum":100}}},"outputSchema":{"type":"object"},"annotations":{"readOnlyHint":true}}"#;

    fn digest(item: &str) -> crate::model::Digest {
        Definition::of(item).unwrap().digest()
    }

    #[test]
    fn s11_two_spellings_of_a_definition_have_one_hash() {
        for spelled in [
            TOOL.replace('é', "\\u00e9"),
            TOOL.replace("100", "1e2"),
            TOOL.replace("100", "100.0"),
            TOOL.replace(",\"", " ,\n\t\""),
            TOOL.replace("\"name\"", "\"n\\u0061me\""),
            TOOL.replace(
                "{\"name\":\"pay\",\"title\":\"Pay\",",
                "{\"title\":\"Pay\",\"name\":\"pay\",",
            ),
            TOOL.replace(
                "{\"name\"",
                "{\"_meta\":{\"at\":1},\"icons\":[{\"src\":\"https://a.test/1\"}],\"name\"",
            ),
        ] {
            assert_ne!(spelled, TOOL);
            assert_eq!(digest(&spelled), digest(TOOL), "{spelled}");
        }
    }

    #[test]
    fn s11_any_change_of_meaning_has_another_hash() {
        for (from, to) in [
            ("\"name\":\"pay\"", "\"name\":\"pay \""),
            ("\"Pay\"", "\"Pay!\""),
            ("Pays é", "Pays e\u{301}"),
            ("\"maximum\":100", "\"maximum\":101"),
            ("\"maximum\":100", "\"maximum\":\"100\""),
            (
                "\"outputSchema\":{\"type\":\"object\"}",
                "\"outputSchema\":{}",
            ),
            ("true", "false"),
            ("\"annotations\":{\"readOnlyHint\":true}", "\"x\":1"),
            ("\"title\":\"Pay\",", ""),
            (
                "\"title\":\"Pay\",",
                "\"title\":\"Pay\",\"execution\":{\"taskSupport\":\"required\"},",
            ),
            (
                "{\"type\":\"number\",\"maximum\":100}",
                "[{\"type\":\"number\",\"maximum\":100}]",
            ),
        ] {
            let changed = TOOL.replace(from, to);
            assert_ne!(changed, TOOL, "{from}");
            assert_ne!(digest(&changed), digest(TOOL), "{changed}");
        }
    }

    #[test]
    fn the_members_are_shown_in_lines() {
        let shown = members(Definition::of(TOOL).unwrap().text()).unwrap();
        let keys: Vec<_> = shown.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "annotations",
                "description",
                "inputSchema",
                "name",
                "outputSchema",
                "title"
            ]
        );
        assert_eq!(shown[0].1, "{\n  \"readOnlyHint\": true\n}");
        assert_eq!(members("[1]").unwrap(), []);
    }
}
