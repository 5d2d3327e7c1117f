//! What the figures were taken on. Reads `/proc` and asks programs for their versions; never names a path or a host.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Lines for the head of the results.
pub(crate) fn describe(
    gatewright: Option<&Path>,
    nginx: Option<&Path>,
) -> Vec<(&'static str, String)> {
    let versions = [
        Some("pingora 0.9.1".to_owned()),
        nginx.and_then(|program| version(program, "-v")),
        gatewright.and_then(|program| version(program, "--version")),
    ];
    vec![
        (
            "Processor",
            processor().unwrap_or_else(|| UNKNOWN.to_owned()),
        ),
        ("Cores", cores().unwrap_or_else(|| UNKNOWN.to_owned())),
        ("Memory", memory().unwrap_or_else(|| UNKNOWN.to_owned())),
        (
            "Kernel",
            read("/proc/sys/kernel/osrelease").unwrap_or_else(|| UNKNOWN.to_owned()),
        ),
        (
            "Versions",
            versions
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
        ),
        (
            "Build profile",
            profile().unwrap_or_else(|| UNKNOWN.to_owned()),
        ),
    ]
}

fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn processor() -> Option<String> {
    let text = read("/proc/cpuinfo")?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// All cores of the machine: by now this process may use one of them only.
fn cores() -> Option<String> {
    let text = read("/proc/cpuinfo")?;
    let cores = text.lines().filter(|line| line.starts_with("processor"));
    Some(cores.count().to_string())
}

fn memory() -> Option<String> {
    let text = read("/proc/meminfo")?;
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = kilobytes
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .ok()?;
    Some(format!("{} GiB", (kilobytes + 512 * 1024) / (1024 * 1024)))
}

/// cargo names the folder of a program after its profile.
fn profile() -> Option<String> {
    let program = std::env::current_exe().ok()?;
    Some(
        program
            .parent()?
            .file_name()?
            .to_string_lossy()
            .into_owned(),
    )
}

/// The first line a program prints about its version, wherever it prints it.
fn version(program: &Path, flag: &str) -> Option<String> {
    let output = Command::new(program).arg(flag).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    let line = String::from_utf8_lossy(&said)
        .lines()
        .next()?
        .trim()
        .to_owned();
    Some(line.trim_start_matches("nginx version: ").replace('/', " "))
}

const UNKNOWN: &str = "unknown";

#[cfg(test)]
mod tests {
    use super::describe;

    #[test]
    fn the_machine_is_described_without_paths() {
        let lines = describe(None, None);
        assert!(
            lines
                .iter()
                .all(|(_, value)| !value.is_empty() && !value.starts_with('/')),
            "{lines:?}"
        );
    }
}
