//! `gatewright report keys`: who still uses an API key, from the audit record. Never changes anything.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Configured, FAILED, Format, INVALID, complain, say, talk};
use crate::config::{Colour, Settings, load, search};
use crate::identity::api_key;
use crate::identity::principal::API_KEYS;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Report {
    /// Every API key: whose it is, how often and when it was last used, and which were never used.
    Keys(KeysReport),
}

#[derive(Debug, clap::Args)]
pub(super) struct KeysReport {
    #[command(flatten)]
    configured: Configured,
    /// How the report is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

pub(super) fn keys(report: KeysReport, colour: Colour) -> u8 {
    let path = match search::find(report.configured.config, &search::process_environment) {
        Ok(path) => path,
        Err(nothing) => {
            complain(&nothing);
            return INVALID;
        }
    };
    let settings = match load::load(&path, &search::process_environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            talk(&mistakes.render(colour));
            return INVALID;
        }
    };
    let mut uses = Uses::of(&settings);
    if let Err((file, error)) = uses.read_folder(&settings.audit.directory) {
        complain(&format!("cannot read `{}`: {error}", file.display()));
        return FAILED;
    }
    match report.output {
        Format::Text => table(&uses.rows).iter().for_each(|line| say(line)),
        Format::Json => say(&format!("{:#}", json(&uses.rows))),
    }
    if uses.unreadable == 0 {
        return 0;
    }
    complain(&format!(
        "records about keys that cannot be read: {}; the report lacks them",
        uses.unreadable
    ));
    FAILED
}

/// What is known of one key at one server.
#[derive(Debug, Default)]
struct Use {
    subject: String,
    client: String,
    /// Its end; absent when it is in no file any more.
    sunset: Option<String>,
    requests: u64,
    last: Option<String>,
}

/// By server and id of the key.
type Rows = BTreeMap<(String, String), Use>;

#[derive(Debug, Default)]
struct Uses {
    rows: Rows,
    unreadable: u64,
}

impl Uses {
    /// The keys of the files, not used yet.
    fn of(settings: &Settings) -> Self {
        let mut uses = Self::default();
        for server in &settings.servers {
            let Some(keys) = &server.audience.api_keys else {
                continue;
            };
            for row in &keys.rows {
                let key = (server.audience.server.to_string(), row.id.clone());
                let known = Use {
                    subject: row.subject.clone(),
                    client: row.client.clone(),
                    sunset: Some(api_key::sunset(row, keys).to_string()),
                    ..Use::default()
                };
                uses.rows.insert(key, known);
            }
        }
        uses
    }

    fn read_folder(&mut self, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            // Nothing was ever served.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err((folder.to_owned(), error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| (folder.to_owned(), error))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "jsonl")
            {
                let read = File::open(&path).and_then(|file| self.read(BufReader::new(file)));
                read.map_err(|error| (path, error))?;
            }
        }
        Ok(())
    }

    /// Reads line by line; what has no line end is still being written.
    fn read(&mut self, mut records: impl BufRead) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let length = records
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)?;
            if length == 0 || (line.last() != Some(&b'\n') && (length as u64) < LONGEST_LINE) {
                return Ok(());
            }
            self.count(&line);
        }
    }

    fn count(&mut self, line: &[u8]) {
        if memchr::memmem::find(line, MARK).is_none() {
            return;
        }
        let Ok(record) = serde_json::from_slice::<Record>(line) else {
            self.unreadable += 1;
            return;
        };
        let (Some(subject), Some(mcp), Some(id)) = (record.subject, record.mcp, record.token_id)
        else {
            return;
        };
        if record.kind != "decision" || subject.iss != API_KEYS {
            return;
        }
        let found = self.rows.entry((mcp.server, id)).or_insert_with(|| Use {
            subject: subject.id,
            client: record.act.unwrap_or_default(),
            ..Use::default()
        });
        found.requests += 1;
        // The times are all of one form and length, so their order is that of their texts.
        if found
            .last
            .as_ref()
            .is_none_or(|last| *last < record.timestamp)
        {
            found.last = Some(record.timestamp);
        }
    }
}

/// What the report needs of a record.
#[derive(Debug, Deserialize)]
struct Record {
    timestamp: String,
    kind: String,
    token_id: Option<String>,
    act: Option<String>,
    subject: Option<Subject>,
    mcp: Option<Mcp>,
}

#[derive(Debug, Deserialize)]
struct Subject {
    iss: String,
    id: String,
}

#[derive(Debug, Deserialize)]
struct Mcp {
    server: String,
}

fn json(rows: &Rows) -> Value {
    rows.iter()
        .map(|((server, id), used)| {
            json!({
                "server": server,
                "id": id,
                "subject": used.subject,
                "client": used.client,
                "requests": used.requests,
                "last_used": used.last,
                "sunset": used.sunset,
                "removed": used.sunset.is_none(),
            })
        })
        .collect()
}

/// One line for each key under a line of names, each column as wide as its widest value.
fn table(rows: &Rows) -> Vec<String> {
    if rows.is_empty() {
        return vec!["no API keys".to_owned()];
    }
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let mut widths = [0; HEADINGS.len()];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    lines.iter().map(|line| aligned(line, &widths)).collect()
}

fn aligned(cells: &[String], widths: &[usize]) -> String {
    let padded: Vec<_> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| format!("{cell:<width$}"))
        .collect();
    padded.join("  ").trim_end().to_owned()
}

fn cells(((server, id), used): (&(String, String), &Use)) -> [String; HEADINGS.len()] {
    let last = used.last.as_deref().map_or("never", seconds);
    let sunset = used.sunset.as_deref().map_or("removed", seconds);
    [
        server.clone(),
        id.clone(),
        printable(&used.subject),
        printable(&used.client),
        used.requests.to_string(),
        last.to_owned(),
        sunset.to_owned(),
    ]
}

/// `2026-11-21T09:30:00`: nobody plans by milliseconds.
fn seconds(time: &str) -> &str {
    time.get(..SECONDS).unwrap_or(time)
}

/// Text that cannot steer a terminal.
fn printable(text: &str) -> String {
    let shown = |one: char| {
        if one.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            one
        }
    };
    text.chars().map(shown).collect()
}

const HEADINGS: [&str; 7] = [
    "SERVER",
    "KEY",
    "SUBJECT",
    "CLIENT",
    "REQUESTS",
    "LAST USED",
    "ENDS",
];
const SECONDS: usize = 19;
/// What stands in every record about a principal that came with a key.
const MARK: &[u8] = API_KEYS.as_bytes();
/// No record is nearly as long.
const LONGEST_LINE: u64 = 1 << 20;
