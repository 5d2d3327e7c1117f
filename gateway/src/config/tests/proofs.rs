//! The keys about proofs, freshness and grants: what they become, and what of them is refused.

use std::time::Duration;

use gatewright_policies::Tier;

use super::{loaded, of_issuer, of_server, only, plus, with};
use crate::config::Outliving;
use crate::decision::freshness::Freshness;
use crate::identity::settings::{AudienceRule, NonceMode, Profile, SenderConstraint};

/// Any readable file.
const FILE: &str = "Cargo.toml";

#[test]
fn every_key_of_a_server_about_proofs_has_its_effect() {
    let settings = loaded(&of_server(
        "single_audience: true, sender_constraint: dpop_or_mtls, max_token_age: 5m, \
         max_auth_age: 1h, acr: [phr, mfa], calls_outlive_token: true, \
         tiers: { medium: { tools: [get_*], max_auth_age: 10m }, high: { tools: [refund], acr: [phr], approval: none } }",
    ));
    let server = &settings.servers[0];
    assert_eq!(server.audience.audiences, AudienceRule::Alone);
    assert_eq!(
        server.audience.sender_constraint,
        SenderConstraint::DpopOrMtls
    );
    assert_eq!(server.outliving, Outliving::Allowed);
    assert_eq!(
        server.demands.server,
        Freshness {
            max_token_age: Some(Duration::from_secs(300)),
            max_auth_age: Some(Duration::from_secs(3600)),
            acr: vec!["phr".to_owned(), "mfa".to_owned()],
        }
    );
    let tiers: Vec<_> = server.demands.tiers.iter().map(|row| row.tier).collect();
    assert_eq!(tiers, [Tier::Medium, Tier::High]);
}

#[test]
fn every_key_of_an_issuer_about_proofs_has_its_effect() {
    let settings = loaded(&of_issuer(
        "profile: lenient, service_clients: [ci], introspection: { endpoint: \"http://127.0.0.1/i\", \
         client_id: gw, client_secret_file: Cargo.toml, cache: 5s }",
    ));
    let issuer = &settings.issuers[0];
    assert_eq!(issuer.profile, Profile::Lenient);
    assert_eq!(issuer.service_clients, ["ci"]);
    let introspection = issuer.introspection.as_ref().unwrap();
    assert_eq!(introspection.endpoint, "http://127.0.0.1/i");
    assert_eq!(introspection.client_id, "gw");
    assert_eq!(introspection.cache, Duration::from_secs(5));
    assert!(
        introspection
            .client_secret
            .expose()
            .starts_with("[package]")
    );
    let shown = format!("{introspection:?}");
    assert!(!shown.contains("[package]"), "{shown}");
}

#[test]
fn every_key_of_dpop_has_its_effect() {
    let text = format!("dpop: {{ nonce: required, window: 30s, nonce_key_file: {FILE} }}");
    let dpop = loaded(&plus(&text)).dpop;
    assert_eq!(dpop.nonce, NonceMode::Required);
    assert_eq!(dpop.window, Duration::from_secs(30));
    assert!(dpop.nonce_key.is_some());
    only(
        &plus(&format!("dpop: {{ nonce_key_file: {FILE} }}")),
        "no-effect 7:25 [Cargo.toml] write `nonce: optional` or `nonce: required`, or remove `nonce_key_file`",
    );
}

#[test]
fn a_listener_may_believe_the_certificates_of_listed_proxies() {
    let listen = |from: &str| plus(&format!("listen: {{ client_cert_from: [{from}] }}"));
    let settings = loaded(&listen("10.0.0.5, 10.1.2.3/16, \"fd00::/8\""));
    let shown: Vec<_> = settings
        .listen
        .client_cert_from
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["10.0.0.5/32", "10.1.0.0/16", "fd00::/8"]);
    only(
        &listen("10.0.0.0/0"),
        "bad-network 7:30 [10.0.0.0/0] name the proxies: whoever is on this list can speak for any certificate",
    );
    only(
        &listen("proxy.internal"),
        "bad-network 7:30 [proxy.internal] write it like `10.0.0.5` or `10.0.0.0/28`",
    );
}

