//! `policy`: what is enforced, and the candidate beside it. Never decides anything itself.

use std::path::Path;

use gatewright_policies::{FaultKind, Origin, PolicyFault, PolicySet, PolicySource};
use jiff::tz::TimeZone;

use crate::decision::Mode;
use crate::model::Digest;

use super::behaviour::choose;
use super::cedar::{self, CedarText};
use super::checked::Candidate;
use super::error::Mistake;
use super::fingerprint::fingerprint;
use super::load;
use super::places::Places;
use super::policy_keys::POLICY;
use super::raw::{ROOT, Shape};
use super::review::Review;
use super::roles::rows;
use super::row::WrittenRow;
use super::section::{Section, walk};
use super::suggest;
use super::tree::{At, Node, Value};
use super::zone::zone;

/// The policy and what it was made of.
#[derive(Debug)]
pub(crate) struct Policy {
    /// What may be asked; empty when it has a mistake.
    pub(crate) set: PolicySet,
    /// The digest of what it says, whatever the layout and comments of rows.
    pub(crate) digest: Digest,
    /// Where its hours are counted.
    pub(crate) zone: Option<TimeZone>,
    /// Where its rules stand.
    pub(crate) places: Places,
}

/// `policy.mode`.
pub(crate) fn mode(policy: &Section<'_>, review: &mut Review<'_>) -> Option<Mode> {
    let modes = [Mode::Enforce, Mode::Shadow].map(|mode| (mode.name(), mode));
    choose(policy, "mode", &modes, &[], review)
}

/// The policy that this section says. `servers` are the names of all servers, if there is any.
pub(crate) fn policy(
    section: &Section<'_>,
    servers: Option<&[String]>,
    review: &mut Review<'_>,
) -> Policy {
    let zone = section
        .text("time_zone")
        .and_then(|text| zone(&text, review));
    let written = rows(section, servers, review);
    let texts = cedar::texts(section, review);
    let rows: Vec<_> = written.iter().map(|written| written.row.clone()).collect();
    let source = PolicySource {
        rows,
        cedar: texts.iter().map(CedarText::file).collect(),
    };
    let name = zone.as_ref().and_then(TimeZone::iana_name);
    let digest = fingerprint(&source, name.unwrap_or(UTC));
    let set = PolicySet::build(source).unwrap_or_else(|faults| {
        for fault in &faults {
            report(fault, (section.at(), &written, &texts), review);
        }
        PolicySet::default()
    });
    let places = Places::of(&set, review.path(), &texts);
    Policy {
        set,
        digest,
        zone,
        places,
    }
}

/// `time_zone`: a name of the IANA database, which the program carries with it.
type Written<'a> = (At, &'a [WrittenRow], &'a [CedarText]);

fn report(fault: &PolicyFault, (at, rows, texts): Written<'_>, review: &mut Review<'_>) {
    match &fault.origin {
        Origin::Row(index) => {
            let at = rows.get(*index).map_or(at, WrittenRow::pattern);
            let (message, help) = told(&fault.kind);
            review.report(at, code(&fault.kind, "bad-row"), message, help);
        }
        Origin::When(index, range) => {
            let place = rows.get(*index).map(|row| row.within_when(range, review));
            let (at, meant) = place.unwrap_or((at, None));
            let (message, help) = told(&fault.kind);
            let message = match meant {
                Some(meant) => format!("{message} (in `{meant}`)"),
                None => message,
            };
            review.report(at, code(&fault.kind, "bad-condition"), message, help);
        }
        Origin::Cedar(index, range) => {
            let (message, help) = told(&fault.kind);
            match texts.get(*index) {
                Some(text) => text.report(range, (&message, &help), review),
                None => review.report(at, "bad-policy", message, help),
            }
        }
    }
}

fn code(kind: &FaultKind, otherwise: &'static str) -> &'static str {
    if matches!(kind, FaultKind::EmptyPattern) {
        "empty-pattern"
    } else if matches!(kind, FaultKind::BadGlob { .. }) {
        "bad-pattern"
    } else {
        otherwise
    }
}

/// What is wrong, and what to write instead.
pub(crate) fn told(kind: &FaultKind) -> (String, String) {
    if let FaultKind::BadPolicy { message, help } = kind {
        return (message.clone(), help.clone());
    }
    let told = kind.to_string();
    let (message, help) = told
        .split_once(": ")
        .unwrap_or((&told, "write a name, or a pattern like `get_*`"));
    (message.to_owned(), help.to_owned())
}

/// `policy.shadow`: the policy of another file, which is asked too; nothing when there is none, or a mistake in it.
pub(crate) fn shadow(
    policy: &Section<'_>,
    servers: Option<&[String]>,
    review: &mut Review<'_>,
) -> Option<Candidate> {
    let written = policy.text("shadow")?;
    if policy.text("mode").is_some_and(|mode| mode.value == SHADOW) {
        review.report(
            written.at,
            "no-effect",
            "`shadow` has no effect while `mode` is `shadow`: nothing is enforced that it could be compared with",
            "write `mode: enforce`, or remove `shadow`",
        );
    }
    let path = review.existing_file(&written)?;
    let text = match load::read(&path) {
        Ok(text) => text,
        Err(error) => {
            cedar::unreadable(&path, &error, &written, review);
            return None;
        }
    };
    let (candidate, found) = candidate(&text, &path, servers, review);
    review.absorb(found);
    candidate
}

fn candidate(
    text: &str,
    path: &Path,
    servers: Option<&[String]>,
    outer: &Review<'_>,
) -> (Option<Candidate>, Vec<Mistake>) {
    let mut review = Review::new(path, text, outer.environment());
    let candidate = read_candidate(text, servers, &mut review);
    let found = review.into_found();
    (candidate.filter(|_| found.is_empty()), found)
}

/// Of a whole configuration the policy alone counts, and of that neither its mode nor its tests.
pub(crate) fn read_candidate(
    text: &str,
    servers: Option<&[String]>,
    review: &mut Review<'_>,
) -> Option<Candidate> {
    let mut node = load::tree(text, review)?;
    review.expand_variables(&mut node);
    let section = policy_of(&node, review)?;
    walk(section, At::START, &Shape::Section(POLICY), review);
    let section = Section::new(POLICY, section);
    let policy = policy(&section, servers, review);
    Some(Candidate {
        policy: policy.set,
        digest: policy.digest,
        zone: policy.zone?,
    })
}

fn policy_of<'n>(node: &'n Node, review: &mut Review<'_>) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else {
        walk(node, At::START, &Shape::Section(ROOT), review);
        return None;
    };
    for (key, _) in entries {
        if ROOT.iter().all(|known| known.name != key.value) {
            let names: Vec<_> = ROOT.iter().map(|known| known.name).collect();
            let help = suggest::help(&key.value, &names, "known here");
            let message = format!("unknown key `{}`", key.value);
            review.report(key.at, "unknown-key", message, help);
        }
    }
    let found = entries.iter().find(|(key, _)| key.value == "policy");
    if found.is_none() {
        review.report(
            At::START,
            "missing-key",
            "missing key `policy`",
            "add `policy: { roles: { ... } }`",
        );
    }
    found.map(|(_, node)| node)
}

const SHADOW: &str = Mode::Shadow.name();
const UTC: &str = "UTC";
