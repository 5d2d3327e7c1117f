//! The pins of one server, in memory. Never reads a clock, never writes anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use gatewright_policies::Annotations;
use serde_json::Value;

use crate::mcp::Definition;
use crate::model::{Digest, UnixTime};

/// A definition as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The SHA-256 digest of its canonical form.
    pub digest: Digest,
    /// Its canonical form; absent when it is too large to be kept.
    pub text: Option<Arc<str>>,
    /// What the tool says of itself there; the worst when it is too large to be kept.
    pub said: Annotations,
}

impl Kept {
    pub(super) fn new(digest: Digest, text: Option<Arc<str>>) -> Self {
        let said = text.as_deref().map(annotations).unwrap_or_default();
        Self { digest, text, said }
    }
}

/// The hints of a definition (MCP, `ToolAnnotations`). One that is absent or no boolean is what MCP says of tools that
/// say nothing.
fn annotations(text: &str) -> Annotations {
    let definition: Value = serde_json::from_str(text).unwrap_or_default();
    let hint = |name: &str, otherwise: bool| {
        let said = definition
            .get("annotations")
            .and_then(|said| said.get(name));
        said.and_then(Value::as_bool).unwrap_or(otherwise)
    };
    let silent = Annotations::default();
    Annotations {
        read_only: hint("readOnlyHint", silent.read_only),
        destructive: hint("destructiveHint", silent.destructive),
        idempotent: hint("idempotentHint", silent.idempotent),
        open_world: hint("openWorldHint", silent.open_world),
    }
}

/// What a tool became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is now.
    pub kept: Kept,
    /// When that was first seen since it was last what is pinned.
    pub seen: UnixTime,
}

/// When a pin was last moved by hand, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// When.
    pub at: UnixTime,
    /// The user id at the other end of the admin socket, if the system told it.
    pub uid: Option<u32>,
}

/// One tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it must be.
    pub pinned: Kept,
    /// When the tool was first seen.
    pub first_seen: UnixTime,
    /// The last approval; absent while the pin is that of the first sight.
    pub approved: Option<Approved>,
    /// What it is instead; absent while it is what it must be.
    pub change: Option<Change>,
    /// The definitions that were told of, the oldest first.
    pub(super) told: Vec<Digest>,
    /// The digest of the last spelling that was found to be what is pinned: most items need no second look.
    pub(super) spelling: Option<Digest>,
}

/// How a tool stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinState {
    /// It is what is pinned.
    Pinned,
    /// It is not.
    Changed,
}

impl Entry {
    /// How it stands.
    pub const fn state(&self) -> PinState {
        match self.change {
            None => PinState::Pinned,
            Some(_) => PinState::Changed,
        }
    }
}

/// A change that nobody was told of yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a change that is not told of is not known to anybody"]
pub struct Drift {
    /// What is pinned.
    pub pinned: Digest,
    /// What was found.
    pub found: Digest,
}

/// What seeing a definition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Sight {
    /// It is what is pinned, or is pinned now.
    Same,
    /// It is not what is pinned; with a drift, it must be told of.
    Changed(Option<Drift>),
    /// It cannot be compared: there is no room for one more tool, or it is no JSON.
    Unknown,
}

/// The pins of one server.
#[derive(Debug, Clone, Default)]
pub(super) struct Book {
    entries: BTreeMap<Box<str>, Entry>,
    /// Bytes of all texts that are kept.
    bytes: usize,
    /// Whether it holds something that is not on the disk.
    pub(super) is_dirty: bool,
    telling: Telling,
}

/// How much was told in the current minute.
#[derive(Debug, Clone, Copy)]
struct Telling {
    since: UnixTime,
    count: u32,
}

impl Default for Telling {
    fn default() -> Self {
        Self {
            since: UnixTime::from_millis(0),
            count: 0,
        }
    }
}

impl Book {
    pub(super) fn of(entries: BTreeMap<Box<str>, Entry>) -> Self {
        let bytes = entries.values().map(bytes_of).sum();
        Self {
            entries,
            bytes,
            ..Self::default()
        }
    }

    pub(super) const fn entries(&self) -> &BTreeMap<Box<str>, Entry> {
        &self.entries
    }

    /// A tool was seen: `item` is what its server wrote in a list.
    pub(super) fn see(&mut self, tool: &str, item: &str, at: UnixTime) -> Sight {
        let spelling = Digest::of(item.as_bytes());
        if let Some(entry) = self.entries.get(tool)
            && entry.change.is_none()
            && entry.spelling == Some(spelling)
        {
            return Sight::Same;
        }
        let Ok(definition) = Definition::of(item) else {
            return Sight::Unknown;
        };
        let Some(entry) = self.entries.get_mut(tool) else {
            return self.pin(tool, &definition, spelling, at);
        };
        if entry.pinned.digest == definition.digest() {
            entry.spelling = Some(spelling);
            if let Some(change) = entry.change.take() {
                self.bytes = self.bytes.saturating_sub(length(&change.kept));
                self.is_dirty = true;
            }
            return Sight::Same;
        }
        let found = definition.digest();
        let is_known = entry
            .change
            .as_ref()
            .is_some_and(|change| change.kept.digest == found);
        if !is_known {
            self.change(tool, &definition, at);
        }
        Sight::Changed(self.untold(tool, found, at))
    }

