//! Whether the policy is enforced. Never decides anything itself.

/// What becomes of what the policy denies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is refused.
    #[default]
    Enforce,
    /// It passes, and the record says that it would have been refused.
    Shadow,
}

impl Mode {
    /// The name in configurations and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}
