//! Whole files through [`super::load`]: what loads, what it becomes, and every mistake that there is.

use std::path::Path;

use super::load::parse;
use super::{Mistakes, Settings};

mod checkpoints;
mod dpop;
mod judgements;
mod keys;
mod loading;
mod mistakes;
mod parties;
mod policy;
mod proofs;
mod recording;
mod sinks;
mod suite;
mod tiers;

/// The smallest file that loads; every value with a default has it.
const SMALLEST: &str = "\
version: 1
public_url: https://mcp.example.com
issuers:
  - { name: corp, url: https://auth.example.com }
servers:
  - { name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }
";

/// The example of the contract, with the keys that there are.
const EXAMPLE: &str = "\
version: 1
listen:
  address: 127.0.0.1:8080
public_url: http://127.0.0.1:8080
issuers:
  - name: corp
    url: https://auth.example.com
    algorithms: [ES256, RS256, PS256, EdDSA]
    token_types: [at+jwt]
    roles_claim: realm_access.roles
    max_token_lifetime: 1h
servers:
  - name: crm
    path: /crm/mcp
    upstream: http://127.0.0.1:3000/mcp
    issuers: [corp]
    scopes: [crm:read]
policy:
  mode: enforce
  roles:
    analyst:
      crm: [search_*, get_customer]
    support:
      crm:
        - get_*
        - { tool: refund, scopes: [crm:refund] }
        - { prompt: summarise }
        - { resource: \"crm://customers/*\" }
audit:
  ledger: ./audit
  durability: os
  on_failure: deny
  arguments: digest
ops: { address: 127.0.0.1:9180 }
admin: { socket: ./gatewright.sock }
limits: { body: 4MiB, headers: 32KiB, token: 8KiB }
";

fn environment(name: &str) -> Option<String> {
    match name {
        "ISSUER" => Some("https://auth.example.com".to_owned()),
        _ => None,
    }
}

fn read(text: &str) -> Result<Settings, Mistakes> {
    parse(text, Path::new("gatewright.yaml"), &environment)
}

fn loaded(text: &str) -> Settings {
    read(text).unwrap_or_else(|mistakes| panic!("should load:\n{text}\n{mistakes}"))
}

/// `code line:column [marked text] help` of every mistake in `text`.
fn found(text: &str) -> Vec<String> {
    let mistakes = read(text).expect_err("should be refused");
    let shown = mistakes.iter().map(|mistake| {
        let marked: String = mistake
            .source
            .chars()
            .skip(mistake.column - 1)
            .take(mistake.width)
            .collect();
        format!(
            "{} {}:{} [{marked}] {}",
            mistake.code, mistake.line, mistake.column, mistake.help
        )
    });
    shown.collect()
}

/// The smallest file with `from` replaced; `from` must be in it.
fn with(from: &str, to: &str) -> String {
    assert!(SMALLEST.contains(from), "`{from}` is not in the file");
    SMALLEST.replacen(from, to, 1)
}

/// The smallest file with more lines.
fn plus(lines: &str) -> String {
    format!("{SMALLEST}{lines}\n")
}

/// The smallest file with another issuer URL.
fn issuer(url: &str) -> String {
    with("https://auth.example.com", url)
}

/// The smallest file with one more key in its issuer.
fn of_issuer(entry: &str) -> String {
    issuer(&format!("https://auth.example.com, {entry}"))
}

/// The smallest file with one more key in its server.
fn of_server(entry: &str) -> String {
    with("name: crm,", &format!("name: crm, {entry},"))
}

/// Asserts that `text` has exactly one mistake, which is shown as `expected`.
#[track_caller]
fn only(text: &str, expected: &str) {
    assert_eq!(found(text), [expected], "{text}");
}
