//! `gatewright token inspect`: says of a token, check by check, what a server expects and what it got. Never prints the
//! token or its signature, and takes it from stdin alone: a command line stays in histories and process lists.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::{Colour, Configured, FAILED, Format, INVALID, USAGE, complain, complain_of, say, talk};
use crate::app;
use crate::config::{Server, Settings, load, search};
use crate::identity::credential::{ApiKeyHeader, Credential, Unpresented, present};
use crate::identity::inspection::{Finding, Inspection, Outcome, Portrait};

/// Looks at tokens.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the server would take the token; 1 it would not; 2 usage; 3 configuration invalid."
)]
pub(super) struct Inspect {
    #[command(flatten)]
    configured: Configured,
    /// The server that is to judge it; needed when there are several.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
    /// Read the token from stdin.
    #[arg(value_name = "-", value_parser = ["-"], hide_possible_values = true)]
    _source: String,
}

/// Runs the verb; answers the exit code.
pub(super) fn inspect(inspect: Inspect, refused: Colour) -> u8 {
    let settings = match settings(inspect.configured.config, refused) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let server = match server(&settings, inspect.server.as_deref()) {
        Ok(server) => server,
        Err(why) => {
            complain(&why);
            return USAGE;
        }
    };
    let credential = match credential(settings.limits.token) {
        Ok(credential) => credential,
        Err(why) => {
            complain(&why);
            return FAILED;
        }
    };
    let inspection = match judge(&settings, server, &credential) {
        Ok(inspection) => inspection,
        Err(code) => return code,
    };
    let text = match inspect.output {
        Format::Text => text(&inspection, server, stdout_colour(refused)),
        Format::Json => format!("{:#}", in_json(&inspection, server)),
    };
    say(&text);
    if inspection.is_accepted() { 0 } else { FAILED }
}

fn settings(config: Option<PathBuf>, colour: Colour) -> Result<Settings, u8> {
    let path = search::find(config, &search::process_environment).map_err(|nothing| {
        complain(&format!("{nothing}\n  = help: name one with `--config`"));
        INVALID
    })?;
    load::load(&path, &search::process_environment).map_err(|mistakes| {
        talk(&mistakes.render(colour));
        INVALID
    })
}

fn server<'s>(settings: &'s Settings, name: Option<&str>) -> Result<&'s Server, String> {
    let names = || {
        let names = settings.servers.iter();
        let names: Vec<_> = names
            .map(|server| server.audience.server.as_str())
            .collect();
        names.join(", ")
    };
    match (name, settings.servers.as_slice()) {
        (Some(name), servers) => servers
            .iter()
            .find(|server| server.audience.server.as_str() == name)
            .ok_or_else(|| format!("no server of that name: there is {}", names())),
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("name one server with `--server`: {}", names())),
    }
}

/// The token on stdin, by the door that a request goes through. A scheme in front of it may stay.
fn credential(limit: usize) -> Result<Credential, String> {
    let most = u64::try_from(limit)
        .unwrap_or(u64::MAX)
        .saturating_add(ROOM);
    let mut written = String::new();
    std::io::stdin()
        .take(most)
        .read_to_string(&mut written)
        .map_err(|error| format!("stdin cannot be read: {error}"))?;
    let written = written.trim();
    let token = written
        .split_once(' ')
        .map_or(written, |(_, token)| token.trim_start());
    let mut headers = http::HeaderMap::new();
    let line = http::HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| "what is on stdin is no token".to_owned())?;
    headers.insert(http::header::AUTHORIZATION, line);
    present(&headers, None, limit, ApiKeyHeader::Ignored).map_err(|refused| match refused {
        Unpresented::TooLarge { limit, .. } => {
            format!("a token of more than {limit} bytes, which `limits.token` refuses")
        }
        Unpresented::Missing
        | Unpresented::Duplicated
        | Unpresented::InQuery
        | Unpresented::Malformed => "what is on stdin is no token".to_owned(),
    })
}

fn judge(settings: &Settings, server: &Server, credential: &Credential) -> Result<Inspection, u8> {
    let verifier = app::lone_verifier(settings).map_err(|error| {
        complain_of(&error);
        FAILED
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            complain_of(&error);
            FAILED
        })?;
    Ok(runtime.block_on(verifier.inspect(credential, &server.audience)))
}

/// Colours were asked about stderr; this verb's result is on stdout.
fn stdout_colour(colour: Colour) -> Colour {
    if std::io::stdout().is_terminal() {
        colour
    } else {
        Colour::Off
    }
}

