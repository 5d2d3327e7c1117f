//! `gatewright policy test`: what each test of the policy expects, and what it gets. Never serves anything.

use std::collections::BTreeSet;
use std::path::Path;

use clap::ValueEnum;
use gatewright_policies::cases;
use serde_json::{Value, json};

use super::junit::junit;
use super::place::Places;
use crate::cli::check::{self, OK, TESTS_FAILED};
use crate::cli::lines::visible;
use crate::cli::{Configured, FAILED, INVALID, complain, say, talk};
use crate::config::suite::{Ran, Suite};
use crate::config::{Colour, Settings, load, search};

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
    let path = match search::find(test.configured.config, &search::process_environment) {
        Ok(path) => path,
        Err(nothing) => {
            complain(&format!("{nothing}\n  = help: name one with `--config`"));
            return INVALID;
        }
    };
    let (settings, suite) = match load::load_untested(&path, &search::process_environment) {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            talk(&mistakes.render(colour));
            return check::refused(&mistakes);
        }
    };
    if suite.tests().is_empty() {
        complain(&format!(
            "{} names no tests\n  = help: add `tests: tests/*.yaml` under `policy`",
            path.display()
        ));
        return FAILED;
    }
    let report = Report::of(&settings, &suite, &path);
    match test.output {
        Form::Text => report
            .lines(test.coverage)
            .iter()
            .for_each(|line| say(line)),
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
    places: Places,
    /// The rules that no test reaches, and how many rules there are.
    unreached: (Vec<String>, usize),
}

impl<'s> Report<'s> {
    fn of(settings: &Settings, suite: &'s Suite, path: &Path) -> Self {
        let ran = suite.run(&settings.policy);
        let places = Places::of(&settings.policy, path);
        let reached: BTreeSet<_> = ran
            .iter()
            .flat_map(|ran| cases::deciding(&ran.outcome.answer))
            .map(ToString::to_string)
            .collect();
        let all = places.ids();
        let count = all.len();
        let unreached = all.into_iter().filter(|id| !reached.contains(id)).collect();
        let unreached = (unreached, count);
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
            let (unreached, count) = &self.unreached;
            lines.push(format!(
                "coverage: {} of {count} rules reached",
                count - unreached.len()
            ));
            lines.extend(
                unreached
                    .iter()
                    .map(|id| format!("  not reached  {}", self.rule(id))),
            );
        }
        lines
    }

    /// `tests/refund.yaml:14  support refund amount=150   expected deny, got allow   rule gatewright.yaml:26 ...`
    fn line(&self, ran: &Ran<'_>) -> String {
        let test = ran.test;
        let mut line = format!("{}:{}  {}", test.path.display(), test.line, test.name);
        if let Some(difference) = &ran.outcome.difference {
            line.push_str(&format!("   {difference}"));
        }
        for rule in cases::deciding(&ran.outcome.answer) {
            line.push_str(&format!("   rule {}", self.rule(rule.as_str())));
        }
        visible(&line)
    }

    fn rule(&self, id: &str) -> String {
        match self.places.find(id) {
            Some(place) => format!("{} `{}`", place.at, place.text),
            None => id.to_owned(),
        }
    }

    fn json(&self) -> Value {
        let cases: Vec<_> = self.ran.iter().map(|ran| self.case(ran)).collect();
        let (unreached, count) = &self.unreached;
        let failed = self.failed();
        json!({
            "passed": self.ran.len() - failed,
            "failed": failed,
            "cases": cases,
            "coverage": { "rules": count, "unreached": unreached },
        })
    }

    fn case(&self, ran: &Ran<'_>) -> Value {
        let (test, outcome) = (ran.test, &ran.outcome);
        let rules: Vec<_> = cases::deciding(&outcome.answer)
            .iter()
            .map(|rule| {
                let at = self.places.find(rule.as_str()).map(|place| &place.at);
                json!({ "id": rule.as_str(), "place": at })
            })
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
