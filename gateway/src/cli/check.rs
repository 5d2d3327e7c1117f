//! `gatewright check`: reads the configuration as a start would, and says all that is wrong with it. Never starts anything.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::policy::lint;
use crate::config::suite::Suite;
use crate::config::{Colour, Loaded, Mistakes, Settings, load, search, sunset};
use crate::model::{Clock, SystemClock};

/// The configuration can be served.
pub const OK: u8 = 0;
/// The result could not be written.
pub const FAILED: u8 = 1;
/// The configuration or the policy is invalid, or there is none.
pub const INVALID: u8 = 3;

/// Tests of the policy failed, and nothing else is wrong.
pub const TESTS_FAILED: u8 = 4;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For people.
    Text,
    /// For programs: an array of mistakes on stdout, empty when there are none.
    Json,
}

/// Where a verb writes: data and talk.
pub struct Streams<'w> {
    /// Data: stdout.
    pub data: &'w mut dyn Write,
    /// Talk: stderr.
    pub talk: &'w mut dyn Write,
}

/// Runs the verb with the streams and the environment of this process; answers the exit code.
pub fn run(config: Option<PathBuf>, output: Output, colour: Colour) -> u8 {
    let (mut data, mut talk) = (io::stdout().lock(), io::stderr().lock());
    let mut streams = Streams {
        data: &mut data,
        talk: &mut talk,
    };
    check(
        config,
        (output, colour),
        &search::process_environment,
        &mut streams,
    )
}

/// Runs the verb; answers the exit code.
pub fn check(
    config: Option<PathBuf>,
    (output, colour): (Output, Colour),
    environment: &dyn Fn(&str) -> Option<String>,
    streams: &mut Streams<'_>,
) -> u8 {
    let path = match search::find(config, environment) {
        Ok(path) => path,
        Err(nothing) => {
            let written = writeln!(
                streams.talk,
                "error: {nothing}\n  = help: name one with `--config`"
            );
            return code(&written, INVALID);
        }
    };
    let found = load::load_tested(&path, environment);
    let written = match output {
        Output::Text => write_text(&path, &found, colour, streams),
        Output::Json => write_json(&found, streams),
    };
    code(
        &written,
        found.map_or_else(|mistakes| refused(&mistakes), |_| OK),
    )
}

/// The exit code of a configuration that cannot be served.
pub(super) fn refused(mistakes: &Mistakes) -> u8 {
    if mistakes.are_failed_tests() {
        TESTS_FAILED
    } else {
        INVALID
    }
}

type Found = Result<Loaded, Mistakes>;

fn write_text(
    path: &Path,
    found: &Found,
    colour: Colour,
    streams: &mut Streams<'_>,
) -> io::Result<()> {
    match found {
        Ok(loaded) => {
            let settings = &loaded.settings;
            for flag in &settings.insecure {
                writeln!(streams.talk, "warning: `{flag}` switches a check off")?;
            }
            for warning in sunset::warnings(settings, SystemClock.now()) {
                writeln!(streams.talk, "warning: {warning}")?;
            }
            for warning in lint::warnings(loaded) {
                writeln!(streams.talk, "warning: {warning}")?;
            }
            writeln!(
                streams.data,
                "ok: {}: {}",
                path.display(),
                summary(settings, &loaded.suite)
            )
        }
        Err(mistakes) => {
            let count = counted(mistakes.len(), "mistake");
            writeln!(
                streams.talk,
                "{}\n\n{}: {count}",
                mistakes.render(colour),
                path.display()
            )
        }
    }
}

fn write_json(found: &Found, streams: &mut Streams<'_>) -> io::Result<()> {
    let mistakes = found.as_ref().map_or_else(Mistakes::to_json, |_| json!([]));
    writeln!(streams.data, "{mistakes:#}")
}

