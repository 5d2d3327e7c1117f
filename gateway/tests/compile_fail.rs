//! Misuse of proof types does not compile. Each file of `compile_fail/` has one line marked `//~ CODE`: with it the
//! compiler says exactly this error there, without it the file compiles. The compiler is run against the library
//! that cargo just built, so nothing is built again.

#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn every_marked_line_is_the_one_error_of_its_file() {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        cases.push(entry.unwrap().path());
    }
    assert!(cases.len() >= 10, "the cases were not found");
    cases.sort();
    let scratch = tempfile::tempdir().unwrap();
    let faults: Vec<_> = cases
        .iter()
        .filter_map(|case| check(case, scratch.path()).err())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn a_case_that_compiles_or_fails_elsewhere_is_found() {
    let scratch = tempfile::tempdir().unwrap();
    let samples = [
        ("pub fn f() {} //~ E0451\n", "[]"),
        ("pub fn f() -> u8 { g() } //~ E0451\n", "E0425"),
        (
            "pub fn f() -> u8 { \"\" }\npub fn g() {} //~ E0308\n",
            "E0308",
        ),
        ("pub fn f() {}\n", "no line is marked"),
    ];
    for (text, expected) in samples {
        let case = scratch.path().join("sample.rs");
        fs::write(&case, text).unwrap();
        let fault = check(&case, scratch.path()).unwrap_err();
        assert!(fault.contains(expected), "{text}: {fault}");
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail")
}

/// Compiles the case with its marked line and without.
fn check(case: &Path, scratch: &Path) -> Result<(), String> {
    let text = fs::read_to_string(case).unwrap();
    let name = case.display();
    let marked = text.lines().enumerate().find_map(|(index, line)| {
        let (_, code) = line.split_once("//~ ")?;
        Some((index + 1, code.trim().to_owned()))
    });
    let Some((line, code)) = marked else {
        return Err(format!("{name}: no line is marked"));
    };
    let found = errors(&text, scratch);
    if found != [(code.clone(), line)] {
        return Err(format!("{name}: {found:?} instead of {code} in {line}"));
    }
    let kept: Vec<_> = text.lines().filter(|line| !line.contains("//~ ")).collect();
    let left = errors(&kept.join("\n"), scratch);
    if !left.is_empty() {
        return Err(format!("{name}: {left:?} without the marked line"));
    }
    Ok(())
}

/// Code and line of every error that the compiler finds in `text`.
fn errors(text: &str, scratch: &Path) -> Vec<(String, usize)> {
    let file = scratch.join("case.rs");
    fs::write(&file, text).unwrap();
    let (library, dependencies) = library();
    let output = Command::new("rustc")
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata"])
        .args(["--crate-name=case", "--error-format=json"])
        .arg(format!("--extern=gatewright={}", library.display()))
        .arg(format!("-Ldependency={}", dependencies.display()))
        .arg(format!("--out-dir={}", scratch.display()))
        .arg(&file)
        .output()
        .unwrap();
    String::from_utf8(output.stderr)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        // The last one only counts the others and has no place.
        .filter(|said| said["level"] == "error" && said["spans"] != serde_json::json!([]))
        .map(|said| {
            let code = said["code"]["code"].as_str().unwrap_or_default();
            let line = said["spans"][0]["line_start"].as_u64().unwrap_or_default();
            (code.to_owned(), usize::try_from(line).unwrap())
        })
        .collect()
}

/// The library under test, newest build first, and the folder of everything it needs.
fn library() -> (PathBuf, PathBuf) {
    let this = std::env::current_exe().unwrap();
    let dependencies = this.parent().unwrap().to_owned();
    let newest = fs::read_dir(&dependencies)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with("libgatewright-") && path.extension().is_some_and(|end| end == "rlib")
        })
        .max_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
    (
        newest.expect("cargo builds the library first"),
        dependencies,
    )
}
