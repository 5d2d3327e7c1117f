//! The fronted servers. Never connects to one.

use std::time::Duration;

use crate::identity::settings::{Audience, AudienceRule, Fingerprint, SenderConstraint};
use crate::model::{IssuerUrl, ServerName};

use super::answers;
use super::checked::{Server, Upstream};
use super::demands;
use super::issuers::Issuers;
use super::keys;
use super::list::{filled_texts, refuse_empty, refuse_twins};
use super::path::server_path;
use super::review::Review;
use super::scopes::scopes;
use super::section::Section;
use super::suggest;
use super::tree::Text;
use super::url::web_url;

/// The servers of the file.
#[derive(Debug, Default)]
pub(crate) struct Servers {
    /// Those without a mistake.
    pub(crate) settings: Vec<Server>,
    /// Every name that is written, with or without mistakes; absent when there is none.
    pub(crate) names: Option<Vec<String>>,
}

/// `servers`. `public_url` is absent when it has a mistake.
pub(crate) fn servers(
    root: &Section<'_>,
    public_url: Option<&str>,
    issuers: &Issuers,
    review: &mut Review<'_>,
) -> Servers {
    let sections = root.sections("servers");
    let help = "name at least one server to stand in front of";
    refuse_empty(root, "servers", help, review);
    refuse_twins(&sections, ("name", "duplicate-server"), |name| name, review);
    refuse_twins(&sections, ("path", "duplicate-path"), without_slash, review);
    let names: Vec<String> = sections
        .iter()
        .filter_map(|section| section.text("name"))
        .map(|text| text.value)
        .collect();
    let read = |section: &Section<'_>| server(section, (public_url, &names), issuers, review);
    let settings = sections.iter().filter_map(read).collect();
    Servers {
        settings,
        names: (!names.is_empty()).then_some(names),
    }
}

/// A slash at the end does not tell two paths apart.
fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

fn server(
    section: &Section<'_>,
    (public_url, names): (Option<&str>, &[String]),
    issuers: &Issuers,
    review: &mut Review<'_>,
) -> Option<Server> {
    let name = section
        .text("name")
        .and_then(|text| server_name(&text, review));
    let path = section
        .text("path")
        .and_then(|text| server_path(&text, review));
    let resource = path
        .as_ref()
        .zip(public_url)
        .map(|(path, origin)| format!("{origin}{path}"));
    let upstream = upstream(section, review);
    let accepted_issuers = accepted_issuers(section, issuers, review);
    if let Some(urls) = &accepted_issuers {
        refuse_two_introspections(section, urls, issuers, review);
    }
    let accepted = audiences(section, resource.as_deref(), review);
    let scopes = scopes(section, review);
    let sender_constraint = demands::sender_constraint(section, review);
    let pins = answers::pins(section, review);
    let demands = demands::demands(section, pins, review);
    let api_keys = keys::api_keys(section, names, review);
    refuse_unbound_keys(section, sender_constraint, review);
    let audience = Audience {
        server: name?,
        accepted: accepted?,
        issuers: accepted_issuers?,
        scopes: scopes?,
        audiences: audience_rule(section),
        resource: resource.clone()?,
        sender_constraint: sender_constraint?,
        api_keys,
        fingerprint: Fingerprint::default(),
    };
    Some(Server {
        path: path?,
        resource: resource?,
        upstream: upstream?,
        audience,
        demands,
        outliving: demands::outliving(section),
        answers: answers::answers(section, review),
        pins: pins?,
    })
}

fn refuse_unbound_keys(
    section: &Section<'_>,
    constraint: Option<SenderConstraint>,
    review: &mut Review<'_>,
) {
    if let (Some(constraint), Some(node)) = (constraint, section.node("api_keys"))
        && constraint != SenderConstraint::Any
    {
        let help = "remove `api_keys`, or write `sender_constraint: any`";
        review.report(
            node.at,
            "no-effect",
            "`api_keys` has no effect: a key is bound to nothing, and `sender_constraint` demands it",
            help,
        );
    }
}

fn audience_rule(section: &Section<'_>) -> AudienceRule {
    if section.is_set("single_audience") {
        AudienceRule::Alone
    } else {
        AudienceRule::AmongOthers
    }
}

