//! What is wrong with a text, where, and what to write instead. Finds nothing itself.

use std::ops::Range;

use cedar_policy::ParseErrors;
use cedar_policy::ffi::DetailedError;

use super::Draft;
use super::rewrite::Rewritten;
use crate::error::FaultKind;

/// A mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blame {
    pub(crate) bytes: Range<usize>,
    message: String,
    help: String,
}

impl Blame {
    pub(crate) fn new(bytes: Range<usize>, message: String, help: impl Into<String>) -> Self {
        Self {
            bytes,
            message,
            help: help.into(),
        }
    }

    /// The same, in a text that starts `by` bytes earlier.
    pub(crate) fn shifted(self, by: usize) -> Self {
        Self {
            bytes: self.bytes.start + by..self.bytes.end + by,
            ..self
        }
    }

    pub(crate) fn kind(self) -> FaultKind {
        FaultKind::BadPolicy {
            message: self.message,
            help: self.help,
        }
    }
}

/// What Cedar's parser says.
pub(crate) fn of_parse(
    errors: &ParseErrors,
    rewritten: &Rewritten,
    draft: &Draft<'_>,
) -> Vec<Blame> {
    let mut blames: Vec<Blame> = Vec::new();
    for error in errors.iter() {
        let said = DetailedError::from(error);
        let bytes = span(&said).map_or(0..draft.lexed.text.len(), |bytes| rewritten.origin(&bytes));
        let message = if bytes.start >= draft.lexed.text.len() {
            "it ends where more is expected".to_owned()
        } else {
            draft.in_words(&said.message)
        };
        let help = said.help.map_or_else(
            || "see https://docs.cedarpolicy.com/policies/syntax-policy.html".to_owned(),
            |help| draft.in_words(&help),
        );
        let blame = Blame::new(bytes, message, help);
        if !blames.contains(&blame) {
            blames.push(blame);
        }
    }
    blames
}

/// The first place that an error is about.
pub(crate) fn span(error: &DetailedError) -> Option<Range<usize>> {
    let own = error.source_locations.first();
    own.map(|label| label.loc.start..label.loc.end)
        .or_else(|| error.related.iter().find_map(span))
}
