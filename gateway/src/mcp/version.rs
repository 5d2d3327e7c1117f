//! The revisions of MCP and the two eras they fall into. Never guesses a revision it does not know.

/// A revision of MCP that this gateway speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Revision {
    /// 2025-03-26: the first with the streamable transport.
    V2025_03_26,
    /// 2025-06-18: `MCP-Protocol-Version`, no batches.
    V2025_06_18,
    /// 2025-11-25: tasks.
    V2025_11_25,
    /// 2026-07-28: no sessions; every request says its version.
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 4] = [
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// The revision with exactly this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|revision| revision.name().as_bytes() == name)
    }

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Does every request of this revision stand on its own?
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }
}

/// How a request is to be read. A property of each request, never of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// 2026-07-28: the version stands in `_meta`, headers mirror the body.
    Modern,
    /// Older: sessions, and headers that mirror nothing.
    Legacy,
}
