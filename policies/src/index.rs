//! Where to look for the rows that could apply: by server, role, kind and name. Weighs none of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::pattern::{Glob, Pattern};
use crate::question::Access;
use crate::roles::Row;

/// Rows by server.
#[derive(Debug, Default)]
pub(crate) struct RowIndex {
    servers: HashMap<Box<str>, Server>,
}

/// The rows of one server.
#[derive(Debug, Default)]
pub(crate) struct Server {
    roles: HashMap<Box<str>, Grants>,
    exact_tools: BTreeSet<Box<str>>,
}

/// What one role may use of one server. Numbers are positions among the rules.
#[derive(Debug, Default)]
struct Grants {
    tools: Patterns,
    prompts: Patterns,
    resources: Patterns,
}

/// Rows of one role, server and kind.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    exact: HashMap<Box<str>, Vec<usize>>,
    /// By the length of the literal prefix, then by the prefix: unrelated globs cost nothing.
    globs: BTreeMap<usize, ByPrefix>,
    /// Whether some row says more than who, what and which scopes.
    has_terms: bool,
}

type ByPrefix = HashMap<Box<str>, Vec<(Glob, usize)>>;

impl RowIndex {
    pub(crate) fn insert(&mut self, row: &Row, pattern: Pattern, number: usize) {
        let server = self.servers.entry(row.server.as_str().into()).or_default();
        if row.access == Access::Tool && pattern == Pattern::Exact {
            server.exact_tools.insert(row.pattern.as_str().into());
        }
        let grants = server.roles.entry(row.role.as_str().into()).or_default();
        let patterns = grants.patterns_mut(row.access);
        patterns.has_terms |= row.has_terms();
        patterns.insert(&row.pattern, pattern, number);
    }

    pub(crate) fn server(&self, name: &str) -> Option<&Server> {
        self.servers.get(name)
    }

    /// The tools of this server that rows name without a wildcard, each once, in order of the alphabet.
    pub(crate) fn exact_tools(&self, server: &str) -> impl Iterator<Item = &str> {
        self.servers
            .get(server)
            .into_iter()
            .flat_map(|server| server.exact_tools.iter().map(|tool| &**tool))
    }
}

impl Server {
    pub(crate) fn patterns(&self, role: &str, access: Access) -> Option<&Patterns> {
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
    fn insert(&mut self, text: &str, pattern: Pattern, number: usize) {
        match pattern {
            Pattern::Exact => self.exact.entry(text.into()).or_default().push(number),
            Pattern::Glob(glob) => {
                let by_prefix = self.globs.entry(glob.prefix().len()).or_default();
                by_prefix
                    .entry(glob.prefix().into())
                    .or_default()
                    .push((glob, number));
            }
        }
    }

    /// Whether some row says more than who, what and which scopes.
    pub(crate) const fn has_terms(&self) -> bool {
        self.has_terms
    }

    pub(crate) fn exact(&self, name: &str) -> impl Iterator<Item = usize> {
        self.exact.get(name).into_iter().flatten().copied()
    }

    pub(crate) fn globs(&self, name: &str) -> impl Iterator<Item = usize> {
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
            .map(|(_, number)| *number)
    }
}
