//! What the checks of a token compare, in words for an operator. Never judges, and shows of a stranger's text only an
//! escaped and cut copy.

use serde_json::Value;

use super::checks::Case;
use super::claims;
use super::jwt::{algorithm_names, is_type};
use crate::identity::error::shown;
use crate::identity::settings::{AudienceRule, IssuerSettings, Profile};
use crate::model::{IssuerUrl, UnixTime};

/// The value of a claim; the items of a list with spaces between them.
pub(super) fn claim(case: &Case<'_>, name: &str) -> String {
    value(case.claims.get(name))
}

fn value(value: Option<&Value>) -> String {
    match value {
        None => NONE.to_owned(),
        Some(Value::String(text)) if text.is_empty() => "(empty)".to_owned(),
        Some(Value::String(text)) => shown(text),
        Some(Value::Array(items)) if !items.is_empty() && items.iter().all(Value::is_string) => {
            let texts: Vec<_> = items.iter().filter_map(Value::as_str).collect();
            shown(&texts.join(" "))
        }
        Some(other) => shown(&other.to_string()),
    }
}

/// A claim that is a time; what is none is shown as it stands.
pub(super) fn time(case: &Case<'_>, name: &str) -> String {
    match claims::optional_time(case.claims, name) {
        Ok(Some(at)) => at.to_string(),
        Ok(None) | Err(_) => claim(case, name),
    }
}

pub(super) fn trusted_issuers(case: &Case<'_>) -> String {
    let names: Vec<_> = case
        .audience
        .issuers
        .iter()
        .map(IssuerUrl::as_str)
        .collect();
    names.join(" ")
}

pub(super) fn algorithms(case: &Case<'_>) -> String {
    of_issuer(case, |issuer| algorithm_names(&issuer.algorithms))
}

pub(super) fn token_types(case: &Case<'_>) -> String {
    of_issuer(case, |issuer| issuer.token_types.join(" "))
}

pub(super) fn token_type(case: &Case<'_>) -> String {
    case.header
        .token_type
        .as_deref()
        .map_or_else(|| NONE.to_owned(), shown)
}

pub(super) fn purpose(case: &Case<'_>) -> String {
    let says_nothing = |sent: &String| is_type(sent, "JWT");
    if case.header.token_type.as_ref().is_some_and(says_nothing) {
        "scope, scp or roles; no ID token".to_owned()
    } else {
        "any: the type is enough".to_owned()
    }
}

/// The claims that say what a token is good for, or that it is something else.
pub(super) fn rights(case: &Case<'_>) -> String {
    let named = |names: &[&str]| -> Vec<String> {
        let is_there = |name: &&&str| case.claims.contains_key(**name);
        let there = names.iter().filter(is_there);
        there.map(|name| (*name).to_owned()).collect()
    };
    let mut found = named(&["scope", "scp"]);
    let path = case.issuer.map(|issuer| issuer.roles_claim.as_slice());
    if let Some(path) = path.filter(|path| claims::at(case.claims, path).is_some()) {
        found.push(path.join("."));
    }
    found.extend(named(&claims::OTHER_KINDS));
    if found.is_empty() {
        NONE.to_owned()
    } else {
        found.join(" ")
    }
}

pub(super) fn other_audiences_allowed(case: &Case<'_>) -> String {
    match case.audience.audiences {
        AudienceRule::AmongOthers => "any or none".to_owned(),
        AudienceRule::Alone => "none".to_owned(),
    }
}

pub(super) fn other_audiences(case: &Case<'_>) -> String {
    let Some(Value::Array(several)) = case.claims.get("aud") else {
        return NONE.to_owned();
    };
    let is_other = |text: &&str| !case.audience.accepted.iter().any(|known| known == text);
    let texts = several.iter().filter_map(Value::as_str).filter(is_other);
    let others: Vec<_> = texts.collect();
    if others.is_empty() {
        NONE.to_owned()
    } else {
        shown(&others.join(" "))
    }
}

pub(super) fn longest_lifetime(case: &Case<'_>) -> String {
    of_issuer(case, |issuer| {
        format!("at most {} s", issuer.max_token_lifetime.as_secs())
    })
}

pub(super) fn lifetime(case: &Case<'_>) -> String {
    let at = |name| claims::optional_time(case.claims, name).ok().flatten();
    match (at("exp"), at("iat")) {
        (Some(expires), Some(issued)) => seconds(expires, issued),
        (None, _) | (_, None) => "(unknown)".to_owned(),
    }
}

fn seconds(expires: UnixTime, issued: UnixTime) -> String {
    format!("{} s", expires.since(issued).as_secs())
}

/// What the profile says about client and token id.
pub(super) fn demanded(case: &Case<'_>) -> String {
    of_issuer(case, |issuer| {
        let demanded = match issuer.profile {
            Profile::Strict => "one (`profile: strict`)",
            Profile::Lenient => "one or none",
        };
        demanded.to_owned()
    })
}

pub(super) fn client(case: &Case<'_>) -> String {
    let client = case
        .issuer
        .and_then(|issuer| claims::client(case.claims, issuer));
    client.map_or_else(|| NONE.to_owned(), shown)
}

pub(super) fn actors(case: &Case<'_>) -> String {
    of_issuer(case, |issuer| claim(case, &issuer.actor_claim))
}

fn of_issuer(case: &Case<'_>, tell: impl FnOnce(&IssuerSettings) -> String) -> String {
    case.issuer
        .map_or_else(|| "(issuer not known)".to_owned(), tell)
}

const NONE: &str = "(none)";
