//! The tests of a policy: the files that `policy.tests` names, and what becomes of each case. Never serves anything.

use std::path::{Path, PathBuf};

use gatewright_policies::PolicySet;
use gatewright_policies::cases::{self, Case, Outcome};
use jiff::tz::TimeZone;

use crate::identity::settings::{Grant, IssuerSettings};

use super::case::case;
use super::cedar::{in_folder, unreadable};
use super::error::{FAILED_CASE, Mistake};
use super::load;
use super::policy_keys::{CASE, CASES};
use super::raw::Shape;
use super::review::Review;
use super::section::{Section, one_or_more, walk};
use super::tree::{At, Node, Text, Value};

/// What cases may name besides the policy.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) issuers: &'a [IssuerSettings],
    /// The names of all servers, if there is any.
    pub(crate) servers: Option<&'a [String]>,
    pub(crate) grants: &'a [Grant],
    /// Where hours and days are counted; absent when it has a mistake.
    pub(crate) zone: Option<&'a TimeZone>,
}

/// The tests of a policy, in the order of their files.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    tests: Vec<Test>,
}

/// One case and where it stands.
#[derive(Debug, Clone)]
pub struct Test {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What people call it.
    pub name: String,
    /// The case.
    pub case: Case,
    /// The line as it is written, and where the case starts in it.
    source: String,
    column: usize,
}

/// A test that ran.
#[derive(Debug)]
pub struct Ran<'s> {
    /// The test.
    pub test: &'s Test,
    /// How it went.
    pub outcome: Outcome,
}

impl Suite {
    /// Every test.
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Runs every test against `policy`.
    pub fn run(&self, policy: &PolicySet) -> Vec<Ran<'_>> {
        let run = |test| Ran {
            test,
            outcome: cases::run(policy, &test.case),
        };
        self.tests.iter().map(run).collect()
    }
}

impl Ran<'_> {
    /// The mistake that a failed test is.
    pub(crate) fn into_mistake(self) -> Option<Mistake> {
        let difference = self.outcome.difference?;
        let deciding = cases::deciding(&self.outcome.answer);
        let rules: Vec<_> = deciding.iter().map(|rule| format!("`{rule}`")).collect();
        let help = if rules.is_empty() {
            "no rule allows it; change the policy or the case".to_owned()
        } else {
            format!(
                "{} decided; change the policy or the case",
                rules.join(", ")
            )
        };
        let test = self.test;
        let left = test.source.chars().count() + 1;
        Some(Mistake {
            path: test.path.clone(),
            line: test.line,
            column: test.column,
            width: left.saturating_sub(test.column).max(1),
            source: test.source.clone(),
            message: format!("{}: {difference}", test.name),
            help,
            code: FAILED_CASE,
        })
    }
}

/// The tests that the section of a policy names.
pub(crate) fn suite(
    policy: &Section<'_>,
    surroundings: &Surroundings<'_>,
    review: &mut Review<'_>,
) -> Suite {
    let mut paths: Vec<(PathBuf, Text)> = Vec::new();
    for written in one_or_more(policy, "tests").unwrap_or_default() {
        for path in matching(&written, review) {
            if paths.iter().all(|(earlier, _)| *earlier != path) {
                paths.push((path, written.clone()));
            }
        }
    }
    let mut tests = Vec::new();
    for (path, written) in paths {
        match load::read(&path) {
            Ok(text) => {
                let mut inner = Review::new(&path, &text, review.environment());
                tests.extend(tests_of(&text, &path, surroundings, &mut inner));
                review.absorb(inner.into_found());
            }
            Err(error) => unreadable(&path, &error, &written, review),
        }
    }
    Suite { tests }
}

