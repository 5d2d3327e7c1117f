//! Whose tokens are accepted. Never fetches anything: keys and metadata are the business of identity.

use std::time::Duration;

use crate::identity::settings::{IssuerSettings, KeySource, Profile, SignatureAlgorithm};
use crate::model::IssuerUrl;

use super::behaviour::choose;
use super::introspection::introspection;
use super::list::{filled_texts, refuse_empty, refuse_twins};
use super::review::Review;
use super::section::{Section, as_text, as_texts};
use super::suggest;
use super::tree::{At, Text};
use super::url::{is_loopback, web_url};

/// The issuers of the file.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    /// Those without a mistake.
    pub(crate) settings: Vec<IssuerSettings>,
    /// Every name that is written, with or without mistakes; absent when there is none.
    pub(crate) names: Option<Vec<String>>,
}

/// `issuers`.
pub(crate) fn issuers(root: &Section<'_>, review: &mut Review<'_>) -> Issuers {
    let sections = root.sections("issuers");
    let help = "name at least one issuer: without it nobody can call";
    refuse_empty(root, "issuers", help, review);
    refuse_twins(&sections, ("name", "duplicate-issuer"), |name| name, review);
    refuse_twins(&sections, ("url", "duplicate-issuer"), |url| url, review);
    let names: Vec<String> = sections
        .iter()
        .filter_map(|section| section.text("name"))
        .map(|text| text.value)
        .collect();
    let settings = sections
        .iter()
        .filter_map(|section| issuer(section, review))
        .collect();
    Issuers {
        settings,
        names: (!names.is_empty()).then_some(names),
    }
}

fn issuer(section: &Section<'_>, review: &mut Review<'_>) -> Option<IssuerSettings> {
    let name = section
        .text("name")
        .and_then(|text| filled(text, "an issuer's name", review));
    let url = section
        .text("url")
        .and_then(|text| issuer_url(&text, review));
    let keys = key_source(section, review);
    let algorithms = algorithms(section, review);
    let profiles = [("strict", Profile::Strict), ("lenient", Profile::Lenient)];
    let profile = choose(section, "profile", &profiles, &[], review);
    let token_types = match (profile, section.node("token_types")) {
        (Some(Profile::Lenient), None) => Some(LENIENT_TYPES.map(str::to_owned).to_vec()),
        (Some(Profile::Strict | Profile::Lenient) | None, _) => token_types(section, review),
    };
    let roles_claim = roles_claim(section, review);
    let client_claim = section
        .text("client_claim")
        .and_then(|text| filled(text, "a claim", review));
    let actor_claim = section
        .text("actor_claim")
        .and_then(|text| filled(text, "a claim", review));
    let model_claim = section
        .text("model_claim")
        .and_then(|text| filled(text, "a claim", review));
    let max_token_lifetime = section.duration("max_token_lifetime", LIFETIMES, review);
    let service_clients = section.texts("service_clients")?;
    let introspection = introspection(section, review);
    Some(IssuerSettings {
        name: name?,
        url: url?,
        keys: keys?,
        algorithms: algorithms?,
        token_types: token_types?,
        roles_claim: roles_claim?,
        client_claim: client_claim?,
        actor_claim: actor_claim?,
        model_claim,
        max_token_lifetime: max_token_lifetime?,
        profile: profile?,
        service_clients: service_clients.into_iter().map(|text| text.value).collect(),
        introspection,
    })
}

/// The text, unless it is empty.
pub(crate) fn filled(text: Text, what: &str, review: &mut Review<'_>) -> Option<String> {
    if text.value.trim().is_empty() {
        review.report(
            text.at,
            "empty-value",
            format!("{what} is empty"),
            "write a name, or remove the key",
        );
        return None;
    }
    Some(text.value)
}

/// An issuer identifier (RFC 8414 section 2): no query, no fragment; kept byte for byte.
fn issuer_url(written: &Text, review: &mut Review<'_>) -> Option<IssuerUrl> {
    if written.value.contains(['{', '}']) {
        review.report(
            written.at,
            "template-issuer",
            format!(
                "`{}` is a template, and no token carries it as `iss`",
                written.value
            ),
            "write the URL of one tenant, as its tokens carry it in `iss`",
        );
        return None;
    }
    let url = secured_url(written, review)?;
    if url.query().is_some() {
        let message = format!("the issuer `{}` has a query", written.value);
        review.report(
            written.at,
            "bad-url",
            message,
            "drop everything from `?` on (RFC 8414 section 2)",
        );
        return None;
    }
    Some(IssuerUrl::new(written.value.as_str()))
}

/// A URL whose answers decide who may call: https, or http on this machine.
pub(crate) fn secured_url(written: &Text, review: &mut Review<'_>) -> Option<::url::Url> {
    let url = web_url(written, review)?;
    if url.scheme() == "http" && !is_loopback(&url) {
        review.report(
            written.at,
            "plain-issuer",
            format!("`{}` would be asked for keys without TLS", written.value),
            "write an `https://` URL; plain http is for an issuer on this machine",
        );
        return None;
    }
    Some(url)
}

