//! The document about tests and lints of policies against the code.

use std::collections::BTreeSet;

use gatewright::config::reference;

use super::{codes_in, read, root};

const DOCUMENT: &str = "docs/policy-tests.md";

#[test]
fn every_key_of_a_case_is_documented() {
    let text = read(DOCUMENT);
    let missing: Vec<_> = reference::case_keys()
        .into_iter()
        .filter(|path| {
            let name = path.rsplit('.').next().unwrap_or_default();
            !text.contains(&format!("`{name}`"))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_lint_is_documented() {
    let mut real = codes_in(&root().join("src/cli/policy"));
    let lints = std::fs::read_to_string(root().join("../policies/src/lint.rs")).unwrap();
    real.extend(super::codes_of(&lints));
    let text = read(DOCUMENT);
    let (_, lints) = text.split_once("## Lints").unwrap();
    let rows = lints.lines().filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<_> = rows
        .flat_map(|line| line.split('|').nth(1).unwrap().split(','))
        .map(|code| code.trim().trim_matches('`').to_owned())
        .filter(|code| code.contains('-'))
        .collect();
    assert_eq!(real, documented);
}
