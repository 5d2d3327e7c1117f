//! What a policy and its tests say and cannot mean. Pure: the tools of servers come from the caller.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use gatewright_policies::lint::{self, LintKind, matched};
use gatewright_policies::{Access, Place as Written, Row, Rule, RuleId};

use super::schema;
use super::tools::{Known, Tool};
use crate::config::places::Place;
use crate::config::{EDITABLE_CLAIMS, Loaded, suggest};
use crate::model::RoleName;

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// It is probably a mistake.
    Warning,
    /// It may be good to know.
    Note,
}

impl Level {
    /// The word for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The stable name.
    pub(super) code: &'static str,
    pub(super) path: PathBuf,
    pub(super) line: usize,
    /// The rule, when it is about one.
    pub(super) rule: Option<RuleId>,
    pub(super) message: String,
}

impl Finding {
    /// `gatewright.yaml:26`.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.path.display(), self.line)
    }

    /// About a rule.
    pub(super) fn of(place: &Place, level: Level, code: &'static str, message: &str) -> Self {
        Self {
            level,
            code,
            path: place.path.clone(),
            line: place.line,
            rule: Some(place.id.clone()),
            message: format!("`{}` {message}", place.text),
        }
    }

    fn at(path: &Path, line: usize, level: Level, message: String) -> Self {
        Self {
            level,
            code: "unknown-role",
            path: path.to_owned(),
            line,
            rule: None,
            message,
        }
    }
}

/// All that is found, in the order of files and lines.
pub(super) fn findings(loaded: &Loaded, known: &Known) -> Vec<Finding> {
    let policy = &loaded.settings.policy;
    let places = loaded.places.all();
    let mut found: Vec<Finding> = lint::lint(policy)
        .into_iter()
        .filter_map(|lint| of_set(&lint, places))
        .collect();
    for (rule, place) in policy.rules().iter().zip(places) {
        found.extend(claims(rule, place));
        found.extend(servers(rule, place, loaded));
        let tools = rule
            .subject
            .server
            .as_deref()
            .and_then(|name| known.of(name));
        let about_tools = rule.subject.accesses.contains(&Access::Tool);
        if let Some(tools) = tools.filter(|_| about_tools) {
            found.extend(names(rule, place, tools));
            found.extend(schema::findings(policy, rule, place, tools));
        }
    }
    found.extend(roles(loaded));
    found.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    found
}

fn of_set(lint: &lint::Lint, places: &[Place]) -> Option<Finding> {
    let place = places.get(lint.rule)?;
    let message = match lint.kind {
        LintKind::Shadowed(other) | LintKind::Repeated(other) => {
            format!("{} ({})", lint.kind, places.get(other)?.at())
        }
        LintKind::AllowsEverything
        | LintKind::MatchesNoName
        | LintKind::NeverTrue
        | LintKind::NeverThen => lint.kind.to_string(),
    };
    Some(Finding::of(
        place,
        Level::Warning,
        lint.kind.code(),
        &message,
    ))
}

/// A rule that trusts what users say of themselves.
fn claims(rule: &Rule, place: &Place) -> Vec<Finding> {
    let reads = |claim: &&&str| {
        let text = &rule.text;
        let written = [
            format!("claims.{claim}"),
            format!("claims has {claim}"),
            format!("claims[\"{claim}\"]"),
        ];
        written.iter().any(|form| {
            let follows =
                |after: &str| !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            text.match_indices(form.as_str())
                .any(|(at, _)| text.get(at + form.len()..).is_some_and(follows))
        })
    };
    if !rule.text.contains("claims") {
        return Vec::new();
    }
    let claims = EDITABLE_CLAIMS.iter().filter(reads);
    let finding = |claim: &&str| {
        let message = format!("reads the claim `{claim}`, which users can change");
        Finding::of(place, Level::Warning, "editable-claim", &message)
    };
    claims.map(finding).collect()
}

/// A Cedar policy about a server that nobody has; rows were checked when they were read.
fn servers(rule: &Rule, place: &Place, loaded: &Loaded) -> Option<Finding> {
    let server = rule.subject.server.as_deref()?;
    let servers = loaded.settings.servers.iter();
    let names: Vec<_> = servers.map(|one| one.audience.server.as_str()).collect();
    (!names.contains(&server)).then(|| {
        let help = suggest::help(server, &names, "known here");
        let message = format!("is about the server `{server}`, which there is not: {help}");
        Finding::of(place, Level::Warning, "unknown-server", &message)
    })
}

/// What a pattern matches today.
fn names(rule: &Rule, place: &Place, tools: &[Tool]) -> Option<Finding> {
    let (pattern, server) = (
        rule.subject.pattern.as_deref()?,
        rule.subject.server.as_deref()?,
    );
    let all: Vec<_> = tools.iter().map(|tool| tool.name.as_str()).collect();
    let row = Row::plain("", server, Access::Tool, pattern);
    let is_row = matches!(rule.place, Written::Row { .. });
    let found = matched(&row, all.iter().copied());
    let is_glob = pattern.contains(['*', '?']) && is_row;
    Some(match (found.as_slice(), is_glob) {
        ([], true) => {
            let message = format!("matches no tool of `{server}`");
            Finding::of(place, Level::Warning, "empty-glob", &message)
        }
        ([], false) => {
            let help = suggest::help(pattern, &all, "it has");
            let message = format!("is about `{pattern}`, which is no tool of `{server}`: {help}");
            Finding::of(place, Level::Warning, "unknown-tool", &message)
        }
        (found, true) => {
            let message = format!("matches {} today: {}", found.len(), found.join(", "));
            Finding::of(place, Level::Note, "matches", &message)
        }
        (_, false) => return None,
    })
}

/// Roles that only one of policy and tests knows.
fn roles(loaded: &Loaded) -> Vec<Finding> {
    let tests = loaded.suite.tests();
    if tests.is_empty() {
        return Vec::new();
    }
    let settings = &loaded.settings;
    let rules = settings.policy.rules().iter().zip(loaded.places.all());
    let of_policy: BTreeSet<&str> = settings
        .policy
        .rules()
        .iter()
        .filter_map(|rule| rule.subject.role.as_deref())
        .collect();
    let mut given: HashSet<&str> = tests
        .iter()
        .flat_map(|test| &test.case.asker.roles)
        .map(String::as_str)
        .collect();
    let grants = settings.grants.iter();
    given.extend(grants.map(|grant| grant.role.as_str()));
    let keys = settings
        .servers
        .iter()
        .filter_map(|server| server.audience.api_keys.as_ref());
    let rows = keys.flat_map(|keys| &keys.rows);
    given.extend(rows.flat_map(|row| &row.roles).map(RoleName::as_str));

    let mut found = Vec::new();
    let mut told = HashSet::new();
    for (rule, place) in rules {
        let Some(role) = rule.subject.role.as_deref() else {
            continue;
        };
        if !given.contains(role) && told.insert(role) {
            let message = format!("the role `{role}` is given by no rule and asked as by no test");
            found.push(Finding::at(&place.path, place.line, Level::Note, message));
        }
    }
    for test in tests {
        let strangers = test.case.asker.roles.iter();
        for role in strangers.filter(|role| !of_policy.contains(role.as_str())) {
            // A role that the policy does not know is what many a test is about; a slip is not.
            if let Some(meant) = suggest::nearest(role, of_policy.iter().copied()) {
                let message = format!("`{}` asks as `{role}`: did you mean `{meant}`?", test.name);
                found.push(Finding::at(&test.path, test.line, Level::Warning, message));
            }
        }
    }
    found
}
