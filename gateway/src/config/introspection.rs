//! How an issuer is asked about opaque tokens. Never asks it.

use std::time::Duration;

use crate::identity::settings::IntrospectionSettings;

use super::issuers::{filled, secured_url};
use super::review::Review;
use super::section::Section;

/// `issuers[].introspection`, if it is there.
pub(crate) fn introspection(
    issuer: &Section<'_>,
    review: &mut Review<'_>,
) -> Option<IntrospectionSettings> {
    issuer.node("introspection")?;
    let section = issuer.section("introspection");
    let endpoint = section
        .text("endpoint")
        .and_then(|text| secured_url(&text, review).map(|_| text.value));
    let client_id = section
        .text("client_id")
        .and_then(|text| filled(text, "a client's id", review));
    let client_secret = section
        .text("client_secret_file")
        .and_then(|text| review.secret_file(&text));
    let cache = section.duration("cache", CACHE, review);
    Some(IntrospectionSettings {
        endpoint: endpoint?,
        client_id: client_id?,
        client_secret: client_secret?,
        cache: cache?,
    })
}

/// How long an answer may be believed: what is revoked meanwhile still passes.
const CACHE: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(600));
