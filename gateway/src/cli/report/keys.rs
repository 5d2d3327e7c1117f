//! `gatewright report keys`: who still uses an API key, from the audit record. Never changes anything.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::aligned;
use crate::audit::read::{ReadError, Records};
use crate::cli::audit::Record;
use crate::cli::lines::visible;
use crate::cli::{Configured, FAILED, Format, INVALID, complain, complain_of, say, talk};
use crate::config::{Colour, Settings, load, search};
use crate::identity::api_key;
use crate::identity::principal::API_KEYS;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct KeysReport {
    #[command(flatten)]
    configured: Configured,
    /// How the report is written.
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    output: Format,
}

pub(super) fn run(report: KeysReport, colour: Colour) -> u8 {
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
    let directories: Vec<_> = settings
        .audit
        .directories()
        .map(Path::to_path_buf)
        .collect();
    if let Err(error) = uses.read(&directories) {
        complain_of(&error);
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

    fn read(&mut self, directories: &[PathBuf]) -> Result<(), ReadError> {
        let mut records = Records::open(directories, None)?;
        let mut line = Vec::new();
        while records.next(&mut line)? {
            self.count(&line);
        }
        Ok(())
    }

    fn count(&mut self, line: &[u8]) {
        if memchr::memmem::find(line, MARK).is_none() {
            return;
        }
        let Some(record) = Record::read(line) else {
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
            .is_none_or(|last| **last < *record.timestamp)
        {
            found.last = Some(record.timestamp.into_owned());
        }
    }
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
    aligned(&lines)
}

fn cells(((server, id), used): (&(String, String), &Use)) -> [String; HEADINGS.len()] {
    let last = used.last.as_deref().map_or("never", seconds);
    let sunset = used.sunset.as_deref().map_or("removed", seconds);
    [
        server.clone(),
        id.clone(),
        visible(&used.subject),
        visible(&used.client),
        used.requests.to_string(),
        last.to_owned(),
        sunset.to_owned(),
    ]
}

/// `2026-11-21T09:30:00`: nobody plans by milliseconds.
fn seconds(time: &str) -> &str {
    time.get(..SECONDS).unwrap_or(time)
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
