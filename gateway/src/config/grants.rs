//! Roles that an issuer's word gives: `policy.roles.NAME.grant`. Never gives one to everybody.

use crate::identity::settings::Grant;
use crate::model::{IssuerUrl, RoleName};

use super::issuers::Issuers;
use super::policy_keys;
use super::review::Review;
use super::roles::{GRANT, entries};
use super::scopes::scopes;
use super::section::Section;
use super::suggest;
use super::tree::{Node, Text, Value};

/// The grants of all roles.
pub(crate) fn grants(root: &Section<'_>, issuers: &Issuers, review: &mut Review<'_>) -> Vec<Grant> {
    let section = root.section("policy");
    let mut found = Vec::new();
    for (role, granted) in section.node("roles").map_or(&[][..], entries) {
        let rules = entries(granted).iter().find(|(key, _)| key.value == GRANT);
        let Some((
            _,
            Node {
                value: Value::List(rules),
                ..
            },
        )) = rules
        else {
            continue;
        };
        found.extend(
            rules
                .iter()
                .filter_map(|rule| grant(&role.value, rule, issuers, review)),
        );
    }
    found
}

fn grant(role: &str, written: &Node, issuers: &Issuers, review: &mut Review<'_>) -> Option<Grant> {
    let section = Section::new(policy_keys::GRANT, written);
    let scopes = scopes(&section, review)?;
    let text = |key: &str| section.text(key).map(|text| text.value);
    let (client, subject) = (text("client"), text("subject"));
    if scopes.is_empty() && client.is_none() && subject.is_none() {
        review.report(
            written.at,
            "grant-to-all",
            format!("this would give the role `{role}` to everybody"),
            "name `scopes`, a `client` or a `subject`",
        );
        return None;
    }
    Some(Grant {
        role: RoleName::new(role),
        issuer: issuer(&section, issuers, review)?,
        scopes,
        client,
        subject,
    })
}

/// A subject is one of its issuer's: the same name at another issuer is somebody else.
fn issuer(section: &Section<'_>, issuers: &Issuers, review: &mut Review<'_>) -> Option<IssuerUrl> {
    let names = issuers.names.as_deref().unwrap_or_default();
    let known = |name: &str| issuers.settings.iter().find(|issuer| issuer.name == name);
    match (section.text("issuer"), names) {
        (Some(written), _) => {
            if !names.contains(&written.value) {
                unknown(&written, names, review);
            }
            known(&written.value).map(|issuer| issuer.url.clone())
        }
        (None, [only]) => known(only).map(|issuer| issuer.url.clone()),
        (None, _) => {
            review.report(
                section.at(),
                "missing-key",
                "missing key `issuer`: there are several",
                "name the issuer whose tokens are meant",
            );
            None
        }
    }
}

fn unknown(written: &Text, names: &[String], review: &mut Review<'_>) {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    review.report(
        written.at,
        "unknown-issuer",
        format!("no issuer is named `{}`", written.value),
        suggest::help(&written.value, &names, "known here"),
    );
}