    fn pin(
        &mut self,
        tool: &str,
        definition: &Definition,
        spelling: Digest,
        at: UnixTime,
    ) -> Sight {
        if self.entries.len() >= TOOLS {
            return Sight::Unknown;
        }
        let pinned = self.keep(definition);
        let entry = Entry {
            pinned,
            first_seen: at,
            approved: None,
            change: None,
            told: Vec::new(),
            spelling: Some(spelling),
        };
        self.entries.insert(tool.into(), entry);
        self.is_dirty = true;
        Sight::Same
    }

    fn change(&mut self, tool: &str, definition: &Definition, at: UnixTime) {
        let kept = self.keep(definition);
        let Some(entry) = self.entries.get_mut(tool) else {
            return;
        };
        let before = entry.change.replace(Change { kept, seen: at });
        let freed = before.map_or(0, |change| length(&change.kept));
        self.bytes = self.bytes.saturating_sub(freed);
        self.is_dirty = true;
    }

    /// The drift, unless it was told of. A server that never stops changing must not fill the ledger: what is too much
    /// for now is told when it is seen later.
    fn untold(&mut self, tool: &str, found: Digest, at: UnixTime) -> Option<Drift> {
        let entry = self.entries.get_mut(tool)?;
        if entry.told.contains(&found) || !self.telling.may_tell(at) {
            return None;
        }
        if entry.told.len() >= TOLD {
            entry.told.remove(0);
        }
        entry.told.push(found);
        self.is_dirty = true;
        Some(Drift {
            pinned: entry.pinned.digest,
            found,
        })
    }

    fn keep(&mut self, definition: &Definition) -> Kept {
        let text = definition.text();
        let has_room = text.len() <= TEXT && self.bytes.saturating_add(text.len()) <= TEXTS;
        let kept = Kept::new(definition.digest(), has_room.then(|| Arc::from(text)));
        self.bytes = self.bytes.saturating_add(length(&kept));
        kept
    }

    /// Whether a tool of this name must not be called while changes are blocked.
    pub(super) fn doubts(&self, tool: &str) -> bool {
        match self.entries.get(tool) {
            Some(entry) => entry.change.is_some(),
            // Nobody can say what it is.
            None => self.entries.len() >= TOOLS,
        }
    }

    /// What a tool says of itself, as it was pinned; the worst of one that is not known, or is not what was pinned.
    pub(super) fn annotations(&self, tool: &str) -> Annotations {
        let entry = self.entries.get(tool);
        entry
            .filter(|entry| entry.change.is_none())
            .map(|entry| entry.pinned.said)
            .unwrap_or_default()
    }

    /// The telling of `drift` failed: the next sight tells it.
    pub(super) fn forget_telling(&mut self, tool: &str, drift: Drift) {
        if let Some(entry) = self.entries.get_mut(tool) {
            entry.told.retain(|told| *told != drift.found);
            self.is_dirty = true;
        }
    }

    /// Pins what the tool became. What it became since then is still a change.
    pub(super) fn approve(&mut self, tool: &str, kept: &Kept, approved: Approved) {
        let Some(entry) = self.entries.get_mut(tool) else {
            return;
        };
        let before = bytes_of(entry);
        entry.pinned = kept.clone();
        entry.approved = Some(approved);
        entry.spelling = None;
        entry.told.retain(|told| *told != kept.digest);
        let is_it = |change: &mut Change| change.kept.digest == kept.digest;
        drop(entry.change.take_if(is_it));
        self.bytes = self.bytes.saturating_sub(before) + bytes_of(entry);
        self.is_dirty = true;
    }
}

impl Telling {
    fn may_tell(&mut self, at: UnixTime) -> bool {
        if at.since(self.since) >= WINDOW {
            *self = Self {
                since: at,
                count: 0,
            };
        }
        self.count = self.count.saturating_add(1);
        self.count <= TELLINGS
    }
}

fn bytes_of(entry: &Entry) -> usize {
    let change = entry.change.as_ref();
    length(&entry.pinned) + change.map_or(0, |change| length(&change.kept))
}

fn length(kept: &Kept) -> usize {
    kept.text.as_ref().map_or(0, |text| text.len())
}

/// Tools of a server at most.
pub(super) const TOOLS: usize = 10_000;
/// Bytes of a definition that is kept at most; a larger one leaves its digest alone.
pub(super) const TEXT: usize = 64 * 1024;
/// Bytes of all definitions of a server that are kept at most.
pub(super) const TEXTS: usize = 32 * 1024 * 1024;
/// Definitions of a tool that are remembered as told at most.
pub(super) const TOLD: usize = 16;
/// Changes that are told of within [`WINDOW`] at most.
pub(super) const TELLINGS: u32 = 1000;
const WINDOW: Duration = Duration::from_secs(60);
