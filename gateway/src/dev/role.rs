//! The two roles of `gatewright dev`, each with one registered client. Never more than is needed to see a denial.

/// Who can be tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DevRole {
    /// Looks things up, changes nothing.
    Reader,
    /// A reader who also adds.
    Editor,
}

impl DevRole {
    /// Both roles.
    pub const ALL: [Self; 2] = [Self::Reader, Self::Editor];

    /// The role as tokens and the policy name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Editor => "editor",
        }
    }

    /// The `client_id` of the agent that is registered for this role.
    pub const fn client_id(self) -> &'static str {
        match self {
            Self::Reader => "reader-agent",
            Self::Editor => "editor-agent",
        }
    }

    /// The scopes that this role's client may have.
    pub const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Reader => &[READ_SCOPE],
            Self::Editor => &[READ_SCOPE, WRITE_SCOPE],
        }
    }
}

/// The scope without which nobody connects.
pub(super) const READ_SCOPE: &str = "mcp:read";
/// The scope for what changes something.
pub(super) const WRITE_SCOPE: &str = "mcp:write";
