//! The per-role allowlist. What no row grants is denied; no row takes anything away.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::answer::{Answer, Approval, Denial, Grant, RuleId};
use crate::error::RowFault;
use crate::limit::Limit;
use crate::pattern::{Glob, Pattern, is_plain};
use crate::question::{Access, Question};
use crate::tier::Tier;

#[cfg(test)]
mod tests;

/// One line of the allowlist: who may use what, where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The role that is granted something.
    pub role: String,
    /// The server's exact name.
    pub server: String,
    /// The kind of thing.
    pub access: Access,
    /// A name or URI, or a pattern of them: `*` and `?`, and `**` in URIs.
    pub pattern: String,
    /// Scopes that the token must have, all of them, for this row to count.
    pub scopes: Vec<String>,
    /// What must hold besides: a Cedar condition.
    pub when: Option<String>,
    /// The `type` of `authorization_details` that the condition looks at (RFC 9396 section 2).
    pub details: Option<String>,
    /// Who must agree to each call.
    pub approval: Option<Approval>,
    /// How much harm a call can do, if the row says so.
    pub tier: Option<Tier>,
    /// What calls are taken from.
    pub limits: Vec<Limit>,
    /// The line of the file that says so, from 1; 0 when there is no file.
    pub line: u32,
}

impl Row {
    /// A row without conditions.
    pub fn plain(role: &str, server: &str, access: Access, pattern: &str) -> Self {
        Self {
            role: role.to_owned(),
            server: server.to_owned(),
            access,
            pattern: pattern.to_owned(),
            scopes: Vec::new(),
            when: None,
            details: None,
            approval: None,
            tier: None,
            limits: Vec::new(),
            line: 0,
        }
    }
}

/// The allowlist, ready to be asked. The empty one denies everything. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct RoleTable(Arc<Rules>);

#[derive(Default)]
struct Rules {
    rows: Vec<Row>,
    ids: Vec<RuleId>,
    servers: HashMap<Box<str>, Server>,
}

#[derive(Default)]
struct Server {
    roles: HashMap<Box<str>, Grants>,
    exact_tools: BTreeSet<Box<str>>,
}

/// What one role may use of one server. Numbers are positions in `Rules::rows`.
#[derive(Default)]
struct Grants {
    tools: Patterns,
    prompts: Patterns,
    resources: Patterns,
}

#[derive(Default)]
struct Patterns {
    exact: HashMap<Box<str>, Vec<usize>>,
    /// By the length of the literal prefix, then by the prefix: unrelated globs cost nothing.
    globs: BTreeMap<usize, ByPrefix>,
}

type ByPrefix = HashMap<Box<str>, Vec<(Glob, usize)>>;

impl RoleTable {
    /// Reads every pattern once. All faults are reported, not only the first.
    pub(crate) fn build(rows: Vec<Row>) -> Result<Self, Vec<RowFault>> {
        let mut servers: HashMap<Box<str>, Server> = HashMap::new();
        let mut ids = Vec::with_capacity(rows.len());
        let mut next_position: HashMap<(&str, &str), usize> = HashMap::new();
        let mut faults = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let position = next_position.entry((&row.role, &row.server)).or_default();
            ids.push(RuleId::of_row(&row.role, &row.server, *position));
            *position += 1;
            match Pattern::parse(row.access, &row.pattern) {
                Ok(pattern) => servers
                    .entry(row.server.as_str().into())
                    .or_default()
                    .insert(row, pattern, index),
                Err(kind) => faults.push(RowFault { index, kind }),
            }
        }
        if faults.is_empty() {
            Ok(Self(Arc::new(Rules { rows, ids, servers })))
        } else {
            Err(faults)
        }
    }

    /// The rows as they were given.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.0.rows
    }

    /// Answers one question. Allocates only to deny for a missing scope.
    pub(crate) fn decide<R: Borrow<str>, S: Borrow<str>>(
        &self,
        question: &Question<'_, R, S>,
    ) -> Answer {
        let mut weighing = Weighing {
            rules: &self.0,
            scopes: question.scopes,
            allowed: None,
            nearest: None,
        };
        let Some(server) = self.0.servers.get(question.server) else {
            return weighing.answer();
        };
        let granted = || {
            question
                .roles
                .iter()
                .filter_map(|role| server.patterns(role.borrow(), question.access))
        };
        for patterns in granted() {
            patterns
                .exact(question.name)
                .for_each(|row| weighing.weigh(row));
        }
        if weighing.allowed.is_none() && is_plain(question.access, question.name) {
            for patterns in granted() {
                patterns
                    .globs(question.name)
                    .for_each(|row| weighing.weigh(row));
            }
        }
        weighing.answer()
    }

    /// The tools of this server that rows name without a wildcard, each once, in order of the alphabet.
    pub(crate) fn exact_tools(&self, server: &str) -> impl Iterator<Item = &str> {
        self.0
            .servers
            .get(server)
            .into_iter()
            .flat_map(|server| server.exact_tools.iter().map(|tool| &**tool))
    }
}

