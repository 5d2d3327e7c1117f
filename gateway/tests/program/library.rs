//! The policies and examples that ship: each loads, passes its own cases, and is what its page says.

use std::path::{Path, PathBuf};

use crate::process::{Finished, gatewright};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folders(of: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(of)).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    folders
}

fn name(folder: &Path) -> &str {
    folder.file_name().unwrap().to_str().unwrap()
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

const LIBRARY: &str = "policies/library";

#[test]
fn every_policy_of_the_library_passes_its_cases_and_each_of_its_rules_decides_one() {
    assert_eq!(folders(LIBRARY).len(), 7);
    for folder in folders(LIBRARY) {
        let tested = Finished::of(gatewright(&folder, &["policy", "test", "--coverage"]));
        assert_eq!(
            tested.code,
            0,
            "{}: {}{}",
            name(&folder),
            tested.out,
            tested.talk
        );
        let missed = tested
            .out
            .lines()
            .filter(|line| line.contains("not reached"));
        let missed: Vec<_> = missed
            .filter(|line| line.contains("policy.cedar"))
            .collect();
        assert!(missed.is_empty(), "{}: {missed:?}", name(&folder));
        let cases = read(folder.join("tests.yaml"));
        let refuses = ["deny", "_denied", "outside_hours", "approval_required"];
        let refuses = refuses
            .iter()
            .any(|word| cases.contains(&format!("expect: {word}")) || cases.contains(word));
        assert!(
            cases.contains("expect: allow") && refuses,
            "{}",
            name(&folder)
        );
        assert!(folder.join("README.md").is_file(), "{}", name(&folder));
    }
}

#[test]
fn every_policy_of_the_library_is_used_in_an_example_and_listed() {
    let index = read(root().join(LIBRARY).join("README.md"));
    let examples: String = folders("examples")
        .iter()
        .map(|folder| folder.join("gatewright.yaml"))
        .filter(|file| file.is_file())
        .map(read)
        .collect();
    for folder in folders(LIBRARY) {
        let name = name(&folder);
        assert!(
            index.contains(&format!("[{name}]({name}/README.md)")),
            "{name}"
        );
        assert!(
            examples.contains(&format!("library/{name}/policy.cedar")),
            "{name}"
        );
    }
}

#[test]
fn every_example_passes_the_cases_of_its_policy() {
    for example in ["02-data-analysis", "03-customer-support"] {
        let folder = root().join("examples").join(example);
        let tested = Finished::of(gatewright(&folder, &["policy", "test"]));
        assert_eq!(tested.code, 0, "{example}: {}{}", tested.out, tested.talk);
        let checked = Finished::of(gatewright(&folder, &["check"]));
        assert_eq!(
            checked.code, 0,
            "{example}: {}{}",
            checked.out, checked.talk
        );
    }
}