#[test]
fn grants_name_role_issuer_and_conditions() {
    let settings = loaded(&plus(
        "policy: { roles: { r: { crm: [a], grant: [{ scopes: [s], client: c, subject: u }] } } }",
    ));
    let [grant] = settings.grants.as_slice() else {
        panic!("{:?}", settings.grants);
    };
    assert_eq!(grant.role.as_str(), "r");
    assert_eq!(grant.issuer.as_str(), "https://auth.example.com");
    assert_eq!(grant.scopes, ["s"]);
    assert_eq!(grant.client.as_deref(), Some("c"));
    assert_eq!(grant.subject.as_deref(), Some("u"));
    assert_eq!(settings.policy.rows().len(), 1, "`grant` is no server");
}

#[test]
fn a_grant_to_everybody_is_refused() {
    only(
        &plus("policy: { roles: { r: { grant: [{ issuer: corp }] } } }"),
        "grant-to-all 7:33 [{] name `scopes`, a `client` or a `subject`",
    );
}

#[test]
fn j40_a_grant_names_its_issuer_when_there_are_several() {
    let two = |grant: &str| {
        let issuers = "  - { name: b, url: https://b.example.com }\nservers:";
        format!(
            "{}policy: {{ roles: {{ r: {{ grant: [{grant}] }} }} }}\n",
            with("servers:", issuers)
        )
    };
    only(
        &two("{ subject: alice }"),
        "missing-key 8:33 [{] name the issuer whose tokens are meant",
    );
    only(
        &two("{ subject: alice, issuer: crop }"),
        "unknown-issuer 8:59 [crop] did you mean `corp`?",
    );
    loaded(&two("{ subject: alice, issuer: corp }"));
}

#[test]
fn a_tier_demands_something_of_some_tools() {
    only(
        &of_server("tiers: { low: { tools: [a] } }"),
        "no-effect 6:32 [{] write `max_token_age`, `max_auth_age` or `acr`, or remove the tier",
    );
    only(
        &of_server("tiers: { low: { tools: [\"a[b]\"], acr: [x] } }"),
        "bad-pattern 6:42 [\"a[b]\"] write a tool's name, or a pattern like `delete_*`",
    );
    only(
        &of_server("tiers: { low: { tools: [], acr: [x] } }"),
        "empty-list 6:41 [[] name at least one, or remove the key",
    );
}

#[test]
fn an_authentication_context_is_one_plain_word() {
    for bad in ["\"a b\"", "'\"'", "\"\""] {
        let text = of_server(&format!("acr: [{bad}]"));
        only(
            &text,
            &format!("bad-acr 6:24 [{bad}] write one value of `acr`, without blanks and quotes"),
        );
    }
    loaded(&of_server("acr: [\"urn:mace:incommon:iap:silver\"]"));
}

#[test]
fn api_keys_end_after_a_day_of_the_calendar() {
    let keys = |sunset: &str| {
        of_server(&format!(
            "api_keys: {{ keys_file: {FILE}, hash_key_file: {FILE}, sunset: {sunset} }}"
        ))
    };
    for bad in ["2027-02-30", "soon", "2027-01-31T00:00:00Z"] {
        let found = super::found(&keys(bad));
        assert!(
            found.iter().any(|one| one.starts_with("bad-date ")),
            "{found:?}"
        );
    }
}

#[test]
fn an_empty_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty");
    std::fs::write(&file, "\n").unwrap();
    let text = plus(&format!(
        "dpop: {{ nonce: optional, nonce_key_file: {} }}",
        file.display()
    ));
    let found = super::found(&text);
    assert!(found[0].starts_with("bad-secret 7:"), "{found:?}");
}

#[test]
fn a_server_takes_opaque_tokens_of_one_issuer() {
    let asked = "introspection: { endpoint: \"http://127.0.0.1/i\", client_id: g, client_secret_file: Cargo.toml }";
    let two = |key: &str| {
        let text = with(
            "https://auth.example.com",
            &format!("https://auth.example.com, {asked}"),
        );
        let issuers = format!("  - {{ name: b, url: https://b.example.com, {asked} }}\nservers:");
        text.replace("servers:", &issuers)
            .replace("name: crm,", &format!("name: crm, {key}"))
    };
    only(
        &two(""),
        "two-introspections 7:5 [{] name `issuers` of which one has `introspection`",
    );
    only(
        &two("issuers: [b, corp],"),
        "two-introspections 7:27 [[] name `issuers` of which one has `introspection`",
    );
    loaded(&two("issuers: [b],"));
}
