//! `gatewright policy test`: what each test of the policy expects, and what it gets. Never serves anything.

use std::collections::HashSet;
use std::fmt::Write as _;

use clap::ValueEnum;
use gatewright_policies::{RuleId, cases};
use serde_json::{Value, json};

use super::junit::junit;
use super::untested;
use crate::cli::check::{OK, TESTS_FAILED};
use crate::cli::lines::visible;
use crate::cli::{Configured, FAILED, complain, say};
use crate::config::places::{Place, Places};
use crate::config::suite::Ran;
use crate::config::{Colour, Loaded};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Test {
    #[command(flatten)]
    configured: Configured,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Form::Text)]
    output: Form,
    /// Name the rules that no test reaches.
    #[arg(long)]
    coverage: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
    Junit,
}

pub(super) fn run(test: Test, colour: Colour) -> u8 {
    let (path, loaded) = match untested(test.configured, colour) {
        Ok(found) => found,
        Err(code) => return code,
    };
    if loaded.suite.tests().is_empty() {
        complain(&format!(
            "{} names no tests\n  = help: add `tests: tests/*.yaml` under `policy`",
            path.display()
        ));
        return FAILED;
    }
    let report = Report::of(&loaded);
    match test.output {
        Form::Text => {
            for line in report.lines(test.coverage) {
                say(&line);
            }
        }
        Form::Json => say(&format!("{:#}", report.json())),
        Form::Junit => say(&junit(&report.ran, |ran| report.line(ran))),
    }
    if report.failed() == 0 {
        OK
    } else {
        TESTS_FAILED
    }
}

/// What came of all tests.
struct Report<'s> {
    ran: Vec<Ran<'s>>,
    places: &'s Places,
    unreached: Vec<&'s Place>,
}

impl<'s> Report<'s> {
    fn of(loaded: &'s Loaded) -> Self {
        let places = &loaded.places;
        let ran = loaded.suite.run(&loaded.settings.policy);
        let policy = &loaded.settings.policy;
        let reached: HashSet<_> = ran
            .iter()
            .flat_map(|ran| cases::reached(policy, &ran.test.case))
            .collect();
        let all = places.all().iter();
        let unreached = all.filter(|place| !reached.contains(&place.id)).collect();
        Self {
            ran,
            places,
            unreached,
        }
    }

    fn failed(&self) -> usize {
        let failed = |ran: &&Ran<'_>| ran.outcome.difference.is_some();
        self.ran.iter().filter(failed).count()
    }

    fn lines(&self, with_coverage: bool) -> Vec<String> {
        let failed = self.failed();
        let mut lines = vec![format!(
            "policy_tests: {} passed, {failed} failed",
            self.ran.len() - failed
        )];
        let wrong = self
            .ran
            .iter()
            .filter(|ran| ran.outcome.difference.is_some());
        lines.extend(wrong.map(|ran| format!("  {}", self.line(ran))));
        if with_coverage {
            let count = self.places.all().len();
            let reached = count - self.unreached.len();
            lines.push(format!("coverage: {reached} of {count} rules reached"));
            let missed = self.unreached.iter();
            lines.extend(missed.map(|place| format!("  not reached  {}", shown(place))));
        }
        lines
    }

    /// `tests/refund.yaml:14  support refund amount=150   expected deny, got allow   rule gatewright.yaml:26 ...`
    fn line(&self, ran: &Ran<'_>) -> String {
        let test = ran.test;
        // Writing to a string cannot fail.
        let mut line = format!("{}:{}  {}", test.path.display(), test.line, test.name);
        if let Some(difference) = &ran.outcome.difference {
            let _ = write!(line, "   {difference}");
        }
        for rule in cases::deciding(&ran.outcome.answer) {
            let place = self
                .places
                .find(rule)
                .map_or_else(|| rule.to_string(), shown);
            let _ = write!(line, "   rule {place}");
        }
        visible(&line)
    }

    fn json(&self) -> Value {
        let cases: Vec<_> = self.ran.iter().map(|ran| self.case(ran)).collect();
        let missed = self.unreached.iter();
        let missed: Vec<_> = missed.map(|place| rule(&place.id, Some(place))).collect();
        let failed = self.failed();
        json!({
            "passed": self.ran.len() - failed,
            "failed": failed,
            "cases": cases,
            "coverage": { "rules": self.places.all().len(), "unreached": missed },
        })
    }

    fn case(&self, ran: &Ran<'_>) -> Value {
        let (test, outcome) = (ran.test, &ran.outcome);
        let rules: Vec<_> = cases::deciding(&outcome.answer)
            .iter()
            .map(|id| rule(id, self.places.find(id)))
            .collect();
        json!({
            "file": test.path.display().to_string(),
            "line": test.line,
            "name": test.name,
            "passed": outcome.difference.is_none(),
            "difference": outcome.difference.as_ref().map(ToString::to_string),
            "rules": rules,
        })
    }
}

/// `gatewright.yaml:26 `args.amount <= 1000``
fn shown(place: &Place) -> String {
    visible(&format!("{} `{}`", place.at(), place.text))
}

fn rule(id: &RuleId, place: Option<&Place>) -> Value {
    json!({ "id": id.as_str(), "place": place.map(Place::at) })
}