/// Names stand in records, metrics and paths of the admin socket.
fn server_name(written: &Text, review: &mut Review<'_>) -> Option<ServerName> {
    let name = written.value.as_str();
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
        let help = "write 1 to 64 of `a` to `z`, `0` to `9`, `_` and `-`";
        review.report(
            written.at,
            "bad-server-name",
            format!("`{name}` cannot name a server"),
            help,
        );
        return None;
    }
    Some(ServerName::new(name))
}

fn upstream(section: &Section<'_>, review: &mut Review<'_>) -> Option<Upstream> {
    let written = section.text("upstream");
    let url = written.and_then(|text| web_url(&text, review));
    let ca_file = section.text("ca_file");
    if let (Some(text), Some(url)) = (&ca_file, &url)
        && url.scheme() == "http"
    {
        let help = "write an `https://` upstream, or remove `ca_file`";
        review.report(
            text.at,
            "no-effect",
            "`ca_file` has no effect on an `http://` upstream",
            help,
        );
    }
    let ca_file = ca_file.and_then(|text| review.existing_file(&text));
    let connect_timeout = section.duration("connect_timeout", TIMEOUTS, review);
    let read_timeout = section.duration("read_timeout", TIMEOUTS, review);
    let url = url?;
    let host = match url.host()? {
        ::url::Host::Domain(name) => name.to_owned(),
        ::url::Host::Ipv4(address) => address.to_string(),
        ::url::Host::Ipv6(address) => address.to_string(),
    };
    let query = url
        .query()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    Some(Upstream {
        tls: url.scheme() == "https",
        host,
        port: url.port_or_known_default()?,
        path: format!("{}{query}", url.path()),
        ca_file,
        connect_timeout: connect_timeout?,
        read_timeout: read_timeout?,
    })
}

/// The issuers whose tokens this server takes: those it names, or all.
fn accepted_issuers(
    section: &Section<'_>,
    issuers: &Issuers,
    review: &mut Review<'_>,
) -> Option<Vec<IssuerUrl>> {
    if section.node("issuers").is_none() {
        return Some(
            issuers
                .settings
                .iter()
                .map(|issuer| issuer.url.clone())
                .collect(),
        );
    }
    let written = filled_texts(section, "issuers", review)?;
    let mut urls = Vec::new();
    for text in written {
        // Without any issuer every name would be a mistake, and the list is the one to fix.
        let Some(names) = &issuers.names else {
            continue;
        };
        let known_issuer = issuers
            .settings
            .iter()
            .find(|issuer| issuer.name == text.value);
        urls.extend(known_issuer.map(|issuer| issuer.url.clone()));
        if !names.contains(&text.value) {
            let known: Vec<&str> = names.iter().map(String::as_str).collect();
            let help = suggest::help(&text.value, &known, "known here");
            review.report(
                text.at,
                "unknown-issuer",
                format!("no issuer is named `{}`", text.value),
                help,
            );
        }
    }
    Some(urls)
}

/// An opaque token does not say whose it is, and must not be shown to the wrong issuer.
fn refuse_two_introspections(
    section: &Section<'_>,
    accepted: &[IssuerUrl],
    issuers: &Issuers,
    review: &mut Review<'_>,
) {
    let asked = issuers
        .settings
        .iter()
        .filter(|issuer| accepted.contains(&issuer.url) && issuer.introspection.is_some());
    let names: Vec<&str> = asked.map(|issuer| issuer.name.as_str()).collect();
    if names.len() > 1 {
        let at = section.node("issuers").map_or(section.at(), |node| node.at);
        review.report(
            at,
            "two-introspections",
            format!("opaque tokens could be those of `{}`", names.join("` or `")),
            "name `issuers` of which one has `introspection`",
        );
    }
}

/// `audiences`, or the resource alone.
fn audiences(
    section: &Section<'_>,
    resource: Option<&str>,
    review: &mut Review<'_>,
) -> Option<Vec<String>> {
    if section.node("audiences").is_none() {
        return resource.map(|resource| vec![resource.to_owned()]);
    }
    let written = filled_texts(section, "audiences", review)?;
    for text in written.iter().filter(|text| text.value.trim().is_empty()) {
        let help = "write what the tokens carry in `aud`";
        review.report(text.at, "empty-value", "an audience is empty", help);
    }
    Some(written.into_iter().map(|text| text.value).collect())
}

const TIMEOUTS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(24 * 3600));
