//! Type-checks drafts against the schema, strictly. A draft that does not pass becomes no program.

use std::str::FromStr as _;

use cedar_policy::ffi::DetailedError;
use cedar_policy::{PolicySet, Schema, ValidationError, ValidationMode, Validator};

use super::{Blame, Draft, blame};
use crate::attribute::{self, ATTRIBUTES, Owner};
use crate::slot::Slots;

/// Checks against one schema.
#[derive(Debug)]
pub(crate) struct Checker<'s> {
    validator: Validator,
    slots: &'s Slots,
}

impl<'s> Checker<'s> {
    /// A checker for policies that read these slots.
    pub(crate) fn new(slots: &'s Slots) -> Result<Self, String> {
        let text = attribute::schema(slots.attributes());
        let schema = Schema::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self {
            validator: Validator::new(schema),
            slots,
        })
    }

    /// Every mistake in types.
    pub(crate) fn check(&self, draft: &Draft<'_>) -> Result<(), Vec<Blame>> {
        let policy = draft.policy()?;
        let mut policies = PolicySet::new();
        if policies.add(policy).is_err() {
            return Err(vec![Blame::new(
                0..draft.lexed.text.len(),
                "not one policy".to_owned(),
                "write one policy",
            )]);
        }
        let result = self.validator.validate(&policies, ValidationMode::Strict);
        let rewritten = draft.rewritten();
        let mut blames: Vec<Blame> = Vec::new();
        for error in result.validation_errors() {
            let blame = self.blame(error, draft, &rewritten);
            // Cedar says the same once for each action.
            if !blames.iter().any(|known| known.bytes == blame.bytes) {
                blames.push(blame);
            }
        }
        if blames.is_empty() {
            Ok(())
        } else {
            Err(blames)
        }
    }

    fn blame(
        &self,
        error: &ValidationError,
        draft: &Draft<'_>,
        rewritten: &super::Rewritten,
    ) -> Blame {
        let said = DetailedError::from(error);
        let bytes =
            blame::span(&said).map_or(0..draft.lexed.text.len(), |bytes| rewritten.origin(&bytes));
        let message = unnamed(&said.message);
        let help = match (root_meant(message), said.help) {
            (Some(help), _) => help,
            (None, Some(_)) if is_of_tools_only(message) => TOOL_HELP.to_owned(),
            (None, Some(help)) => unnamed(&help).to_owned(),
            (None, None) => DEFAULT_HELP.to_owned(),
        };
        Blame::new(
            bytes,
            self.slots.in_words(message),
            self.slots.in_words(&help),
        )
    }
}

/// Without the name that a policy has while it is checked.
fn unnamed(message: &str) -> &str {
    let named = message.split_once("`policy0`, ");
    named.map_or(message, |(_, rest)| rest)
}

fn is_of_tools_only(message: &str) -> bool {
    let mut of_tools = ATTRIBUTES.iter().filter(|row| row.owner == Owner::Tool);
    of_tools.any(|row| message.contains(&format!("attribute `{}` on entity type", row.name)))
}

/// The open values are no attributes, so that Cedar cannot guess that one of them was meant.
fn root_meant(message: &str) -> Option<String> {
    let is_written = |(written, _): &&(&str, &str)| {
        message.contains(&format!("attribute `{written}` in context"))
    };
    let (_, meant) = WRITTEN_FOR.iter().find(is_written)?;
    Some(format!("did you mean `context.{meant}`?"))
}

const WRITTEN_FOR: [(&str, &str); 6] = [
    ("arg", "args"),
    ("argument", "args"),
    ("arguments", "args"),
    ("input", "args"),
    ("params", "args"),
    ("detail", "details"),
];
const TOOL_HELP: &str = "only tools have it: write `resource is Tool` in the scope";
const DEFAULT_HELP: &str = "`schema.cedarschema` lists every attribute and its type";
