//! The keys about tiers and about whose word counts: what they become, and what of them is refused.

use gatewright_policies::Tier;

use super::{loaded, of_server, only};
use crate::decision::tiers::{Hint, TierApproval, Trust};

#[test]
fn every_key_of_a_tier_has_its_effect() {
    let settings = loaded(&of_server(
        "pins: block, trust_annotations: true, tiers: { low: { annotations: [open_world], max_auth_age: 1h }, \
         medium: { tools: [get_*], annotations: [not_read_only, not_idempotent] }, \
         high: { annotations: [destructive], approval: none } }",
    ));
    let demands = &settings.servers[0].demands;
    assert_eq!(demands.trust, Trust::Pinned);
    let [low, medium, high] = &demands.tiers[..] else {
        panic!("{demands:?}");
    };
    assert_eq!(low.tier, Tier::Low);
    assert_eq!(low.hints, [Hint::OpenWorld]);
    assert!(!low.tools.holds("get_x"));
    assert!(low.freshness.max_auth_age.is_some());
    assert!(medium.tools.holds("get_x"));
    assert_eq!(medium.hints, [Hint::NotReadOnly, Hint::NotIdempotent]);
    assert_eq!(high.hints, [Hint::Destructive]);
    assert_eq!(high.approval, TierApproval::None);
}

#[test]
fn nobody_is_trusted_and_the_highest_tier_waits_for_a_human_unless_the_file_says_otherwise() {
    let settings = loaded(&of_server("tiers: { high: { tools: [refund] } }"));
    let demands = &settings.servers[0].demands;
    assert_eq!(demands.trust, Trust::Nobody);
    assert_eq!(demands.tiers[0].approval, TierApproval::Required);
}

#[test]
fn what_a_tool_says_counts_only_once_it_is_pinned() {
    only(
        &of_server("trust_annotations: true"),
        "no-effect 6:37 [true] write `pins: block` or `pins: warn` too, or remove `trust_annotations`",
    );
    only(
        &of_server("tiers: { high: { annotations: [destructive] } }"),
        "no-effect 6:48 [[] write `trust_annotations: true` and `pins: block` at the server, or name the tools",
    );
}

#[test]
fn annotations_and_approval_are_closed_lists() {
    only(
        &of_server(
            "pins: warn, trust_annotations: true, tiers: { medium: { annotations: [destructiv] } }",
        ),
        "unknown-value 6:88 [destructiv] did you mean `destructive`?",
    );
    only(
        &of_server("tiers: { high: { tools: [a], approval: nobody } }"),
        "unknown-value 6:57 [nobody] known here: `required`, `none`",
    );
    only(
        &of_server("tiers: { medium: { tools: [a], approval: none } }"),
        "unknown-key 6:49 [approval] known here: `tools`, `annotations`, `max_token_age`, `max_auth_age`, `acr`",
    );
}

#[test]
fn the_lowest_tier_without_tools_is_refused() {
    only(
        &of_server("tiers: { low: { acr: [x] } }"),
        "no-effect 6:32 [{] write `tools` or `annotations`, or remove the tier",
    );
}
