//! What a server demands beyond a valid token: what it is bound to, how fresh it is, how its user logged in.

use std::time::Duration;

use crate::decision::freshness::{Demands, Freshness};
use crate::decision::pins::Pins;
use crate::identity::settings::SenderConstraint;

use super::behaviour::choose;
use super::checked::Outliving;
use super::review::Review;
use super::section::Section;
use super::tiers;

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

/// What a server demands and whom it trusts, with its tiers.
pub(crate) fn demands(
    server: &Section<'_>,
    pins: Option<Pins>,
    review: &mut Review<'_>,
) -> Demands {
    let trust = tiers::trust(server, pins, review);
    Demands {
        server: freshness(server, review),
        tiers: tiers::tiers(server, trust, review),
        trust,
    }
}

pub(crate) fn freshness(section: &Section<'_>, review: &mut Review<'_>) -> Freshness {
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
