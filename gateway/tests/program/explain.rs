//! `gatewright explain`: what an agent's developer reads after a 403, and what a program reads (journey J2).

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{Finished, gatewright};
use crate::serving::Served;
use crate::support::{Setup, Upstream, modern};

const CONFIGURATION: &str = "\
version: 1
public_url: https://mcp.example.com
issuers:
  - { name: corp, url: https://auth.example.com }
servers:
  - { name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp, scopes: [crm:read] }
policy:
  time_zone: Europe/Berlin
  roles:
    analyst:
      crm: [search_*, get_customer]
    support:
      crm:
        - { tool: delete_customer, scopes: [crm:delete] }
        - { tool: refund, when: \"context.args.amount > 0 && context.args.amount <= 100\" }
        - { tool: erase, approval: { by: crm-owners, ttl: 10m } }
      grant: [{ client: desk }]
  cedar: [hours.cedar]
";
const HOURS: &str = "\
@id(\"hours\")
@message(\"support works until six\")
forbid (principal in Role::\"support\", action in Action::\"use\", resource)
unless { context.minute < 1080 };
";

fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("gatewright.yaml"), CONFIGURATION).unwrap();
    std::fs::write(folder.path().join("hours.cedar"), HOURS).unwrap();
    folder
}

fn explain(folder: &Path, arguments: &[&str]) -> Finished {
    let fixed = [
        "explain",
        "-c",
        "gatewright.yaml",
        "--sub",
        "alice",
        "--at",
        "2027-01-04T09:30",
    ];
    Finished::of(gatewright(folder, &[&fixed, arguments].concat()))
}

/// What is told for each line of options, one after the other.
#[test]
fn every_decision_is_explained_with_its_rule_and_what_is_missing() {
    let folder = folder();
    let lines = [
        "--role analyst --scopes crm:read --tool search_orders",
        "--role analyst --scopes crm:read --tool delete_customer",
        "--role support --scopes crm:read --tool delete_customer",
        "--role support --scopes crm:read --tool refund --args {\"amount\":150}",
        "--role support --scopes crm:read --tool refund --args {\"amount\":\"150\"}",
        "--role support --scopes crm:read --tool refund",
        "--role support --scopes crm:read --tool erase",
        "--role support --scopes crm:read --tool refund --args {\"amount\":50} --at 2027-01-04T19:00",
        "--client desk --scopes crm:read --tool refund --args {\"amount\":50}",
        "--role analyst --tool get_customer",
        "--role analyst --scopes crm:read --tool nothing_of_the_kind",
    ];
    let mut told = String::new();
    for line in lines {
        let arguments: Vec<_> = line.split(' ').collect();
        let explained = match arguments.iter().position(|word| *word == "--at") {
            Some(_) => {
                let fixed = ["explain", "-c", "gatewright.yaml", "--sub", "alice"];
                Finished::of(gatewright(
                    folder.path(),
                    &[&fixed[..], &arguments].concat(),
                ))
            }
            None => explain(folder.path(), &arguments),
        };
        assert_eq!((explained.code, explained.talk.as_str()), (0, ""), "{line}");
        told.extend(["$ ", line, "\n", &explained.out, "\n"]);
    }
    assert_eq!(told, include_str!("explain/told.txt"));
}

#[test]
fn an_expectation_that_fails_is_exit_code_4() {
    let folder = folder();
    let asked = [
        "--role",
        "analyst",
        "--scopes",
        "crm:read",
        "--tool",
        "get_customer",
        "--expect",
    ];
    assert_eq!(
        explain(folder.path(), &[&asked[..], &["allow"]].concat()).code,
        0
    );
    let failed = explain(folder.path(), &[&asked[..], &["deny"]].concat());
    assert_eq!(
        (failed.code, failed.talk.as_str()),
        (4, "expected deny, got allow\n")
    );
}

#[test]
fn a_program_reads_the_same() {
    let folder = folder();
    let asked = [
        "--role",
        "analyst",
        "--scopes",
        "crm:read",
        "--tool",
        "delete_customer",
        "-o",
        "json",
    ];
    let told: Value = serde_json::from_str(&explain(folder.path(), &asked).out).unwrap();
    assert_eq!(
        (&told["decision"], &told["code"]),
        (&json!("deny"), &json!(40301))
    );
    assert_eq!(told["nearest"]["place"], "gatewright.yaml:14");
    assert_eq!(
        told["would_allow"],
        json!(["role support", "scope crm:delete"])
    );
}

#[test]
fn what_cannot_be_asked_is_a_usage_error() {
    let folder = folder();
    for arguments in [
        &["--role", "analyst"][..],
        &["--tool", "x", "--prompt", "y"],
        &["--tool", "x", "--server", "cmr"],
        &["--tool", "x", "--args", "[1]"],
        &["--tool", "x", "--issuer", "nobody"],
        &["--tool", "x", "--kind", "robot"],
        &["--tool", "x", "--decision", "y"],
    ] {
        let refused = explain(folder.path(), arguments);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (2, ""),
            "{arguments:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_on_record_is_explained_by_either_of_its_ids() {
    let upstream = Upstream::plain().await;
    let served = Served::with(Setup::default(), &upstream).await;
    let denied = served.agent.modern(&modern("refund", &json!({}))).await;
    assert_eq!(denied.status, 403, "{}", denied.body);
    let body: Value = serde_json::from_str(&denied.body).unwrap();
    for id in ["decision_id", "request_id"] {
        let id = body["error"]["data"][id].as_str().unwrap();

        let told = served.verb(&["explain", "--decision", id]);

        assert_eq!((told.code, told.talk.as_str()), (0, ""));
        let (head, rest) = told.out.split_once('\n').unwrap();
        assert!(
            head.starts_with("deny  insufficient_scope [crm:refund]  at 20"),
            "{head}"
        );
        assert_eq!(rest, include_str!("explain/decision.txt"));
    }
    let unknown = served.verb(&[
        "explain",
        "--decision",
        "01a20051-0000-7000-8000-000000000000",
    ]);
    assert_eq!((unknown.code, unknown.out.as_str()), (1, ""));
    assert!(
        unknown.talk.contains("no decision of this id"),
        "{}",
        unknown.talk
    );
}
