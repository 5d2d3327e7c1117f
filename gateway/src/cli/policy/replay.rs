//! Recorded decisions, decided again under two policies. Says of no decision what would become of it when the record does not
//! hold what the policies look at.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use gatewright_policies::Rule;
use jiff::Timestamp;

use crate::cli::records::{self, Recorded};
use crate::cli::supposed::Supposed;
use crate::config::Settings;
use crate::model::Reason;

/// What became of the decisions.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// How many decisions a policy can be asked about.
    pub(super) decisions: u64,
    /// How many of them depend on what no record holds.
    pub(super) unclear: u64,
    /// Lines that cannot be read.
    pub(super) unreadable: u64,
    /// What is different, and how often.
    pub(super) changes: BTreeMap<Changed, u64>,
    agents: [BTreeSet<(String, String, Option<String>)>; 2],
}

/// A decision that would be another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Changed {
    /// Who gains or loses.
    pub(super) turn: Turn,
    /// The subject.
    pub(super) subject: String,
    /// Who acts for it.
    pub(super) actor: Option<String>,
    /// The server.
    pub(super) server: String,
    /// The tool, prompt or resource.
    pub(super) name: String,
    /// The name of the reason of the refusal, the new one or the one there was.
    pub(super) reason: &'static str,
}

/// Which way a decision turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turn {
    /// What was allowed would be refused.
    Loses,
    /// What was refused would be allowed.
    Gains,
}

/// Two configurations, of which the policies are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'s> {
    /// The one in force, or before.
    pub(super) old: &'s Settings,
    /// The candidate.
    pub(super) new: &'s Settings,
}

impl Replay {
    /// Decides every record in `ledger` since `since` again.
    ///
    /// # Errors
    /// What cannot be read.
    pub(super) fn of(
        ledger: &Path,
        since: Timestamp,
        pair: Pair<'_>,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let mut replay = Self::default();
        let unreadable = records::decisions(ledger, &|_| true, &mut |record| {
            if record.timestamp >= since && is_of_policy(&record) {
                replay.decide(&record, pair);
            }
        })?;
        replay.unreadable = unreadable;
        Ok(replay)
    }

    /// How many decisions turn this way.
    pub(super) fn count(&self, turn: Turn) -> u64 {
        let changes = self.changes.iter();
        changes
            .filter(|(changed, _)| changed.turn == turn)
            .map(|(_, count)| count)
            .sum()
    }

    /// How many agents that concerns: a subject and a client each.
    pub(super) fn agents(&self, turn: Turn) -> usize {
        let [loses, gains] = &self.agents;
        match turn {
            Turn::Loses => loses.len(),
            Turn::Gains => gains.len(),
        }
    }

    /// The changes, the most frequent first.
    pub(super) fn largest_first(&self) -> Vec<(&Changed, u64)> {
        let mut all: Vec<_> = self
            .changes
            .iter()
            .map(|(what, count)| (what, *count))
            .collect();
        all.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
        all
    }

    fn decide(&mut self, record: &Recorded, pair: Pair<'_>) {
        let Some(asked) = Supposed::of_record(record) else {
            // What was cut is there and cannot be decided; what names nothing was no question.
            if record.is_cut() {
                self.decisions += 1;
                self.unclear += 1;
            }
            return;
        };
        self.decisions += 1;
        match turned(&asked, pair) {
            Clear::Same => {}
            Clear::Not => self.unclear += 1,
            Clear::Turned(turn, reason) => self.note(turn, reason, asked, record),
        }
    }

    fn note(&mut self, turn: Turn, reason: Reason, asked: Supposed, record: &Recorded) {
        let [loses, gains] = &mut self.agents;
        let agents = match turn {
            Turn::Loses => loses,
            Turn::Gains => gains,
        };
        let party = asked.asker;
        agents.insert((party.issuer, party.subject.clone(), party.client));
        let changed = Changed {
            turn,
            subject: party.subject,
            actor: record.act.clone(),
            server: asked.server,
            name: asked.name,
            reason: reason.name(),
        };
        *self.changes.entry(changed).or_default() += 1;
    }
}

/// What is known of a decision.
enum Clear {
    /// It stays.
    Same,
    /// It depends on what is not on record.
    Not,
    /// It would be another.
    Turned(Turn, Reason),
}

fn turned(asked: &Supposed, pair: Pair<'_>) -> Clear {
    if is_regranted(asked, pair) {
        return Clear::Not;
    }
    let asked_anew = asked.clone().with_granted(pair.new);
    if asked_anew.asker.roles.len() == asked.asker.roles.len() && is_untouched(asked, pair) {
        return Clear::Same;
    }
    let certainly =
        |asked: &Supposed, settings| asked.certainly(settings).map(|judged| judged.refusal());
    match (certainly(asked, pair.old), certainly(&asked_anew, pair.new)) {
        (Some(None), Some(Some(reason))) => Clear::Turned(Turn::Loses, reason),
        (Some(Some(reason)), Some(None)) => Clear::Turned(Turn::Gains, reason),
        (Some(_), Some(_)) => Clear::Same,
        (None, _) | (_, None) => Clear::Not,
    }
}

/// Whether a role that it had then is one that the old configuration gave and the new one does not give: it may have been in
/// the token as well.
fn is_regranted(asked: &Supposed, pair: Pair<'_>) -> bool {
    let new = asked.granted(pair.new);
    let lost = |role: &String| !new.contains(role) && asked.asker.roles.contains(role);
    asked.granted(pair.old).iter().any(lost)
}

/// Whether nothing that could matter to it is different.
fn is_untouched(asked: &Supposed, pair: Pair<'_>) -> bool {
    let scopes = |settings: &Settings| {
        let server = asked.server_in(settings)?;
        Some((
            server.audience.scopes.clone(),
            server.demands.tiers.clone(),
            settings.zone.clone(),
        ))
    };
    let said = |rule: &Rule| {
        let (subject, terms) = (rule.subject.clone(), rule.terms.clone());
        (rule.effect, subject, terms, rule.text.clone())
    };
    let rules =
        |settings: &Settings| -> Vec<_> { asked.rules(&settings.policy).map(said).collect() };
    scopes(pair.old) == scopes(pair.new) && rules(pair.old) == rules(pair.new)
}

/// Whether the policy decided it, and not the form of the message, a session, a pin or the age of a login.
fn is_of_policy(record: &Recorded) -> bool {
    match (record.decision.as_deref(), &record.reason) {
        (Some("allow"), _) => true,
        (Some("deny"), Some(refused)) => {
            OF_POLICY.iter().any(|reason| reason.name() == refused.code)
        }
        _ => false,
    }
}

const OF_POLICY: [Reason; 7] = [
    Reason::ScopeInsufficient,
    Reason::ToolNotAllowed,
    Reason::PromptNotAllowed,
    Reason::ResourceNotAllowed,
    Reason::ApprovalRequired,
    Reason::ArgumentDenied,
    Reason::OutsideHours,
];
