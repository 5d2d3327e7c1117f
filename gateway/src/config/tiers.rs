//! The tiers of a server: which tools are in them and what follows. Judges no tool itself.

use gatewright_policies::{Tier, ToolSet};

use crate::decision::freshness::Freshness;
use crate::decision::pins::Pins;
use crate::decision::tiers::{Hint, TierApproval, TierRow, Trust};

use super::answers::several;
use super::behaviour::choose;
use super::demands::freshness;
use super::list::refuse_empty;
use super::review::Review;
use super::section::Section;

/// `trust_annotations` of a server whose tools are pinned like this.
pub(crate) fn trust(server: &Section<'_>, pins: Option<Pins>, review: &mut Review<'_>) -> Trust {
    if !server.is_set("trust_annotations") {
        return Trust::Nobody;
    }
    if pins == Some(Pins::Off) {
        let at = server
            .node("trust_annotations")
            .map_or(server.at(), |node| node.at);
        review.report(
            at,
            "no-effect",
            "`trust_annotations` has no effect without pins: what a tool says could change at any time",
            "write `pins: block` or `pins: warn` too, or remove `trust_annotations`",
        );
    }
    Trust::Pinned
}

/// `tiers` of a server.
pub(crate) fn tiers(server: &Section<'_>, trust: Trust, review: &mut Review<'_>) -> Vec<TierRow> {
    let tiers = server.section("tiers");
    Tier::ALL
        .into_iter()
        .filter(|tier| tiers.node(tier.name()).is_some())
        .filter_map(|name| tier(&tiers.section(name.name()), (name, trust), review))
        .collect()
}

fn tier(
    section: &Section<'_>,
    (tier, trust): (Tier, Trust),
    review: &mut Review<'_>,
) -> Option<TierRow> {
    let tools = tools(section, review);
    let hints = hints(section, trust, review);
    let row = TierRow {
        tier,
        tools: tools?,
        hints,
        freshness: freshness(section, review),
        approval: approval(section, tier, review)?,
    };
    refuse_idle(section, &row, review);
    Some(row)
}

/// The tools by name; nothing when a pattern is wrong.
fn tools(section: &Section<'_>, review: &mut Review<'_>) -> Option<ToolSet> {
    let written = section.texts("tools").unwrap_or_default();
    refuse_empty(
        section,
        "tools",
        "name at least one, or remove the key",
        review,
    );
    let texts: Vec<&str> = written.iter().map(|text| text.value.as_str()).collect();
    match ToolSet::build(&texts) {
        Ok(tools) => Some(tools),
        Err(faults) => {
            for fault in faults {
                let at = written
                    .get(fault.index)
                    .map_or(section.at(), |text| text.at);
                let told = fault.kind.to_string();
                let help = "write a tool's name, or a pattern like `delete_*`";
                review.report(at, "bad-pattern", told, help);
            }
            None
        }
    }
}

fn hints(section: &Section<'_>, trust: Trust, review: &mut Review<'_>) -> Vec<Hint> {
    let hints = several(
        section,
        "annotations",
        &Hint::ALL.map(|hint| (hint.name(), hint)),
        review,
    );
    if let (false, Trust::Nobody, Some(node)) =
        (hints.is_empty(), trust, section.node("annotations"))
    {
        review.report(
            node.at,
            "no-effect",
            "`annotations` tells no tools apart: this server's word about them is not trusted",
            "write `trust_annotations: true` and `pins: block` at the server, or name the tools",
        );
    }
    hints
}

fn approval(section: &Section<'_>, tier: Tier, review: &mut Review<'_>) -> Option<TierApproval> {
    if tier != Tier::High {
        return Some(TierApproval::None);
    }
    let choices = [
        ("required", TierApproval::Required),
        ("none", TierApproval::None),
    ];
    choose(section, "approval", &choices, &[], review)
}

/// Nothing is in `low` that is not named, and nothing follows from it but what is demanded.
fn refuse_idle(section: &Section<'_>, row: &TierRow, review: &mut Review<'_>) {
    let is_named = section.node("tools").is_some() || !row.hints.is_empty();
    let demands = row.freshness != Freshness::default();
    // An empty section says no more than none.
    if row.tier != Tier::Low || is_named == demands {
        return;
    }
    let (message, help) = if is_named {
        (
            "the tier `low` demands nothing",
            "write `max_token_age`, `max_auth_age` or `acr`, or remove the tier",
        )
    } else {
        (
            "the tier `low` has no tools",
            "write `tools` or `annotations`, or remove the tier",
        )
    };
    review.report(section.at(), "no-effect", message, help);
}
