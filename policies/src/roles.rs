//! The rows of the roles: who may use what, where, and on which terms. Grants nothing by itself.

use crate::answer::Approval;
use crate::limit::Limit;
use crate::question::Access;
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

    /// Whether it says more than who, what and which scopes.
    pub(crate) const fn has_terms(&self) -> bool {
        self.when.is_some()
            || self.details.is_some()
            || self.approval.is_some()
            || self.tier.is_some()
            || !self.limits.is_empty()
    }
}
