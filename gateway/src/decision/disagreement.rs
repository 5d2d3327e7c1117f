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
        counted.disagreements = counted.disagreements.saturating_add(1);
        let row = row(circumstance, differing);
        let row = row.filter(|row| counted.rows.len() < ROWS || counted.rows.contains_key(row));
        let count = match row {
            Some(row) => counted.rows.entry(row).or_default(),
            None => &mut counted.others,
        };
        *count = count.saturating_add(1);
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
