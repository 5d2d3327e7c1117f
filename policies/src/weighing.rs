//! Weighs rows that say no more than who, what and which scopes. Knows no conditions and calls on no engine.

use std::borrow::Borrow;

use crate::answer::{Answer, Denial, Grant};
use crate::rule::Rule;
use crate::tier::Tier;

/// The matching rows seen so far, boiled down so that their order does not matter.
pub(crate) struct Weighing<'a, S> {
    rules: &'a [Rule],
    scopes: &'a [S],
    /// The first row that allows.
    allowed: Option<usize>,
    /// The row with the fewest missing scopes, and how many.
    nearest: Option<(usize, usize)>,
}

impl<'a, S: Borrow<str>> Weighing<'a, S> {
    pub(crate) const fn new(rules: &'a [Rule], scopes: &'a [S]) -> Self {
        Self {
            rules,
            scopes,
            allowed: None,
            nearest: None,
        }
    }

    pub(crate) const fn is_allowed(&self) -> bool {
        self.allowed.is_some()
    }

    pub(crate) fn weigh(&mut self, index: usize) {
        let count = self.missing(index).count();
        if count == 0 {
            self.allowed = Some(self.allowed.map_or(index, |first| first.min(index)));
            return;
        }
        let candidate = (count, index);
        self.nearest = Some(
            self.nearest
                .map_or(candidate, |nearest| nearest.min(candidate)),
        );
    }

    pub(crate) fn answer(&self) -> Answer {
        if let Some(rule) = self.allowed.and_then(|index| self.rules.get(index)) {
            return Answer::Allow(Grant {
                rule: rule.id.clone(),
                scopes: rule.terms.scopes.clone(),
                tier: Tier::Low,
                charges: Vec::new(),
            });
        }
        let nearest = self
            .nearest
            .and_then(|(_, index)| Some((index, self.rules.get(index)?)));
        let Some((index, rule)) = nearest else {
            return Answer::Deny(Denial::NoRule);
        };
        Answer::Deny(Denial::ScopeMissing {
            missing: self.missing(index).cloned().collect(),
            rule: rule.id.clone(),
        })
    }

    fn missing(&self, index: usize) -> impl Iterator<Item = &'a String> {
        let scopes = self.scopes;
        let wanted = self.rules.get(index).map(|rule| &rule.terms.scopes);
        wanted
            .into_iter()
            .flatten()
            .filter(move |wanted| !scopes.iter().any(|scope| scope.borrow() == wanted.as_str()))
    }
}
