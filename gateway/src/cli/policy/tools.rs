//! The tools that servers are known to have: from saved answers to `tools/list`, or from their pins. Never asks a server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::config::{Pins, Settings};
use crate::decision::pins;

/// A tool, with the schema of its arguments if it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) schema: Option<Value>,
}

/// The tools of servers, by the names of servers; a server that is absent has tools that nobody knows.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, Vec<Tool>>);

/// What cannot be used of what was named on the command line.
#[derive(Debug, thiserror::Error)]
pub(super) enum ToolsError {
    /// Which of several servers is meant?
    #[error("`--tools {0}` does not say whose: write `--tools SERVER=FILE`")]
    ServerMissing(String),
    /// Nobody has that name.
    #[error("`--tools`: no server is named `{0}`")]
    ServerUnknown(String),
    /// The file cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    File {
        /// Its path.
        path: String,
        /// Why.
        cause: String,
    },
}

/// An answer to `tools/list`, whole or its result alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Saved {
    Answer { result: Listed },
    Result(Listed),
    Items(Vec<Item>),
}

#[derive(Deserialize)]
struct Listed {
    tools: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
    #[serde(rename = "inputSchema")]
    schema: Option<Value>,
}

impl Known {
    /// What `named` says, each `SERVER=FILE` or the file of the only server; and what the pins of the others say.
    ///
    /// # Errors
    /// What cannot be read or meant.
    pub(super) fn read(settings: &Settings, named: &[String]) -> Result<Self, ToolsError> {
        let mut known = Self::of_pins(settings);
        for argument in named {
            let (server, path) = split(settings, argument)?;
            known.0.insert(server, saved(&path)?);
        }
        Ok(known)
    }

    /// What pins say. Pins that cannot be read are for the gateway to complain about.
    pub(super) fn of_pins(settings: &Settings) -> Self {
        let pinning = settings
            .servers
            .iter()
            .filter(|server| server.pins != Pins::Off);
        let tools = pinning.filter_map(|server| {
            let name = &server.audience.server;
            let entries = pins::at_rest(&settings.pins_directory, name).ok()?;
            let tools: Vec<_> = entries.into_iter().map(pinned).collect();
            (!tools.is_empty()).then(|| (name.as_str().to_owned(), tools))
        });
        Self(tools.collect())
    }

    /// The tools of this server, if they are known.
    pub(super) fn of(&self, server: &str) -> Option<&[Tool]> {
        self.0.get(server).map(Vec::as_slice)
    }
}

fn pinned((name, entry): (Box<str>, pins::Entry)) -> Tool {
    let definition = entry.pinned.text.as_deref();
    let item = definition.and_then(|text| serde_json::from_str::<Item>(text).ok());
    Tool {
        name: name.into(),
        schema: item.and_then(|item| item.schema),
    }
}

fn split(settings: &Settings, argument: &str) -> Result<(String, PathBuf), ToolsError> {
    let names: Vec<_> = settings
        .servers
        .iter()
        .map(|server| server.audience.server.as_str())
        .collect();
    if let Some((server, path)) = argument.split_once('=') {
        return if names.contains(&server) {
            Ok((server.to_owned(), path.into()))
        } else {
            Err(ToolsError::ServerUnknown(server.to_owned()))
        };
    }
    match names.as_slice() {
        [only] => Ok(((*only).to_owned(), argument.into())),
        _ => Err(ToolsError::ServerMissing(argument.to_owned())),
    }
}

fn saved(path: &Path) -> Result<Vec<Tool>, ToolsError> {
    let failed = |cause: String| ToolsError::File {
        path: path.display().to_string(),
        cause,
    };
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    let saved: Saved = serde_json::from_str(&text)
        .map_err(|_| failed("it is no answer to `tools/list`".to_owned()))?;
    let items = match saved {
        Saved::Answer { result } | Saved::Result(result) => result.tools,
        Saved::Items(items) => items,
    };
    let tool = |item: Item| Tool {
        name: item.name,
        schema: item.schema,
    };
    Ok(items.into_iter().map(tool).collect())
}