/// The files that a pattern names: a file, a folder, or a name with `*` in a folder.
fn matching(written: &Text, review: &mut Review<'_>) -> Vec<PathBuf> {
    let path = review.resolve(&written.value);
    let name = path.file_name().and_then(|name| name.to_str());
    let folder = path.parent().unwrap_or(Path::new(""));
    let found = match name {
        _ if path.is_dir() => in_folder(&path, "yaml"),
        Some(name) if name.contains('*') => in_folder(&current(folder), "yaml").map(|paths| {
            let fits = |path: &PathBuf| {
                let found = path.file_name().and_then(|name| name.to_str());
                found.is_some_and(|found| fits(name, found))
            };
            paths.into_iter().filter(fits).collect()
        }),
        _ => Ok(review
            .existing_file(written)
            .into_iter()
            .collect::<Vec<_>>()),
    };
    match found {
        Ok(paths) if paths.is_empty() && (path.is_dir() || written.value.contains('*')) => {
            review.report(
                written.at,
                "no-match",
                format!("no file `*.yaml` matches `{}`", written.value),
                "write tests there, or remove the pattern",
            );
            paths
        }
        Ok(paths) => paths,
        Err(error) => {
            unreadable(folder, &error, written, review);
            Vec::new()
        }
    }
}

/// The folder itself; the one that the program runs in when nothing is named.
fn current(folder: &Path) -> PathBuf {
    if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder.to_owned()
    }
}

/// Whether `name` is what `pattern` means, in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(tail) = name.strip_prefix(before) else {
        return false;
    };
    let borders = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
    borders
        .filter_map(|at| tail.get(at..))
        .any(|tail| fits(rest, tail))
}

fn tests_of(
    text: &str,
    path: &Path,
    surroundings: &Surroundings<'_>,
    review: &mut Review<'_>,
) -> Vec<Test> {
    let Some(mut node) = load::tree(text, review) else {
        return Vec::new();
    };
    review.expand_variables(&mut node);
    let is_list = matches!(node.value, Value::List(_));
    let shape = if is_list { &BARE } else { &WITH_DEFAULTS };
    walk(&node, At::START, shape, review);
    let file = Section::new(CASES, &node);
    let (defaults, items) = if is_list {
        (None, Some(&node))
    } else {
        (file.node("defaults"), file.node("cases"))
    };
    let Some(Value::List(items)) = items.map(|node| &node.value) else {
        return Vec::new();
    };
    if items.is_empty() {
        review.report(
            node.at,
            "empty-list",
            "the file has no case",
            "add one, or remove the file",
        );
    }
    let maps = items
        .iter()
        .filter(|item| matches!(item.value, Value::Map(_)));
    let merged = maps.map(|item| merged(item, defaults));
    let read = merged.filter_map(|node| {
        let (name, case) = case(&Section::new(CASE, &node), surroundings, review)?;
        Some(Test {
            path: path.to_owned(),
            line: node.at.line,
            name,
            case,
            source: review.source(node.at),
            column: node.at.column,
        })
    });
    read.collect()
}

/// The case with what it leaves to the defaults of its file; of `as`, each key by itself.
fn merged(item: &Node, defaults: Option<&Node>) -> Node {
    let (Value::Map(own), Some(Value::Map(others))) =
        (&item.value, defaults.map(|node| &node.value))
    else {
        return item.clone();
    };
    let names_target = own.iter().any(|(key, _)| is_target(&key.value));
    let mut all: Vec<_> = own
        .iter()
        .map(|(key, value)| {
            let default = others.iter().find(|(name, _)| name.value == key.value);
            let inner = default.filter(|_| key.value == "as").map(|(_, node)| node);
            (key.clone(), merged(value, inner))
        })
        .collect();
    let left = others.iter().filter(|(name, _)| {
        let is_said = own.iter().any(|(key, _)| key.value == name.value);
        !(is_said || names_target && is_target(&name.value))
    });
    all.extend(left.cloned());
    Node {
        value: Value::Map(all),
        at: item.at,
    }
}

fn is_target(key: &str) -> bool {
    super::row::TARGETS.iter().any(|(name, _)| *name == key)
}

static BARE: Shape = Shape::Each(&Shape::Section(CASE));
static WITH_DEFAULTS: Shape = Shape::Section(CASES);

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_any_characters() {
        assert!(fits("*.yaml", "a.yaml") && fits("a*b*.yaml", "axbx.yaml"));
        assert!(fits("a*", "a") && fits("a", "a"));
        assert!(!fits("*.yaml", "a.yml") && !fits("a*b", "ab.yaml"));
    }
}