fn key_source(section: &Section<'_>, review: &mut Review<'_>) -> Option<KeySource> {
    let uri = section.node("jwks_uri");
    let file = section.node("jwks_file");
    if let (Some(_), Some(node)) = (uri, file) {
        let message = "both `jwks_uri` and `jwks_file` say where the keys are";
        review.report(node.at, "two-key-sources", message, "keep one of them");
    }
    if uri.is_none() && file.is_none() {
        return Some(KeySource::Discovery);
    }
    let file = file
        .and_then(as_text)
        .and_then(|text| review.existing_file(&text))
        .map(KeySource::File);
    let uri = uri
        .and_then(as_text)
        .and_then(|text| secured_url(&text, review).map(|_| text.value));
    file.or(uri.map(KeySource::Uri))
}

fn algorithms(section: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<SignatureAlgorithm>> {
    let written = filled_texts(section, "algorithms", review)?;
    Some(
        written
            .iter()
            .filter_map(|text| algorithm(text, review))
            .collect(),
    )
}

fn algorithm(written: &Text, review: &mut Review<'_>) -> Option<SignatureAlgorithm> {
    let name = written.value.as_str();
    if let Some(algorithm) = SignatureAlgorithm::from_name(name) {
        return Some(algorithm);
    }
    let upper = name.to_ascii_uppercase();
    if upper == "NONE" {
        let message = format!("`{name}` means that a token is not signed");
        review.report(
            written.at,
            "unsafe-algorithm",
            message,
            "remove it (RFC 8725 section 3.2)",
        );
    } else if upper.starts_with("HS") {
        let message =
            format!("`{name}` is symmetric: whoever can check a token could also make one");
        review.report(
            written.at,
            "unsafe-algorithm",
            message,
            "use `ES256` or `RS256` (RFC 8725 section 3.1)",
        );
    } else {
        let help = suggest::help(
            name,
            &SignatureAlgorithm::ALL.map(SignatureAlgorithm::name),
            "known here",
        );
        review.report(
            written.at,
            "unknown-algorithm",
            format!("unknown algorithm `{name}`"),
            help,
        );
    }
    None
}

/// The values of `typ` (RFC 7515 section 4.1.9): a media type may be written with its `application/`.
fn token_types(section: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<String>> {
    let written = filled_texts(section, "token_types", review)?;
    let mut types = Vec::new();
    for text in written {
        let short = text
            .value
            .strip_prefix("application/")
            .unwrap_or(&text.value);
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        if short.is_empty() || !short.bytes().all(allowed) {
            let message = format!("`{}` is not a token type", text.value);
            review.report(
                text.at,
                "bad-token-type",
                message,
                "write the token's `typ`, like `at+jwt` or `JWT`",
            );
            continue;
        }
        types.push(short.to_owned());
    }
    Some(types)
}

/// A path of members: dots separate them in a string; a URL is one member, and so is each item of a list.
fn roles_claim(section: &Section<'_>, review: &mut Review<'_>) -> Option<Vec<String>> {
    let listed = section
        .node("roles_claim")
        .and_then(|node| Some((node.at, as_texts(node)?)));
    let (at, path): (At, Vec<String>) = if let Some((at, members)) = listed {
        (at, members.into_iter().map(|text| text.value).collect())
    } else {
        let text = section.text("roles_claim")?;
        (text.at, split_claim(&text.value))
    };
    if path.is_empty() || path.iter().any(|member| member.trim().is_empty()) {
        let help = "write member names with dots between them, like `realm_access.roles`";
        review.report(
            at,
            "bad-claim-path",
            "`roles_claim` has an empty member",
            help,
        );
        return None;
    }
    if let Some(claim) = path
        .first()
        .filter(|claim| EDITABLE.contains(&claim.as_str()))
    {
        review.report(
            at,
            "editable-claim",
            format!("users can change what stands in `{claim}`: it cannot say what they may do"),
            "name a claim that the issuer alone sets, like `roles` or `groups`",
        );
        return None;
    }
    Some(path)
}

fn split_claim(written: &str) -> Vec<String> {
    if written.contains("://") {
        vec![written.to_owned()]
    } else {
        written.split('.').map(str::to_owned).collect()
    }
}

/// What a user says of itself (OpenID Connect Core section 5.1).
pub(crate) const EDITABLE: [&str; 16] = [
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "email",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "phone_number",
    "address",
];

/// How long an accepted token may live at most: a longer one cannot be called short-lived.
const LIFETIMES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(24 * 3600));

/// What issuers set that do not keep to RFC 9068, unless the file says more exactly.
const LENIENT_TYPES: [&str; 2] = ["at+jwt", "JWT"];
