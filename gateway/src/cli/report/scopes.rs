//! `gatewright report scopes`: which scopes clients are granted and never use, from the audit record. Never changes anything.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::aligned;
use crate::audit::read::{ReadError, Records, timestamp};
use crate::cli::audit::{Place, Record, When};
use crate::cli::lines::visible;
use crate::cli::{FAILED, Format, complain, complain_of, say, talk};
use crate::config::Colour;
use crate::model::{Clock, SystemClock, UnixTime};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ScopesReport {
    #[command(flatten)]
    place: Place,
    /// Records since then: `24h`, `30d` or a time. Without it all there are.
    #[arg(long, value_name = "TIME", value_parser = When::parse)]
    since: Option<When>,
    /// How the report is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

pub(super) fn run(report: ScopesReport, colour: Colour) -> u8 {
    let since = report.since.map(|since| since.from(SystemClock.now()));
    let directories = match report.place.directories(colour) {
        Ok(directories) => directories,
        Err(code) => return code,
    };
    let mut clients = Clients::default();
    let read = Records::open(&directories, since).and_then(|records| clients.read(records, since));
    if let Err(error) = read {
        complain_of(&error);
        return FAILED;
    }
    match report.output {
        Format::Text if clients.rows.is_empty() => talk("no client called anything"),
        Format::Text => table(&clients.rows).iter().for_each(|line| say(line)),
        Format::Json => say(&format!("{:#}", json(&clients.rows))),
    }
    if clients.unreadable == 0 {
        return 0;
    }
    complain(&format!(
        "lines that are no record: {}; the report lacks them",
        clients.unreadable
    ));
    FAILED
}

/// What is known of one client.
#[derive(Debug, Default)]
struct Scopes {
    granted: BTreeSet<String>,
    used: BTreeSet<String>,
    allowed: u64,
}

impl Scopes {
    fn unused(&self) -> Vec<&String> {
        self.granted.difference(&self.used).collect()
    }
}

type Rows = BTreeMap<String, Scopes>;

#[derive(Debug, Default)]
struct Clients {
    rows: Rows,
    unreadable: u64,
}

impl Clients {
    fn read(&mut self, mut records: Records, since: Option<UnixTime>) -> Result<(), ReadError> {
        let since = since.map(|since| since.to_string());
        let mut line = Vec::new();
        while records.next(&mut line)? {
            // The times are all of one form and length, so their order is that of their texts.
            let is_old = since
                .as_deref()
                .is_some_and(|since| timestamp(&line).is_some_and(|time| time < since));
            if !is_old {
                self.count(&line);
            }
        }
        Ok(())
    }

    fn count(&mut self, line: &[u8]) {
        let Some(record) = Record::read(line) else {
            self.unreadable = self.unreadable.saturating_add(1);
            return;
        };
        if record.kind != "decision" {
            return;
        }
        let Some(client) = record.client().or(record.act.as_deref()) else {
            return;
        };
        let found = self.rows.entry(client.to_owned()).or_default();
        found
            .granted
            .extend(record.authn.into_iter().flat_map(|authn| authn.scopes));
        if record.decision.as_deref() == Some("allow") {
            found.allowed = found.allowed.saturating_add(1);
            found.used.extend(record.scopes_used);
        }
    }
}

fn json(rows: &Rows) -> Value {
    rows.iter()
        .map(|(client, scopes)| {
            json!({
                "client": client,
                "granted": scopes.granted,
                "used": scopes.used,
                "unused": scopes.unused(),
                "allowed": scopes.allowed,
            })
        })
        .collect()
}

fn table(rows: &Rows) -> Vec<String> {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(|(client, scopes)| {
        [
            visible(client),
            scopes.allowed.to_string(),
            listed(scopes.granted.iter()),
            listed(scopes.used.iter()),
            listed(scopes.unused().into_iter()),
        ]
    }));
    aligned(&lines)
}

fn listed<'a>(scopes: impl Iterator<Item = &'a String>) -> String {
    let scopes: Vec<_> = scopes.map(|scope| visible(scope)).collect();
    if scopes.is_empty() {
        "-".to_owned()
    } else {
        scopes.join(" ")
    }
}

const HEADINGS: [&str; 5] = ["CLIENT", "ALLOWED", "GRANTED", "USED", "UNUSED"];
