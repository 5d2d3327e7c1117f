//! How much harm a call can do, and what follows from it at one server. Believes what a tool says of itself only where
//! its server is trusted.

use gatewright_policies::{Annotations, Tier, ToolSet};

use crate::decision::freshness::Freshness;

/// One tier of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierRow {
    /// The tier.
    pub tier: Tier,
    /// The tools that are in it by their names.
    pub tools: ToolSet,
    /// A tool of which one of these is true is in it.
    pub hints: Vec<Hint>,
    /// How fresh token and login must be for calls in it.
    pub freshness: Freshness,
    /// Whether a human has to agree, where the tier is `high`.
    pub approval: TierApproval,
}

/// Whether calls of the tier `high` wait for a human.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TierApproval {
    /// They do.
    #[default]
    Required,
    /// They do not, because the configuration says so.
    None,
}

/// Whether what tools say of themselves counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Trust {
    /// It does not: every tool is taken for the worst.
    #[default]
    Nobody,
    /// It does, as it was pinned.
    Pinned,
}

/// What a tool says of itself that puts it in a tier. A tool that says nothing says the worst, as MCP has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// `destructiveHint`, of a tool that does not only read.
    Destructive,
    /// `readOnlyHint` is not set.
    NotReadOnly,
    /// `idempotentHint` is not set, of a tool that does not only read.
    NotIdempotent,
    /// `openWorldHint`.
    OpenWorld,
}

impl Hint {
    /// Every hint.
    pub const ALL: [Self; 4] = [
        Self::Destructive,
        Self::NotReadOnly,
        Self::NotIdempotent,
        Self::OpenWorld,
    ];

    /// The name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Destructive => "destructive",
            Self::NotReadOnly => "not_read_only",
            Self::NotIdempotent => "not_idempotent",
            Self::OpenWorld => "open_world",
        }
    }

    /// MCP, `ToolAnnotations`: two of them mean nothing for a tool that only reads.
    const fn fits(self, said: Annotations) -> bool {
        match self {
            Self::Destructive => said.destructive && !said.read_only,
            Self::NotReadOnly => !said.read_only,
            Self::NotIdempotent => !said.idempotent && !said.read_only,
            Self::OpenWorld => said.open_world,
        }
    }
}

/// What a request would do.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// The tool it is about, if it is about one.
    pub tool: Option<&'a str>,
    /// The tier that the rules say, which allow it.
    pub ruled: Tier,
    /// What the tool says of itself; the worst where that is not believed.
    pub said: Annotations,
}

impl TierRow {
    /// Whether the deed is in this tier, by name, by what its tool says of itself, or because a rule says so.
    pub fn holds(&self, deed: &Deed<'_>) -> bool {
        // Nobody says `low` of a deed by saying nothing.
        if self.tier == deed.ruled && deed.ruled != Tier::Low {
            return true;
        }
        deed.tool.is_some_and(|tool| {
            self.tools.holds(tool) || self.hints.iter().any(|hint| hint.fits(deed.said))
        })
    }
}

/// The highest tier that anybody puts the deed in.
pub fn tier(rows: &[TierRow], deed: &Deed<'_>) -> Tier {
    let named = rows.iter().filter(|row| row.holds(deed));
    named.map(|row| row.tier).fold(deed.ruled, Tier::max)
}

/// Whether a deed of this tier waits for a human.
pub fn waits_for_approval(rows: &[TierRow], tier: Tier) -> bool {
    let row = rows.iter().find(|row| row.tier == Tier::High);
    tier == Tier::High && row.is_none_or(|row| row.approval == TierApproval::Required)
}

#[cfg(test)]
mod tests {
    use gatewright_policies::{Annotations, Tier, ToolSet};

    use super::{Deed, Hint, TierApproval, TierRow, tier, waits_for_approval};
    use crate::decision::freshness::Freshness;

    fn row(tier: Tier, tools: &[&str], hints: &[Hint]) -> TierRow {
        TierRow {
            tier,
            tools: ToolSet::build(tools).unwrap(),
            hints: hints.to_vec(),
            freshness: Freshness::default(),
            approval: TierApproval::Required,
        }
    }

    fn deed(tool: &str, ruled: Tier, said: Annotations) -> Deed<'_> {
        Deed {
            tool: Some(tool),
            ruled,
            said,
        }
    }

    #[test]
    fn the_highest_tier_counts_whoever_names_it() {
        let rows = [
            row(Tier::Medium, &["get_*"], &[]),
            row(Tier::High, &["delete"], &[Hint::Destructive]),
        ];
        let harmless = Annotations {
            read_only: true,
            destructive: false,
            idempotent: true,
            open_world: false,
        };
        let of = |tool, ruled, said| tier(&rows, &deed(tool, ruled, said));
        assert_eq!(of("search", Tier::Low, harmless), Tier::Low);
        assert_eq!(of("get_x", Tier::Low, harmless), Tier::Medium);
        assert_eq!(of("get_x", Tier::High, harmless), Tier::High);
        assert_eq!(of("search", Tier::Medium, harmless), Tier::Medium);
        assert_eq!(of("delete", Tier::Low, harmless), Tier::High);
        assert_eq!(of("get_x", Tier::Low, Annotations::default()), Tier::High);
        let nothing = Deed {
            tool: None,
            ..deed("", Tier::Low, Annotations::default())
        };
        assert_eq!(tier(&rows, &nothing), Tier::Low);
    }

    #[test]
    fn a_hint_fits_what_a_tool_says_and_the_worst_fits_all() {
        let reads = Annotations {
            read_only: true,
            ..Annotations::default()
        };
        let fitting = |said| -> Vec<_> {
            let fits = Hint::ALL.into_iter().filter(move |hint| hint.fits(said));
            fits.map(Hint::name).collect()
        };
        assert_eq!(fitting(reads), ["open_world"]);
        assert_eq!(fitting(Annotations::default()).len(), Hint::ALL.len());
        let once = Annotations {
            destructive: false,
            idempotent: true,
            open_world: false,
            read_only: false,
        };
        assert_eq!(fitting(once), ["not_read_only"]);
    }

    #[test]
    fn the_highest_tier_waits_for_a_human_unless_the_configuration_says_otherwise() {
        assert!(waits_for_approval(&[], Tier::High));
        assert!(!waits_for_approval(&[], Tier::Medium));
        let mut rows = [row(Tier::Medium, &[], &[]), row(Tier::High, &[], &[])];
        assert!(waits_for_approval(&rows, Tier::High));
        rows[1].approval = TierApproval::None;
        assert!(!waits_for_approval(&rows, Tier::High));
    }
}
