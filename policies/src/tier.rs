//! How much harm a call can do. Says nothing about what follows from it.

/// How much harm a call can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// Little: it is allowed.
    #[default]
    Low,
    /// Some: it is allowed, and somebody is told.
    Medium,
    /// Much: a human agrees first, and the login is fresh.
    High,
}

impl Tier {
    /// Every tier, the least harmful first.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The name in configurations and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}
