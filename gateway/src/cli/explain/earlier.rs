//! A decision that is on record, and what would be decided today. Never guesses what the record does not say.

use gatewright_policies::RuleId;
use serde_json::{Value, json};

use super::told::{Told, rule};
use crate::cli::lines::visible;
use crate::cli::records::{self, Recorded};
use crate::cli::supposed::Supposed;
use crate::cli::{FAILED, complain};
use crate::config::Loaded;

/// What was decided, and what would be.
#[derive(Debug)]
pub(super) struct Earlier {
    record: Recorded,
    /// The rules that decided, as the policy of today has them.
    rules: Vec<(String, Option<String>)>,
    is_same_policy: bool,
    /// What would be decided today; nothing when that depends on what is not on record, or no rule is about it.
    today: Option<Told>,
}

/// Finds the decision of this id.
pub(super) fn find(id: &str, loaded: &Loaded) -> Result<Earlier, u8> {
    let ledger = &loaded.settings.audit.directory;
    let mut found = None;
    let wanted = |line: &[u8]| memchr::memmem::find(line, id.as_bytes()).is_some();
    let unreadable = records::decisions(ledger, &wanted, &mut |record| {
        if record.event_id == id || record.request_id.as_deref() == Some(id) {
            found.get_or_insert(record);
        }
    })
    .map_err(|(file, error)| {
        complain(&format!("cannot read `{}`: {error}", file.display()));
        FAILED
    })?;
    if let Some(record) = found {
        return Ok(Earlier::of(record, loaded));
    }
    let lost = if unreadable > 0 {
        ", and some records cannot be read"
    } else {
        ""
    };
    let ledger = ledger.display();
    complain(&format!("no decision of this id is in `{ledger}`{lost}"));
    Err(FAILED)
}

impl Earlier {
    fn of(record: Recorded, loaded: &Loaded) -> Self {
        let settings = &loaded.settings;
        let supposed = Supposed::of_record(&record);
        let today = supposed.and_then(|supposed| {
            let supposed = supposed.with_granted(settings);
            supposed.certainly(settings)?;
            Some(Told::of(&supposed, loaded))
        });
        let known = |id: &String| {
            let mut all = settings.policy.rules().iter();
            let id: &RuleId = &all.find(|rule| rule.id.as_str() == id)?.id;
            rule(id, loaded).map(|rule| format!("{}  {}", rule.place, rule.text))
        };
        Self {
            rules: record
                .policy
                .ids
                .iter()
                .map(|id| (id.clone(), known(id)))
                .collect(),
            is_same_policy: record.policy.digest == settings.policy_digest.to_string(),
            today,
            record,
        }
    }

    /// Whether it was allowed.
    pub(super) fn is_allowed(&self) -> bool {
        self.record.decision.as_deref() == Some("allow")
    }

    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let record = &self.record;
        let reason = record.reason.as_ref().map_or_else(String::new, |refused| {
            let missing = match refused.missing_scopes.as_slice() {
                [] => String::new(),
                missing => format!(" [{}]", missing.join(" ")),
            };
            format!("  {}{missing}", refused.code)
        });
        let decision = record.decision.as_deref().unwrap_or("?");
        let mut lines = vec![visible(&format!(
            "{decision}{reason}  at {}",
            record.timestamp
        ))];
        for (id, place) in &self.rules {
            let place = match (place, self.is_same_policy) {
                (Some(place), true) => place.clone(),
                (Some(place), false) => format!("{place}  (as it is today)"),
                (None, _) => "(not in the policy of today)".to_owned(),
            };
            lines.push(format!(
                "  {:<12}  {}  {}",
                "rule",
                visible(id),
                visible(&place)
            ));
        }
        let policy = if self.is_same_policy {
            "the same"
        } else {
            "another"
        };
        lines.push(format!("today, by {policy} policy:"));
        match &self.today {
            Some(told) => lines.extend(told.lines().iter().map(|line| format!("  {line}"))),
            None => lines.push(format!("  {UNCLEAR}")),
        }
        lines
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let record = &self.record;
        let rules = self
            .rules
            .iter()
            .map(|(id, place)| json!({ "id": id, "place": place }));
        json!({
            "decision": record.decision,
            "timestamp": record.timestamp.to_string(),
            "event_id": record.event_id,
            "reason": record.reason.as_ref().map(|refused| &refused.code),
            "missing_scopes": record.reason.as_ref().map(|refused| &refused.missing_scopes),
            "rules": rules.collect::<Vec<_>>(),
            "same_policy": self.is_same_policy,
            "today": self.today.as_ref().map(Told::json),
        })
    }
}

const UNCLEAR: &str =
    "that depends on what is not on record, such as arguments: ask with `--tool` and `--args`";
