//! The reference documents against the code's own tables: nothing is missing in them, nothing is left over.

#![cfg(test)]
#![cfg(feature = "server")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "documents/limits.rs"]
mod limits;
#[path = "documents/policy.rs"]
mod policy;
#[path = "documents/threats.rs"]
mod threats;

use gatewright::config::reference;
use gatewright::model::Reason;
use gatewright::telemetry::metrics::{METRICS, MetricKind};

#[test]
fn every_configuration_key_is_documented_with_its_value_and_default() {
    let keys = section("docs/configuration.md", "## Keys", "## Mistakes");
    let documented = rows(&keys, 3);
    let real: BTreeSet<_> = reference::entries()
        .into_iter()
        .map(|entry| vec![format!("`{}`", entry.path), entry.value, entry.default])
        .collect();
    assert_same(&real, &documented);
}

#[test]
fn every_kind_of_configuration_mistake_is_documented() {
    let mistakes = section(
        "docs/configuration.md",
        "## Mistakes",
        "## Sizes and durations",
    );
    let documented = rows(&mistakes, 1);
    let real: BTreeSet<_> = codes_in_source()
        .into_iter()
        .map(|code| vec![format!("`{code}`")])
        .collect();
    assert_same(&real, &documented);
}

#[test]
fn every_reason_is_documented_with_its_status_and_code() {
    let documented = rows(&section("docs/reasons.md", "## Reasons", "## Answers"), 3);
    let real: BTreeSet<_> = Reason::ALL
        .into_iter()
        .map(|reason| {
            let (status, code) = (reason.status().to_string(), reason.code().to_string());
            vec![format!("`{}`", reason.name()), status, code]
        })
        .collect();
    assert_same(&real, &documented);
}

#[test]
fn every_metric_is_documented_with_its_kind_and_labels() {
    let documented = rows(
        &section("docs/metrics.md", "## Metrics", "## Reading them"),
        3,
    );
    let real: BTreeSet<_> = METRICS
        .iter()
        .map(|row| {
            let kind = match row.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram(_) => "histogram",
            };
            let labels: Vec<_> = row
                .labels
                .iter()
                .map(|label| format!("`{label}`"))
                .collect();
            let labels = if labels.is_empty() {
                "none".to_owned()
            } else {
                labels.join(", ")
            };
            vec![format!("`{}`", row.name), kind.to_owned(), labels]
        })
        .collect();
    assert_same(&real, &documented);
}

#[test]
fn the_front_page_and_the_architecture_keep_their_length() {
    for (file, most) in [("../README.md", 150), ("ARCHITECTURE.md", 200)] {
        let lines = read(file).lines().count();
        assert!(lines < most, "{file} has {lines} lines, at most {most}");
    }
}

#[test]
fn every_link_to_a_file_of_the_project_leads_somewhere() {
    let mut documents = Vec::new();
    for folder in [
        ".",
        "docs",
        "docs/adr",
        "..",
        "../policies",
        "../examples",
        "../examples/01-first-call",
    ] {
        documents.extend(markdown_in(&root().join(folder)));
    }
    assert!(documents.len() > 10, "{documents:?}");
    let broken: Vec<_> = documents
        .iter()
        .flat_map(|file| broken_links(file))
        .collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// What stands between two headings.
fn section(file: &str, from: &str, to: &str) -> String {
    let text = read(file);
    let (_, rest) = text.split_once(&format!("\n{from}\n")).expect(from);
    let (inner, _) = rest.split_once(&format!("\n{to}\n")).expect(to);
    inner.to_owned()
}

/// The first `columns` cells of every table row that starts with code.
fn rows(text: &str, columns: usize) -> BTreeSet<Vec<String>> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter(|line| line.starts_with('`'))
        .map(|line| line.split(" | ").take(columns).map(str::to_owned).collect())
        .collect()
}

fn assert_same(real: &BTreeSet<Vec<String>>, documented: &BTreeSet<Vec<String>>) {
    let missing: Vec<_> = real.difference(documented).collect();
    let stale: Vec<_> = documented.difference(real).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "to be documented: {missing:#?}\nno longer true: {stale:#?}"
    );
}

/// Codes of mistakes are the hyphenated words among the string literals of the configuration's product code.
fn codes_in_source() -> BTreeSet<String> {
    let mut codes = codes_in(&root().join("src/config"));
    codes.extend(["syntax".to_owned(), "incomplete".to_owned()]);
    codes
}

/// The codes in the files of a folder.
fn codes_in(folder: &Path) -> BTreeSet<String> {
    let files = std::fs::read_dir(folder).unwrap();
    files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .flat_map(|file| codes_of(&std::fs::read_to_string(file).unwrap()))
        .collect()
}

/// The codes in the product code of a file.
fn codes_of(text: &str) -> BTreeSet<String> {
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(|word| is_code(word))
        .map(str::to_owned)
        .collect()
}

fn is_code(word: &str) -> bool {
    let mut parts = word.split('-');
    word.contains('-')
        && parts.all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()))
}

fn markdown_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// Links that are no URL and name no file beside `file`.
fn broken_links(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let folder = file.parent().unwrap();
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .map(|target| target.split('#').next().unwrap_or_default())
        .filter(|target| !folder.join(target).exists())
        .map(|target| format!("{}: {target}", file.display()))
        .collect()
}