/// `2 issuers, 3 servers, 4 roles, 5 policy tests passed`; a role counts when it grants something.
fn summary(settings: &Settings, suite: &Suite) -> String {
    let roles: HashSet<&str> = settings
        .policy
        .rows()
        .iter()
        .map(|row| row.role.as_str())
        .collect();
    let mut parts = vec![
        counted(settings.issuers.len(), "issuer"),
        counted(settings.servers.len(), "server"),
        counted(roles.len(), "role"),
    ];
    match suite.tests().len() {
        0 => {}
        count => parts.push(format!("{} passed", counted(count, "policy test"))),
    }
    parts.join(", ")
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What nobody could read is no result.
fn code(written: &io::Result<()>, code: u8) -> u8 {
    if written.is_ok() { code } else { FAILED }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Colour, FAILED, INVALID, OK, Output, Streams, check};

    const GOOD: &str = "\
version: 1
public_url: https://mcp.example.com
issuers: [{ name: corp, url: https://auth.example.com }]
servers: [{ name: crm, path: /crm/mcp, upstream: http://127.0.0.1:3000/mcp }]
policy: { roles: { a: { crm: [x, y] }, b: { crm: [x] } } }
";

    /// Exit code, stdout and stderr of a check of `text`; the folder's name is cut out.
    fn checked(text: &str, output: Output) -> (u8, String, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gatewright.yaml");
        std::fs::write(&path, text).unwrap();
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            data: &mut data,
            talk: &mut talk,
        };
        let code = check(Some(path), (output, Colour::Off), &|_| None, &mut streams);
        let shown = |bytes: Vec<u8>| {
            let folder = format!("{}/", folder.path().display());
            String::from_utf8(bytes).unwrap().replace(&folder, "")
        };
        (code, shown(data), shown(talk))
    }

    #[test]
    fn a_good_file_is_summed_up_on_stdout() {
        let told = "ok: gatewright.yaml: 1 issuer, 1 server, 2 roles\n";
        assert_eq!(
            checked(GOOD, Output::Text),
            (OK, told.to_owned(), String::new())
        );
        assert_eq!(
            checked(GOOD, Output::Json),
            (OK, "[]\n".to_owned(), String::new())
        );
    }

    #[test]
    fn mistakes_go_to_stderr_as_text_and_end_with_their_number() {
        let (code, data, talk) = checked(&GOOD.replace("upstream", "upstrem"), Output::Text);
        assert_eq!((code, data.as_str()), (INVALID, ""));
        assert!(
            talk.starts_with("error[unknown-key]: unknown key `upstrem`\n"),
            "{talk}"
        );
        assert!(talk.ends_with("\n\ngatewright.yaml: 1 mistake\n"), "{talk}");
    }

    #[test]
    fn mistakes_go_to_stdout_as_json() {
        let bad = GOOD
            .replace("upstream", "upstrem")
            .replace("version: 1", "version: 3");
        let (code, data, talk) = checked(&bad, Output::Json);
        assert_eq!((code, talk.as_str()), (INVALID, ""));
        let mistakes: serde_json::Value = serde_json::from_str(&data).unwrap();
        assert_eq!(mistakes.as_array().unwrap().len(), 2);
        assert_eq!(mistakes[1]["code"], "unknown-key");
        assert_eq!(
            (&mistakes[1]["line"], &mistakes[1]["column"]),
            (&4.into(), &40.into())
        );
    }

    #[test]
    fn a_switched_off_check_is_said_loudly() {
        let (code, _, talk) = checked(
            &format!("{GOOD}insecure: {{ plain_public_listener: true }}\n"),
            Output::Text,
        );
        assert_eq!(code, OK);
        assert_eq!(
            talk,
            "warning: `insecure.plain_public_listener` switches a check off\n"
        );
    }

    #[test]
    fn a_named_file_that_is_missing_is_invalid() {
        let (mut data, mut talk) = (Vec::new(), Vec::new());
        let mut streams = Streams {
            data: &mut data,
            talk: &mut talk,
        };
        let named = Some(Path::new("/nonexistent.yaml").to_owned());
        assert_eq!(
            check(named, (Output::Text, Colour::Off), &|_| None, &mut streams),
            INVALID
        );
        assert!(
            String::from_utf8(talk)
                .unwrap()
                .starts_with("error[unreadable-file]")
        );
    }

    #[test]
    fn a_result_that_nobody_can_read_is_a_failure() {
        let (mut full, mut talk) = (std::fs::File::create("/dev/full").unwrap(), Vec::new());
        let mut streams = Streams {
            data: &mut full,
            talk: &mut talk,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gatewright.yaml");
        std::fs::write(&path, GOOD).unwrap();
        assert_eq!(
            check(
                Some(path),
                (Output::Text, Colour::Off),
                &|_| None,
                &mut streams
            ),
            FAILED
        );
    }
}
