//! What a set of conditions could look at, told from the words in them: too much rather than too little. What nobody
//! looks at is not made.

use crate::attribute::{ATTRIBUTES, Attribute, Owner};
use crate::compile::lexer::{Kind, Lexed};

/// Attributes and entities that must be there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Wants {
    /// One bit for each row of the table.
    attributes: u32,
    pub(crate) principal: bool,
    pub(crate) action: bool,
    pub(crate) resource: bool,
}

impl Wants {
    /// What a text could look at. An attribute is named by a word, or by a text in brackets or after `has`; only a
    /// whole context can be compared without naming any.
    pub(crate) fn of(lexed: &Lexed<'_>, has_whole_context: bool) -> Self {
        let words = || (0..lexed.tokens.len()).map(|index| lexed.word(index));
        let has = |wanted: &str| words().any(|word| word == wanted);
        let is_quoted = (1..lexed.tokens.len()).any(|index| {
            lexed.kind(index) == Some(Kind::Text) && ["[", "has"].contains(&lexed.word(index - 1))
        });
        let mut wants = Self {
            attributes: 0,
            principal: has("principal"),
            action: has("action"),
            resource: has("resource"),
        };
        for (row, attribute) in ATTRIBUTES.iter().enumerate() {
            let is_named = is_quoted || has_whole_context || has(attribute.name);
            if is_named && has(attribute.owner.word()) {
                wants.attributes |= 1 << row;
            }
        }
        wants
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            attributes: self.attributes | other.attributes,
            principal: self.principal || other.principal,
            action: self.action || other.action,
            resource: self.resource || other.resource,
        }
    }

    /// The attributes of these owners.
    pub(crate) fn of_owners(self, owners: &[Owner]) -> impl Iterator<Item = &'static Attribute> {
        let rows = ATTRIBUTES.iter().enumerate();
        rows.filter(move |(row, attribute)| {
            self.attributes & (1 << row) != 0 && owners.contains(&attribute.owner)
        })
        .map(|(_, attribute)| attribute)
    }
}

const _: () = assert!(ATTRIBUTES.len() <= 32, "one bit for each attribute");

#[cfg(test)]
mod tests {
    use super::Wants;
    use crate::attribute::{ATTRIBUTES, Owner};
    use crate::compile::lexer::Lexed;

    const EVERY: [Owner; 4] = [
        Owner::Principal,
        Owner::Resource,
        Owner::Tool,
        Owner::Context,
    ];

    fn names(text: &str) -> Vec<&'static str> {
        let wants = Wants::of(&Lexed::new(text), false);
        wants
            .of_owners(&EVERY)
            .map(|attribute| attribute.name)
            .collect()
    }

    #[test]
    fn a_word_wants_the_attribute_of_its_name() {
        assert_eq!(
            names("context.minute < 5 && principal.kind == \"x\""),
            ["kind", "minute"]
        );
        assert_eq!(names("context.args.kind == 5"), Vec::<&str>::new());
    }

    #[test]
    fn a_name_in_quotes_wants_all_of_what_is_mentioned() {
        let of_context = ATTRIBUTES
            .iter()
            .filter(|row| row.owner == Owner::Context)
            .count();
        assert_eq!(names("context[\"min\\u{75}te\"] < 5").len(), of_context);
        assert_eq!(names("context has \"acr\"").len(), of_context);
    }
}
