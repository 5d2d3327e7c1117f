//! Conditions that no call can meet: constants, and hours that never come. In doubt a call can.

use std::collections::{BTreeSet, HashMap};
use std::str::FromStr as _;

use cedar_policy::{
    Context, Entities, EntityUid, EvalResult, Expression, Request, RestrictedExpression,
    eval_expression,
};

use super::LintKind;
use crate::program::{Clause, Shape};
use crate::rule::Rule;

/// What was found out about parts of conditions: hours are often the same for many rules.
#[derive(Debug, Default)]
pub(super) struct Hours(HashMap<String, bool>);

impl Hours {
    /// Why the condition of `rule` is never true, if it is not.
    pub(super) fn never(&mut self, rule: &Rule) -> Option<LintKind> {
        let program = rule.program.as_ref()?;
        let mut parts = Vec::new();
        conjuncts(&program.clause, &mut parts);
        let mut timely = Vec::new();
        for part in parts {
            match subject(part, &rule.text) {
                Subject::Nothing if holds(part, &rule.text, NOON) == Some(false) => {
                    return Some(LintKind::NeverTrue);
                }
                Subject::Time => timely.push(part),
                Subject::Nothing | Subject::Other => {}
            }
        }
        (!timely.is_empty() && !self.come(&timely, &rule.text)).then_some(LintKind::NeverThen)
    }

    /// Whether there is a minute of the week in which all of `parts` hold.
    fn come(&mut self, parts: &[&Clause], text: &str) -> bool {
        let mut words = Vec::new();
        for part in parts {
            leaves(part, text, &mut words);
        }
        let key = words.join(" && ");
        if let Some(known) = self.0.get(&key) {
            return *known;
        }
        let minutes = minutes(&key);
        let found = (1..=7).any(|weekday| {
            minutes.iter().any(|minute| {
                let moment = (weekday, *minute);
                // What cannot be told may hold.
                parts
                    .iter()
                    .all(|part| holds(part, text, moment).unwrap_or(true))
            })
        });
        self.0.insert(key, found);
        found
    }
}

/// What a part looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Nothing,
    Time,
    Other,
}

fn conjuncts<'c>(clause: &'c Clause, found: &mut Vec<&'c Clause>) {
    match &clause.shape {
        Shape::All(parts) => {
            for part in parts {
                conjuncts(part, found);
            }
        }
        Shape::Leaf(_) | Shape::Any(_) | Shape::Not(_) => found.push(clause),
    }
}

fn leaves<'t>(clause: &Clause, text: &'t str, found: &mut Vec<&'t str>) {
    match &clause.shape {
        Shape::Leaf(_) => found.extend(text.get(clause.bytes.clone())),
        Shape::All(parts) | Shape::Any(parts) => {
            for part in parts {
                leaves(part, text, found);
            }
        }
        Shape::Not(inner) => leaves(inner, text, found),
    }
}

fn subject(clause: &Clause, text: &str) -> Subject {
    let mut words = Vec::new();
    leaves(clause, text, &mut words);
    let all = words.join(" ");
    let rest = TIME
        .iter()
        .fold(all.clone(), |rest, word| rest.replace(word, ""));
    if VARIABLES.iter().any(|variable| rest.contains(variable)) {
        Subject::Other
    } else if rest == all {
        Subject::Nothing
    } else {
        Subject::Time
    }
}

/// Whether a part holds at this weekday and minute; nothing when it cannot be told.
fn holds(clause: &Clause, text: &str, moment: (i64, i64)) -> Option<bool> {
    match &clause.shape {
        Shape::Leaf(_) => ask(text.get(clause.bytes.clone())?, moment),
        Shape::Not(inner) => holds(inner, text, moment).map(|held| !held),
        Shape::All(parts) => fold(parts, text, moment, |held| !held),
        Shape::Any(parts) => fold(parts, text, moment, |held| held),
    }
}

/// The first answer that decides, else the last one.
fn fold(
    parts: &[Clause],
    text: &str,
    moment: (i64, i64),
    decides: fn(bool) -> bool,
) -> Option<bool> {
    let mut last = None;
    for part in parts {
        let held = holds(part, text, moment)?;
        if decides(held) {
            return Some(held);
        }
        last = Some(held);
    }
    last
}

fn ask(text: &str, (weekday, minute): (i64, i64)) -> Option<bool> {
    let expression = Expression::from_str(text).ok()?;
    let pairs = [("weekday", weekday), ("minute", minute)]
        .map(|(name, value)| (name.to_owned(), RestrictedExpression::new_long(value)));
    let context = Context::from_pairs(pairs).ok()?;
    let nobody = EntityUid::from_str("Nobody::\"\"").ok()?;
    let request = Request::new(nobody.clone(), nobody.clone(), nobody, context, None).ok()?;
    match eval_expression(&request, &Entities::empty(), &expression) {
        Ok(EvalResult::Bool(held)) => Some(held),
        Ok(_) | Err(_) => None,
    }
}

/// The minutes of a day at which something may change: those around the numbers of `text`, or all if it computes any.
fn minutes(text: &str) -> BTreeSet<i64> {
    if text.contains(['*', '+']) || text.contains("- ") {
        return (0..DAY).collect();
    }
    let numbers = text
        .split(|one: char| !one.is_ascii_digit())
        .filter_map(|digits| digits.parse::<i64>().ok());
    numbers
        .flat_map(|number| [number.saturating_sub(1), number, number.saturating_add(1)])
        .chain([0, DAY - 1])
        .filter(|minute| (0..DAY).contains(minute))
        .collect()
}

const VARIABLES: [&str; 4] = ["principal", "resource", "action", "context"];
const TIME: [&str; 2] = ["context.weekday", "context.minute"];
/// Minutes of a day.
const DAY: i64 = 24 * 60;
const NOON: (i64, i64) = (1, 12 * 60);
