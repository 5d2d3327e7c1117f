//! How often a policy without effect would have decided otherwise, and about whom. Bounded: what does not fit is a number.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::decision::circumstance::{Action, Circumstance};
use crate::decision::describe::target;
use crate::decision::verdict::{Differing, Verdict};
use crate::model::{Digest, UnixTime};

/// What two policies say of the same requests.
#[derive(Debug, Default)]
pub struct Disagreements(Mutex<Counted>);

/// What was counted since a policy is asked without effect.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    /// The policy without effect; absent when there is none.
    pub of: Option<Digest>,
    /// Since when.
    pub since: Option<UnixTime>,
    /// How many requests both decided about.
    pub decisions: u64,
    /// How many of them differently.
    pub disagreements: u64,
    /// Those of whom there is no room to say more.
    pub others: u64,
    rows: HashMap<Row, u64>,
}

/// Who is concerned, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// The issuer of the subject.
    pub issuer: Box<str>,
    /// The subject.
    pub subject: Box<str>,
    /// The server.
    pub server: Box<str>,
    /// The tool, prompt or resource; the method where there is none.
    pub name: Box<str>,
    /// What was decided: `allow` or `deny`.
    pub from: &'static str,
    /// What would have been decided.
    pub to: &'static str,
    /// Why one of the two refuses it.
    pub reason: &'static str,
}

impl Counted {
    fn note(&mut self, row: Option<Row>) {
        self.disagreements = self.disagreements.saturating_add(1);
        let has_room = |row: &Row| self.rows.len() < ROWS || self.rows.contains_key(row);
        let count = match row.filter(has_room) {
            Some(row) => self.rows.entry(row).or_default(),
            None => &mut self.others,
        };
        *count = count.saturating_add(1);
    }

    /// The rows and how often each was counted, the most frequent first.
    pub fn rows(&self) -> Vec<(&Row, u64)> {
        let mut rows: Vec<_> = self.rows.iter().map(|(row, count)| (row, *count)).collect();
        rows.sort_by(|(a, most), (b, least)| least.cmp(most).then_with(|| a.cmp(b)));
        rows
    }
}

impl Disagreements {
    /// From now on the policy of this digest is asked without effect, or none is. What was counted of another is
    /// forgotten.
    pub fn of(&self, silent: Option<Digest>, now: UnixTime) {
        let mut counted = self.lock();
        if counted.of != silent {
            *counted = Counted {
                of: silent,
                since: silent.map(|_| now),
                ..Counted::default()
            };
        }
    }

    /// Counts what was decided.
    pub fn count(&self, verdict: &Verdict, circumstance: &Circumstance<'_>) {
        let mut counted = self.lock();
        counted.decisions = counted.decisions.saturating_add(1);
        let Some(differing) = verdict.disagreement() else {
            return;
        };
        counted.note(row(circumstance, differing));
    }

    /// What was counted so far.
    pub fn counted(&self) -> Counted {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing when a name is too long to be kept.
fn row(circumstance: &Circumstance<'_>, differing: Differing) -> Option<Row> {
    let principal = circumstance.principal?;
    let action = circumstance.action?;
    let name = target(action).unwrap_or_else(|| Action::name(action));
    let server = circumstance.request.server.as_ref()?;
    let texts = [
        principal.issuer().as_str(),
        principal.subject(),
        server.as_str(),
        name,
    ];
    if texts.iter().any(|text| text.len() > LONGEST) {
        return None;
    }
    let [issuer, subject, server, name] = texts.map(Into::into);
    Some(Row {
        issuer,
        subject,
        server,
        name,
        from: differing.from,
        to: differing.to,
        reason: differing.reason.name(),
    })
}

/// Rows at most: about two megabytes.
const ROWS: usize = 4096;
/// Bytes of a name.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::{Counted, Disagreements, ROWS, Row};
    use crate::model::{Digest, UnixTime};

    fn row(subject: usize) -> Row {
        Row {
            issuer: "https://auth".into(),
            subject: subject.to_string().into(),
            server: "crm".into(),
            name: "refund".into(),
            from: "allow",
            to: "deny",
            reason: "argument_denied",
        }
    }

    #[test]
    fn what_does_not_fit_is_a_number_and_the_most_frequent_stand_first() {
        let mut counted = Counted::default();
        for subject in 0..=ROWS {
            counted.note(Some(row(subject)));
        }
        for known in [Some(row(7)), Some(row(ROWS)), None] {
            counted.note(known);
        }
        let rows = counted.rows();
        assert_eq!(rows.len(), ROWS);
        assert_eq!((rows[0].0, rows[0].1), (&row(7), 2));
        assert_eq!(counted.others, 3);
        let in_all: u64 = rows.iter().map(|(_, count)| count).sum();
        assert_eq!(in_all + counted.others, counted.disagreements);
    }

    #[test]
    fn another_policy_is_counted_anew_and_the_same_is_not() {
        let all = Disagreements::default();
        let (first, second) = (Digest::of(b"first"), Digest::of(b"second"));
        let at = UnixTime::from_seconds;
        all.of(Some(first), at(1));
        all.lock().note(Some(row(1)));
        all.of(Some(first), at(2));
        let counted = all.counted();
        assert_eq!((counted.since, counted.disagreements), (Some(at(1)), 1));
        all.of(Some(second), at(3));
        let counted = all.counted();
        assert_eq!((counted.since, counted.disagreements), (Some(at(3)), 0));
        all.of(None, at(4));
        assert_eq!(all.counted().since, None);
    }
}
