//! The pins of one server on the disk: one JSON file, replaced whole. Never half read, never half written.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::book::{Approved, Book, Change, Entry, Kept, TOLD, TOOLS};
use super::error::PinError;
use crate::model::{Digest, ServerName, UnixTime};

/// What the file at `path` says of `server`; a file that is not there says nothing.
pub(super) fn read(path: &Path, server: &ServerName) -> Result<Book, PinError> {
    let failed = |source| PinError::File {
        path: path.to_owned(),
        source,
    };
    let corrupt = |what: String| PinError::Corrupt {
        path: path.to_owned(),
        what,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Book::default()),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(corrupt("the file is too large".to_owned()));
    }
    let written: Written =
        serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
    written.book(server).map_err(corrupt)
}

/// Puts `book` in the place of the file at `path`: a reader sees the old one or the new one, after a power cut too.
pub(super) fn write(path: &Path, server: &ServerName, book: &Book) -> Result<(), PinError> {
    replace(path, &Written::of(server, book)).map_err(|source| PinError::File {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, written: &Written) -> io::Result<()> {
    let beside = beside(path);
    // What a crash left there was never finished.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)?;
    let mut out = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut out, written)?;
    out.write_all(b"\n")?;
    out.into_inner()?.sync_all()?;
    fs::rename(&beside, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("json.new")
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: String,
    server: String,
    tools: Vec<Tool>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: Box<str>,
    pinned: Definition,
    /// In milliseconds since 1970, as all times here.
    first_seen: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved: Option<Approval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    found: Option<Found>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    told: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition {
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    definition: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Found {
    is: Definition,
    seen: u64,
}

impl Written {
    fn of(server: &ServerName, book: &Book) -> Self {
        let tool = |(name, entry): (&str, &Entry)| Tool {
            name: name.into(),
            pinned: Definition::of(&entry.pinned),
            first_seen: entry.first_seen.millis(),
            approved: entry.approved.map(|approved| Approval {
                at: approved.at.millis(),
                uid: approved.uid,
            }),
            found: entry.change.as_ref().map(|change| Found {
                is: Definition::of(&change.kept),
                seen: change.seen.millis(),
            }),
            told: entry.told.iter().map(ToString::to_string).collect(),
        };
        Self {
            format: FORMAT.to_owned(),
            server: server.as_str().to_owned(),
            tools: book
                .entries()
                .iter()
                .map(|(name, entry)| tool((name, entry)))
                .collect(),
        }
    }

    fn book(self, server: &ServerName) -> Result<Book, String> {
        if self.format != FORMAT {
            return Err(format!("its format is `{}`, not `{FORMAT}`", self.format));
        }
        if self.server != server.as_str() {
            return Err(format!("it is about the server `{}`", self.server));
        }
        if self.tools.len() > TOOLS {
            return Err(format!("it has more than {TOOLS} tools"));
        }
        let names: BTreeSet<_> = self.tools.iter().map(|tool| &tool.name).collect();
        if names.len() != self.tools.len() {
            return Err("it has a tool twice".to_owned());
        }
        let entry = |tool: Tool| {
            let shown = tool.name.escape_debug().to_string();
            tool.entry()
                .map_err(|what| format!("tool `{shown}`: {what}"))
        };
        let entries: Result<BTreeMap<_, _>, String> = self.tools.into_iter().map(entry).collect();
        entries.map(Book::of)
    }
}

impl Tool {
    fn entry(self) -> Result<(Box<str>, Entry), String> {
        let mut told = Vec::new();
        for hash in self.told.iter().rev().take(TOLD).rev() {
            told.push(digest(hash)?);
        }
        let change = match self.found {
            None => None,
            Some(found) => Some(Change {
                kept: found.is.kept()?,
                seen: UnixTime::from_millis(found.seen),
            }),
        };
        let entry = Entry {
            pinned: self.pinned.kept()?,
            first_seen: UnixTime::from_millis(self.first_seen),
            approved: self.approved.map(|approval| Approved {
                at: UnixTime::from_millis(approval.at),
                uid: approval.uid,
            }),
            change,
            told,
            spelling: None,
        };
        Ok((self.name, entry))
    }
}

impl Definition {
    fn of(kept: &Kept) -> Self {
        Self {
            hash: kept.digest.to_string(),
            definition: kept.text.as_deref().map(str::to_owned),
        }
    }

    fn kept(self) -> Result<Kept, String> {
        let digest = digest(&self.hash)?;
        if let Some(text) = &self.definition
            && Digest::of(text.as_bytes()) != digest
        {
            return Err(format!(
                "its definition does not have the hash `{}`",
                self.hash
            ));
        }
        Ok(Kept::new(digest, self.definition.map(Arc::from)))
    }
}

fn digest(hash: &str) -> Result<Digest, String> {
    Digest::from_hex(hash).ok_or_else(|| "a hash is not 64 digits".to_owned())
}

const FORMAT: &str = "gatewright.pins/1";
/// Bytes of a file at most: all that is kept of a server, with every character escaped, is smaller.
const LARGEST: u64 = 512 * 1024 * 1024;