impl fmt::Debug for RoleTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RoleTable").field(&self.0.rows).finish()
    }
}

impl Server {
    fn insert(&mut self, row: &Row, pattern: Pattern, index: usize) {
        if row.access == Access::Tool && pattern == Pattern::Exact {
            self.exact_tools.insert(row.pattern.as_str().into());
        }
        let grants = self.roles.entry(row.role.as_str().into()).or_default();
        grants
            .patterns_mut(row.access)
            .insert(&row.pattern, pattern, index);
    }

    fn patterns(&self, role: &str, access: Access) -> Option<&Patterns> {
        let grants = self.roles.get(role)?;
        Some(match access {
            Access::Tool => &grants.tools,
            Access::Prompt => &grants.prompts,
            Access::Resource => &grants.resources,
        })
    }
}

impl Grants {
    fn patterns_mut(&mut self, access: Access) -> &mut Patterns {
        match access {
            Access::Tool => &mut self.tools,
            Access::Prompt => &mut self.prompts,
            Access::Resource => &mut self.resources,
        }
    }
}

impl Patterns {
    fn insert(&mut self, text: &str, pattern: Pattern, row: usize) {
        match pattern {
            Pattern::Exact => self.exact.entry(text.into()).or_default().push(row),
            Pattern::Glob(glob) => {
                let by_prefix = self.globs.entry(glob.prefix().len()).or_default();
                by_prefix
                    .entry(glob.prefix().into())
                    .or_default()
                    .push((glob, row));
            }
        }
    }

    fn exact(&self, name: &str) -> impl Iterator<Item = usize> {
        self.exact.get(name).into_iter().flatten().copied()
    }

    fn globs(&self, name: &str) -> impl Iterator<Item = usize> {
        self.globs
            .range(..=name.len())
            .filter_map(|(length, by_prefix)| {
                let (prefix, tail) = name.split_at_checked(*length)?;
                Some((by_prefix.get(prefix)?, tail))
            })
            .flat_map(|(globs, tail)| {
                globs
                    .iter()
                    .filter(move |(glob, _)| glob.matches_after_prefix(tail))
            })
            .map(|(_, row)| *row)
    }
}

/// The matching rows seen so far, boiled down so that their order does not matter.
struct Weighing<'a, S> {
    rules: &'a Rules,
    scopes: &'a [S],
    /// The first row that allows.
    allowed: Option<usize>,
    /// The row with the fewest missing scopes, and how many.
    nearest: Option<(usize, usize)>,
}

impl<S: Borrow<str>> Weighing<'_, S> {
    fn weigh(&mut self, index: usize) {
        let count = self.missing(index).count();
        if count == 0 {
            self.allowed = Some(self.allowed.map_or(index, |first| first.min(index)));
            return;
        }
        let candidate = (count, index);
        self.nearest = Some(
            self.nearest
                .map_or(candidate, |nearest| nearest.min(candidate)),
        );
    }

    fn missing(&self, index: usize) -> impl Iterator<Item = &String> {
        self.scopes_of(index).iter().filter(|wanted| {
            !self
                .scopes
                .iter()
                .any(|scope| scope.borrow() == wanted.as_str())
        })
    }

    fn scopes_of(&self, index: usize) -> &[String] {
        let row = self.rules.rows.get(index);
        row.map_or(&[], |row| row.scopes.as_slice())
    }

    fn answer(&self) -> Answer {
        let allowed = self
            .allowed
            .and_then(|index| Some((index, self.rules.ids.get(index)?)));
        if let Some((index, rule)) = allowed {
            return Answer::Allow(Grant {
                rule: rule.clone(),
                scopes: self.scopes_of(index).to_vec(),
                tier: Tier::Low,
                charges: Vec::new(),
            });
        }
        let Some((index, rule)) = self
            .nearest
            .and_then(|(_, index)| Some((index, self.rules.ids.get(index)?)))
        else {
            return Answer::Deny(Denial::NoRule);
        };
        Answer::Deny(Denial::ScopeMissing {
            missing: self.missing(index).cloned().collect(),
            rule: rule.clone(),
        })
    }
}
