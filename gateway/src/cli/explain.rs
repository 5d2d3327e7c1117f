//! `gatewright explain`: what would be decided, by which rule, and what is missing; or what was decided, and what would be today. Asks
//! as serving does, and opens nothing.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gatewright_policies::cases::Asker;
use gatewright_policies::{Access, Annotations};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::supposed::{KINDS, Known, Supposed};
use super::{Configured, Format, INVALID, USAGE, complain, say, talk};
use crate::config::{Colour, Loaded, Server, Settings, load, parse_duration, search};
use crate::decision::pins;
use crate::decision::tiers::Trust;
use crate::model::{Clock, SystemClock};

mod earlier;
mod told;

use told::Told;

/// What was expected is not what is.
const UNEXPECTED: u8 = 4;

/// Says why.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 explained; 1 there is no such record; 2 usage; 3 configuration invalid; 4 the decision is not the one that `--expect` names."
)]
pub(super) struct Explain {
    #[command(flatten)]
    configured: Configured,
    /// A decision that is on record, by the id that its answer named (`decision_id` or `request_id`).
    #[arg(long, value_name = "ID", conflicts_with_all = ["sub", "tool", "prompt", "resource"])]
    decision: Option<String>,
    #[command(flatten)]
    party: Party,
    #[command(flatten)]
    asked: Asked,
    /// End with 4 when the decision is another.
    #[arg(long, value_enum, value_name = "DECISION")]
    expect: Option<Expected>,
    /// How the result is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

/// Who asks.
#[derive(Debug, Args)]
struct Party {
    /// The subject.
    #[arg(long, value_name = "SUBJECT", default_value = "somebody")]
    sub: String,
    /// The client that the token was issued to.
    #[arg(long, value_name = "CLIENT")]
    client: Option<String>,
    /// The issuer, by its name; the first one otherwise.
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    /// `user`, `agent` or `service`.
    #[arg(long, value_name = "KIND", default_value = "agent", value_parser = KINDS)]
    kind: String,
    /// A role of the token; may be given several times. Those that the configuration grants are added.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// A scope of the token; may be given several times, or several with spaces between.
    #[arg(
        long = "scopes",
        alias = "scope",
        value_name = "SCOPES",
        value_delimiter = ' '
    )]
    scopes: Vec<String>,
    /// The model that the issuer names.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Who acts for the subject, the present actor first; may be given several times.
    #[arg(long = "actor", value_name = "SUBJECT")]
    actors: Vec<String>,
    /// Claims of the token, a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    claims: Option<Map<String, Value>>,
    /// `authorization_details` of the token, a JSON array (RFC 9396).
    #[arg(long, value_name = "JSON", value_parser = list)]
    details: Option<List>,
    /// How the user logged in: `acr`.
    #[arg(long, value_name = "ACR")]
    acr: Option<String>,
    /// How long ago the user logged in, like `5m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    auth_age: Option<Duration>,
    /// How long ago the token was issued, like `5m`.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    token_age: Option<Duration>,
    /// The address that the agent connects from.
    #[arg(long, value_name = "ADDRESS")]
    source: Option<IpAddr>,
}

/// What is asked for.
#[derive(Debug, Args)]
struct Asked {
    /// The server; the only one when there is one.
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// The tool.
    #[arg(long, value_name = "NAME", group = "thing")]
    tool: Option<String>,
    /// The prompt.
    #[arg(long, value_name = "NAME", group = "thing")]
    prompt: Option<String>,
    /// The resource.
    #[arg(long, value_name = "URI", group = "thing")]
    resource: Option<String>,
    /// The arguments of the call, a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    args: Option<Map<String, Value>>,
    /// When: `2027-01-04T09:30` on the clocks of the policy's zone, or with an offset; now otherwise.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Expected {
    Allow,
    Deny,
}

type List = Vec<Value>;

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON object: {error}"))
}

fn list(text: &str) -> Result<List, String> {
    serde_json::from_str(text).map_err(|error| format!("no JSON array: {error}"))
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write it like `30s`, `5m` or `1h`".to_owned())
}

pub(super) fn run(explain: &Explain, colour: Colour) -> u8 {
    explained(explain, colour).unwrap_or_else(|code| code)
}

fn explained(explain: &Explain, colour: Colour) -> Result<u8, u8> {
    let path = search::find(
        explain.configured.config.clone(),
        &search::process_environment,
    )
    .map_err(|nothing| {
        complain(&format!("{nothing}\n  = help: name one with `--config`"));
        INVALID
    })?;
    let loaded = loaded(&path, colour)?;
    let (is_allowed, lines, json) = if let Some(id) = &explain.decision {
        let earlier = earlier::find(id, &loaded)?;
        (earlier.is_allowed(), earlier.lines(), earlier.json())
    } else {
        let supposed = supposed(explain, &loaded.settings).map_err(|why| {
            complain(&why);
            USAGE
        })?;
        let told = Told::of(&supposed, &loaded);
        (told.is_allowed(), told.lines(), told.json())
    };
    match explain.output {
        Format::Text => lines.iter().for_each(|line| say(line)),
        Format::Json => say(&format!("{json:#}")),
    }
    Ok(code(explain.expect, is_allowed))
}

