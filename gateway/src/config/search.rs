//! Where the configuration is looked for. Never reads it.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The search ended without a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no configuration found: looked for {}", list(.looked_for))]
pub struct NothingFound {
    /// The places, in the order of the search.
    pub looked_for: Vec<PathBuf>,
}

/// The configuration's path: `named` (`--config`), then `GATEWRIGHT_CONFIG`, as they stand; else the first that exists of
/// `./gatewright.yaml`, `$XDG_CONFIG_HOME/gatewright/config.yaml` and `/etc/gatewright/config.yaml`.
pub fn find(
    named: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<PathBuf, NothingFound> {
    first_of(named, environment, &|path| path.symlink_metadata().is_ok())
}

/// A variable of this process; nothing when it is unset or no UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn process_environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A named file is never passed over: when it is missing, that is a mistake and no reason to take another.
fn first_of(
    named: Option<PathBuf>,
    environment: &dyn Fn(&str) -> Option<String>,
    exists: &dyn Fn(&Path) -> bool,
) -> Result<PathBuf, NothingFound> {
    let set = |name: &str| {
        environment(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(path) = named.or_else(|| set("GATEWRIGHT_CONFIG")) {
        return Ok(path);
    }
    let home = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")));
    let mut candidates = vec![PathBuf::from("gatewright.yaml")];
    candidates.extend(home.map(|home| home.join("gatewright/config.yaml")));
    candidates.push(PathBuf::from("/etc/gatewright/config.yaml"));
    match candidates.iter().find(|path| exists(path)) {
        Some(found) => Ok(found.clone()),
        None => Err(NothingFound {
            looked_for: candidates,
        }),
    }
}

fn list(paths: &[PathBuf]) -> String {
    let quoted: Vec<String> = paths
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::first_of;

    fn environment(name: &str) -> Option<String> {
        (name == "XDG_CONFIG_HOME").then(|| "/home/a/.config".to_owned())
    }

    fn both(name: &str) -> Option<String> {
        if name == "GATEWRIGHT_CONFIG" {
            Some("named.yaml".to_owned())
        } else {
            environment(name)
        }
    }

    fn everything(_: &Path) -> bool {
        true
    }

    #[test]
    fn the_flag_wins_over_the_variable_and_the_variable_over_every_place() {
        let flag = Some(PathBuf::from("flag.yaml"));
        assert_eq!(
            first_of(flag, &both, &everything).unwrap(),
            Path::new("flag.yaml")
        );
        assert_eq!(
            first_of(None, &both, &everything).unwrap(),
            Path::new("named.yaml")
        );
        assert_eq!(
            first_of(None, &environment, &everything).unwrap(),
            Path::new("gatewright.yaml")
        );
    }

    #[test]
    fn a_named_file_that_is_missing_is_not_passed_over() {
        assert_eq!(
            first_of(None, &both, &|_| false).unwrap(),
            Path::new("named.yaml")
        );
    }

    #[test]
    fn places_are_taken_in_order() {
        let in_home = first_of(None, &environment, &|path| path.starts_with("/home"));
        assert_eq!(
            in_home.unwrap(),
            Path::new("/home/a/.config/gatewright/config.yaml")
        );
        let in_etc = first_of(None, &environment, &|path| path.starts_with("/etc"));
        assert_eq!(in_etc.unwrap(), Path::new("/etc/gatewright/config.yaml"));
    }

    #[test]
    fn without_any_file_every_place_is_named() {
        assert_eq!(
            first_of(None, &environment, &|_| false)
                .unwrap_err()
                .to_string(),
            "no configuration found: looked for `gatewright.yaml`, `/home/a/.config/gatewright/config.yaml`, \
             `/etc/gatewright/config.yaml`"
        );
    }

    #[test]
    fn an_empty_variable_is_no_variable() {
        let empty = |_: &str| Some(String::new());
        assert_eq!(
            first_of(None, &empty, &everything).unwrap(),
            Path::new("gatewright.yaml")
        );
    }
}
