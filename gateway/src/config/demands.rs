//! What a server demands beyond a valid token: what it is bound to, how fresh it is, how its user logged in.

use std::time::Duration;

use gatewright_policies::{Tier, ToolSet};

use crate::decision::freshness::{Demands, Freshness};
use crate::identity::settings::SenderConstraint;

use super::behaviour::choose;
use super::checked::Outliving;
use super::list::refuse_empty;
use super::review::Review;
use super::section::Section;

/// `sender_constraint`.
pub(crate) fn sender_constraint(
    server: &Section<'_>,
    review: &mut Review<'_>,
) -> Option<SenderConstraint> {
    let choices = [
        ("any", SenderConstraint::Any),
        ("dpop", SenderConstraint::Dpop),
        ("mtls", SenderConstraint::Mtls),
        ("dpop_or_mtls", SenderConstraint::DpopOrMtls),
    ];
    choose(server, "sender_constraint", &choices, &[], review)
}

/// `calls_outlive_token`.
pub(crate) fn outliving(server: &Section<'_>) -> Outliving {
    if server.is_set("calls_outlive_token") {
        Outliving::Allowed
    } else {
        Outliving::Cut
    }
}

/// The keys about freshness of a server and of its tiers.
pub(crate) fn demands(server: &Section<'_>, review: &mut Review<'_>) -> Demands {
    let tiers = server.section("tiers");
    let tiers = Tier::ALL
        .into_iter()
        .filter(|tier| tiers.node(tier.name()).is_some())
        .filter_map(|name| tier(&tiers.section(name.name()), name, review))
        .collect();
    Demands {
        server: freshness(server, review),
        tiers,
    }
}

fn tier(
    section: &Section<'_>,
    name: Tier,
    review: &mut Review<'_>,
) -> Option<(Tier, ToolSet, Freshness)> {
    let written = section.texts("tools")?;
    refuse_empty(
        section,
        "tools",
        "name at least one, or remove the tier",
        review,
    );
    let freshness = freshness(section, review);
    if freshness == Freshness::default() {
        review.report(
            section.at(),
            "no-effect",
            format!("the tier `{}` demands nothing", name.name()),
            "write `max_token_age`, `max_auth_age` or `acr`, or remove the tier",
        );
    }
    let texts: Vec<&str> = written.iter().map(|text| text.value.as_str()).collect();
    match ToolSet::build(&texts) {
        Ok(tools) => Some((name, tools, freshness)),
        Err(faults) => {
            for fault in faults {
                let at = written
                    .get(fault.index)
                    .map_or(section.at(), |text| text.at);
                let told = fault.kind.to_string();
                review.report(
                    at,
                    "bad-pattern",
                    told,
                    "write a tool's name, or a pattern like `delete_*`",
                );
            }
            None
        }
    }
}

fn freshness(section: &Section<'_>, review: &mut Review<'_>) -> Freshness {
    let acr = section.texts("acr").unwrap_or_default();
    for text in acr.iter().filter(|text| !is_acr(&text.value)) {
        review.report(
            text.at,
            "bad-acr",
            format!("`{}` is not an authentication context", text.value),
            "write one value of `acr`, without blanks and quotes",
        );
    }
    Freshness {
        max_token_age: section.duration("max_token_age", AGES, review),
        max_auth_age: section.duration("max_auth_age", AGES, review),
        acr: acr.into_iter().map(|text| text.value).collect(),
    }
}

/// It stands in a challenge, between quotes and with spaces around it.
fn is_acr(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

const AGES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(90 * 24 * 3600));