fn loaded(path: &Path, colour: Colour) -> Result<Loaded, u8> {
    load::load_untested(path, &search::process_environment).map_err(|mistakes| {
        talk(&mistakes.render(colour));
        INVALID
    })
}

fn code(expected: Option<Expected>, is_allowed: bool) -> u8 {
    let got = if is_allowed {
        Expected::Allow
    } else {
        Expected::Deny
    };
    let name = |decision| match decision {
        Expected::Allow => "allow",
        Expected::Deny => "deny",
    };
    match expected {
        Some(expected) if expected != got => {
            talk(&format!("expected {}, got {}", name(expected), name(got)));
            UNEXPECTED
        }
        Some(_) | None => 0,
    }
}

fn supposed(explain: &Explain, settings: &Settings) -> Result<Supposed, String> {
    let (party, asked) = (&explain.party, &explain.asked);
    let server = server(asked.server.as_deref(), settings)?;
    let (access, name) = match (&asked.tool, &asked.prompt, &asked.resource) {
        (Some(tool), _, _) => (Access::Tool, tool),
        (_, Some(prompt), _) => (Access::Prompt, prompt),
        (_, _, Some(resource)) => (Access::Resource, resource),
        (None, None, None) => {
            return Err(
                "name a `--tool`, a `--prompt` or a `--resource`, or a `--decision`".to_owned(),
            );
        }
    };
    let arguments = asked
        .args
        .as_ref()
        .map(|args| Value::Object(args.clone()).to_string());
    let supposed = Supposed {
        asker: asker(party, settings)?,
        server: server.audience.server.to_string(),
        access,
        name: name.clone(),
        arguments: Known::Given(arguments.map(String::into_bytes)),
        annotations: said(server, access, name, settings)?,
        at: moment(asked.at.as_deref(), &settings.zone)?,
    };
    Ok(supposed.with_granted(settings))
}

fn asker(party: &Party, settings: &Settings) -> Result<Asker, String> {
    let issuers = &settings.issuers;
    let issuer = match &party.issuer {
        None => issuers.first(),
        Some(name) => Some(
            issuers
                .iter()
                .find(|issuer| issuer.name == *name)
                .ok_or_else(|| {
                    let names: Vec<_> = issuers.iter().map(|issuer| issuer.name.as_str()).collect();
                    format!("no issuer is named `{name}`: there is {}", names.join(", "))
                })?,
        ),
    };
    let scopes = party.scopes.iter().filter(|scope| !scope.is_empty());
    Ok(Asker {
        roles: party.roles.clone(),
        scopes: scopes.cloned().collect(),
        issuer: issuer
            .map(|issuer| issuer.url.to_string())
            .unwrap_or_default(),
        subject: party.sub.clone(),
        kind: KINDS
            .into_iter()
            .find(|kind| *kind == party.kind)
            .unwrap_or("agent"),
        client: party.client.clone(),
        actors: party.actors.clone(),
        model: party.model.clone().map(|model| (model, "claim")),
        claims: party.claims.clone().unwrap_or_default(),
        details: party.details.clone().unwrap_or_default(),
        acr: party.acr.clone(),
        auth_age: party.auth_age,
        token_age: party.token_age,
        source: party.source.map(|source| source.to_canonical()),
    })
}

fn server<'s>(name: Option<&str>, settings: &'s Settings) -> Result<&'s Server, String> {
    let names = || {
        let names = settings.servers.iter();
        names
            .map(|server| server.audience.server.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    match (name, settings.servers.as_slice()) {
        (Some(name), servers) => servers
            .iter()
            .find(|server| server.audience.server.as_str() == name)
            .ok_or_else(|| format!("no server is named `{name}`: there is {}", names())),
        (None, [only]) => Ok(only),
        (None, _) => Err(format!("name one server with `--server`: {}", names())),
    }
}

/// What the tool says of itself, where its server is believed: as it was pinned.
fn said(
    server: &Server,
    access: Access,
    name: &str,
    settings: &Settings,
) -> Result<Annotations, String> {
    if server.demands.trust == Trust::Nobody || access != Access::Tool {
        return Ok(Annotations::default());
    }
    let pinned = pins::at_rest(&settings.pins_directory, &server.audience.server)
        .map_err(|error| crate::telemetry::logs::chain(&error))?;
    let entry = pinned.iter().find(|(tool, _)| **tool == *name);
    let entry = entry.filter(|(_, entry)| entry.change.is_none());
    Ok(entry
        .map(|(_, entry)| entry.pinned.said)
        .unwrap_or_default())
}

fn moment(text: Option<&str>, zone: &TimeZone) -> Result<Timestamp, String> {
    let Some(text) = text else {
        let now = i64::try_from(SystemClock.now().millis()).unwrap_or(i64::MAX);
        return Ok(Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX));
    };
    let local = || {
        let local: DateTime = text.parse().ok()?;
        Some(local.to_zoned(zone.clone()).ok()?.timestamp())
    };
    text.parse().ok().or_else(local).ok_or_else(|| {
        format!("`{text}` is not a time: write it like `2027-01-04T09:30`, or with an offset like `2027-01-04T09:30:00+01:00`")
    })
}
