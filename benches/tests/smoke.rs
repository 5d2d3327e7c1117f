//! Runs the load command as a user does, in a quick way. Judges that it works, never how fast anything is.

use std::io;
use std::path::Path;
use std::process::{Command, Output};

fn load(arguments: &[&str]) -> io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    // The programs beside it are named so that cargo builds them.
    for program in [
        env!("CARGO_BIN_EXE_stub"),
        env!("CARGO_BIN_EXE_pass-through"),
    ] {
        assert!(Path::new(program).is_file());
    }
    command
        .args(arguments)
        .env_remove("GATEWRIGHT_BIN")
        .output()
}

#[test]
fn a_quick_run_has_no_void_cell() {
    let output = load(&[
        "--quick",
        "--without",
        "nginx,gatewright",
        "--scenario",
        "call,list-sse",
    ])
    .unwrap();
    let (tables, talk) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{talk}");
    for table in [
        "`call`, 1 connection",
        "`call`, 64 connections",
        "`list-sse`, 64 connections",
    ] {
        assert!(tables.contains(table), "{tables}");
    }
    assert_eq!(tables.matches("| pass-through |").count(), 4, "{tables}");
}

#[test]
fn a_missing_gateway_is_named_with_its_cure() {
    let output = load(&[
        "--quick",
        "--without",
        "nginx",
        "--gatewright",
        "no-such-gateway",
    ])
    .unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        talk.contains("no-such-gateway") && talk.contains("--without gatewright"),
        "{talk}"
    );
}

#[test]
fn a_gateway_that_does_not_start_is_reported_with_its_last_words() {
    let output = load(&["--quick", "--without", "nginx", "--gatewright", "/bin/cat"]).unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(
        talk.contains("gatewright ended with exit status: 1"),
        "{talk}"
    );
}

#[test]
#[cfg(debug_assertions)]
fn figures_of_a_dev_build_are_never_written() {
    let output = load(&["--write"]).unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("--release"));
}
