//! Decisions as the record keeps them, to be looked at again. Never changes a record, and never takes a text that was cut
//! for the whole one.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

/// A record of a decision, as far as it can be decided again.
#[derive(Debug, Deserialize)]
pub(super) struct Recorded {
    #[serde(deserialize_with = "moment")]
    pub(super) timestamp: Timestamp,
    pub(super) event_id: String,
    pub(super) request_id: Option<String>,
    pub(super) decision: Option<String>,
    pub(super) act: Option<String>,
    kind: String,
    pub(super) subject: Option<Subject>,
    #[serde(default)]
    pub(super) actor: Actor,
    pub(super) model: Option<Model>,
    pub(super) mcp: Option<Mcp>,
    #[serde(default)]
    pub(super) authn: Authn,
    #[serde(default)]
    pub(super) policy: Policy,
    pub(super) reason: Option<Refused>,
    pub(super) source: Option<Source>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Subject {
    pub(super) iss: String,
    pub(super) id: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) roles: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Actor {
    pub(super) client_id: Option<String>,
    #[serde(default)]
    pub(super) chain: Vec<Link>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Link {
    pub(super) sub: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) source: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Mcp {
    pub(super) method: Option<String>,
    pub(super) name: Option<String>,
    pub(super) server: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Authn {
    #[serde(default)]
    pub(super) scopes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Policy {
    #[serde(default)]
    pub(super) ids: Vec<String>,
    #[serde(default)]
    pub(super) digest: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Refused {
    pub(super) code: String,
    #[serde(default)]
    pub(super) missing_scopes: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Source {
    pub(super) ip: IpAddr,
}

/// Shows every decision in the record files of `folder` that `wanted` finds in its line, in the order of the files, and
/// answers how many lines cannot be read.
///
/// # Errors
/// The file, or the folder, that cannot be read.
pub(super) fn decisions(
    folder: &Path,
    wanted: &dyn Fn(&[u8]) -> bool,
    see: &mut dyn FnMut(Recorded),
) -> Result<u64, (PathBuf, io::Error)> {
    let mut unreadable = 0;
    for path in files(folder).map_err(|error| (folder.to_owned(), error))? {
        let read = File::open(&path).and_then(|file| {
            lines(BufReader::new(file), &mut |line| {
                if memchr::memmem::find(line, DECISION).is_none() || !wanted(line) {
                    return;
                }
                match serde_json::from_slice::<Recorded>(line) {
                    Ok(record) if record.kind == "decision" => see(record),
                    Ok(_) => {}
                    Err(_) => unreadable += 1,
                }
            })
        });
        read.map_err(|error| (path, error))?;
    }
    Ok(unreadable)
}

/// The record files, the oldest first: their names begin with their time.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if folder.is_file() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "jsonl") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads line by line; what has no line end is still being written.
fn lines(mut records: impl BufRead, see: &mut dyn FnMut(&[u8])) -> io::Result<()> {
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
        see(&line);
    }
}

fn moment<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

impl Recorded {
    /// Whether a text in it that decides was cut when it was written.
    pub(super) fn is_cut(&self) -> bool {
        let subject = self.subject.iter().flat_map(|subject| {
            [&subject.iss, &subject.id]
                .into_iter()
                .chain(&subject.roles)
        });
        let name = self.mcp.iter().filter_map(|mcp| mcp.name.as_ref());
        let actors = self.actor.chain.iter().map(|link| &link.sub);
        subject
            .chain(name)
            .chain(actors)
            .chain(&self.actor.client_id)
            .chain(&self.authn.scopes)
            .any(|text| text.ends_with(CUT))
    }
}

const DECISION: &[u8] = br#""kind":"decision""#;
const CUT: &str = "…(cut)";
/// Bytes of a line at most: no record is as long.
const LONGEST_LINE: u64 = 1 << 20;
