//! One row of a role: what it is about and what it asks for. Never decides anything itself.

use std::ops::Range;
use std::time::Duration;

use gatewright_policies::{Access, Approval, Limit, Row, Tier};

use super::behaviour::choose;
use super::issuers::filled;
use super::policy::told;
use super::policy_keys::ROW_KEYS;
use super::review::Review;
use super::scopes::scopes;
use super::section::{Section, as_text, one_or_more};
use super::tree::{At, Node, Text, Value};

/// A row, and where the file says what.
#[derive(Debug)]
pub(crate) struct WrittenRow {
    pub(crate) row: Row,
    pattern: At,
    when: Option<Text>,
}

impl WrittenRow {
    /// Where the pattern stands.
    pub(crate) fn pattern(&self) -> At {
        self.pattern
    }

    /// Where these bytes of the condition stand, and what they say if that cannot be told.
    pub(crate) fn within_when(
        &self,
        range: &Range<usize>,
        review: &Review<'_>,
    ) -> (At, Option<String>) {
        let Some(when) = &self.when else {
            return (self.pattern, None);
        };
        match review.within(when, range) {
            Some(at) => (at, None),
            None => (when.at, when.value.get(range.clone()).map(str::to_owned)),
        }
    }
}

/// Reads one row: a bare string is a tool's pattern.
pub(crate) fn row(
    (role, server): (&str, &str),
    item: &Node,
    review: &mut Review<'_>,
) -> Option<WrittenRow> {
    let line = u32::try_from(item.at.line).unwrap_or(u32::MAX);
    if let Some(pattern) = as_text(item) {
        let row = Row {
            line,
            ..Row::plain(role, server, Access::Tool, &pattern.value)
        };
        let (pattern, when) = (pattern.at, None);
        return Some(WrittenRow { row, pattern, when });
    }
    if !matches!(item.value, Value::Map(_)) {
        return None;
    }
    let section = Section::new(ROW_KEYS, item);
    let target = target(&section, review);
    let scopes = scopes(&section, review);
    let when = optional(&section, "when", "a condition", review);
    let details = optional(&section, "details", "the type", review);
    let approval = approval(&section, review);
    let tier = tier(&section, review);
    let limits = limits(&section, review);
    let (access, pattern) = target?;
    let row = Row {
        scopes: scopes?,
        when: when.as_ref().map(|text| text.value.clone()),
        details: details.map(|text| text.value),
        approval,
        tier,
        limits: limits?,
        line,
        ..Row::plain(role, server, access, &pattern.value)
    };
    let pattern = pattern.at;
    Some(WrittenRow { row, pattern, when })
}

/// What something is about: exactly one of `tool`, `prompt` and `resource`.
pub(crate) fn target(section: &Section<'_>, review: &mut Review<'_>) -> Option<(Access, Text)> {
    let named: Vec<_> = TARGETS
        .into_iter()
        .filter(|(key, _)| section.node(key).is_some())
        .collect();
    let [(key, access)] = named.as_slice() else {
        let message = if named.is_empty() {
            "the rule names nothing"
        } else {
            "the rule names more than one thing"
        };
        review.report(
            section.at(),
            "ambiguous-rule",
            message,
            "write exactly one of `tool`, `prompt` and `resource`",
        );
        return None;
    };
    Some((*access, section.text(key)?))
}

/// The text `key`; nothing when it is absent, or empty, which is reported.
fn optional(section: &Section<'_>, key: &str, what: &str, review: &mut Review<'_>) -> Option<Text> {
    let text = section.text(key)?;
    filled(text.clone(), what, review).map(|_| text)
}

fn approval(section: &Section<'_>, review: &mut Review<'_>) -> Option<Approval> {
    section.node("approval")?;
    let section = section.section("approval");
    let by = section
        .text("by")
        .and_then(|text| filled(text, "a group", review));
    let ttl = section.duration("ttl", WORDS_LAST, review);
    Some(Approval { by: by?, ttl })
}

fn tier(section: &Section<'_>, review: &mut Review<'_>) -> Option<Tier> {
    let tiers = Tier::ALL.map(|tier| (tier.name(), tier));
    choose(section, "tier", &tiers, &[], review)
}

fn limits(section: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<Limit>> {
    let written = one_or_more(section, "limit")?;
    let count = written.len();
    let limits: Vec<_> = written
        .iter()
        .filter_map(|text| limit(text, review))
        .collect();
    (limits.len() == count).then_some(limits)
}

fn limit(written: &Text, review: &mut Review<'_>) -> Option<Limit> {
    match Limit::parse(&written.value) {
        Ok(limit) => Some(limit),
        Err(fault) => {
            let (message, help) = told(&fault);
            review.report(written.at, "bad-limit", message, help);
            None
        }
    }
}

/// The keys that say what something is about.
pub(crate) const TARGETS: [(&str, Access); 3] = [
    ("tool", Access::Tool),
    ("prompt", Access::Prompt),
    ("resource", Access::Resource),
];
const WORDS_LAST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));