fn text(inspection: &Inspection, server: &Server, colour: Colour) -> String {
    let name = server.audience.server.as_str();
    let mut lines = vec![
        format!("Token at server `{name}`, judged at {}", inspection.now),
        String::new(),
    ];
    lines.extend(table(&inspection.findings, colour));
    lines.push(String::new());
    lines.push(verdict(inspection));
    if let Some(portrait) = &inspection.portrait {
        lines.push(String::new());
        lines.extend(portrait_lines(portrait));
    }
    lines.join("\n")
}

fn table(findings: &[Finding], colour: Colour) -> Vec<String> {
    let widest = |heading: &str, cell: fn(&Finding) -> &str| {
        let lengths = findings.iter().map(|finding| cell(finding).chars().count());
        lengths
            .filter(|length| *length <= WIDEST)
            .chain([heading.len()])
            .max()
            .unwrap_or_default()
    };
    let widths = [
        widest("CHECK", |finding| finding.name),
        widest("GOT", |finding| &finding.got),
    ];
    let [name, got] = widths;
    let heading = format!("  RESULT  {:name$}  {:got$}  EXPECTED", "CHECK", "GOT");
    let rows = findings.iter().map(|finding| line(finding, widths, colour));
    std::iter::once(heading).chain(rows).collect()
}

/// One check; a failed one says where the rule is written.
fn line(finding: &Finding, [name, got]: [usize; 2], colour: Colour) -> String {
    let (outcome, rule) = match finding.outcome {
        Outcome::Passed => ("ok", String::new()),
        Outcome::Failed(_) => ("FAILED", format!("  ({})", finding.rule)),
        Outcome::Unjudged => ("-", String::new()),
    };
    let line = format!(
        "  {outcome:6}  {:name$}  {:got$}  {}{rule}",
        finding.name, finding.got, finding.expected
    );
    match (colour, finding.outcome) {
        (Colour::On, Outcome::Failed(_)) => format!("\u{1b}[31m{line}\u{1b}[0m"),
        (Colour::On | Colour::Off, _) => line,
    }
}

fn verdict(inspection: &Inspection) -> String {
    if inspection.is_accepted() {
        return "accepted".to_owned();
    }
    let names: Vec<_> = inspection.failures().map(|finding| finding.name).collect();
    format!("refused: {}", names.join(", "))
}

fn portrait_lines(portrait: &Portrait) -> Vec<String> {
    let list = |items: &[String]| match items {
        [] => "(none)".to_owned(),
        items => items.join(" "),
    };
    let client = portrait.client.clone();
    let bound = match portrait.bound_to.as_slice() {
        [] => "nothing: whoever holds it may use it".to_owned(),
        bound => bound.join(" and "),
    };
    let rows = [
        ("subject", portrait.subject.clone()),
        ("client", client.unwrap_or_else(|| "(none)".to_owned())),
        ("kind", portrait.kind.to_owned()),
        ("roles", list(&portrait.roles)),
        ("scopes", list(&portrait.scopes)),
        ("actors", list(&portrait.actors)),
        ("bound to", bound),
    ];
    let lines = rows.map(|(name, value)| format!("  {name:8}  {value}"));
    let mut all = vec!["Who it says is calling:".to_owned()];
    all.extend(lines);
    all
}

fn in_json(inspection: &Inspection, server: &Server) -> Value {
    let checks = inspection.findings.iter().map(|finding| {
        let (outcome, result) = match finding.outcome {
            Outcome::Passed => ("ok", None),
            Outcome::Failed(result) => ("failed", Some(result)),
            Outcome::Unjudged => ("unjudged", None),
        };
        json!({
            "name": finding.name,
            "rule": finding.rule,
            "outcome": outcome,
            "result": result,
            "expected": finding.expected,
            "got": finding.got,
        })
    });
    let principal = inspection.portrait.as_ref().map(|portrait| {
        json!({
            "subject": portrait.subject,
            "client": portrait.client,
            "kind": portrait.kind,
            "roles": portrait.roles,
            "scopes": portrait.scopes,
            "actors": portrait.actors,
            "bound_to": portrait.bound_to,
        })
    });
    json!({
        "accepted": inspection.is_accepted(),
        "server": server.audience.server.as_str(),
        "now": inspection.now.to_string(),
        "checks": checks.collect::<Vec<_>>(),
        "principal": principal,
    })
}

/// Bytes that may stand around a token: a scheme, line ends, and one more, which is too much.
const ROOM: u64 = 1024;
/// A cell that is longer pushes its line to the right, and no other.
const WIDEST: usize = 40;
