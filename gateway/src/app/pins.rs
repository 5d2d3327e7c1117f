//! Pins of a running gateway, as its operator meets them: what there is, what changed, and what is approved.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Shared;
use crate::config::{Pins, Settings};
use crate::control::pins::{Approval, Ask};
use crate::decision::pins::{
    Approved, Change, Drift, Entry, Kept, PinError, PinState, ServerPins, record,
};
use crate::model::{Digest, ServerName};
use crate::telemetry::logs::chain;

impl Shared {
    /// Brings `pins` of every server into force, in open streams too.
    pub(super) fn pin_as(&self, settings: &Settings) {
        let modes: Vec<(&ServerName, Pins)> = settings
            .servers
            .iter()
            .map(|server| (&server.audience.server, server.pins))
            .collect();
        self.parts.pins.set_modes(&modes);
    }

    /// Answers what is asked of pins.
    pub(super) async fn answer_pins(&self, ask: Ask, uid: Option<u32>) -> Result<Value, String> {
        match ask {
            Ask::List { server } => {
                let all = self.pinning(server.as_deref())?;
                let listed = all.iter().map(|pins| listed(pins));
                Ok(json!({ "servers": listed.collect::<Vec<_>>() }))
            }
            Ask::Diff { server, tool } => {
                let mut differences = Vec::new();
                for pins in self.pinning(server.as_deref())? {
                    differences.extend(differing(&pins, tool.as_deref()));
                }
                Ok(json!({ "differences": differences }))
            }
            Ask::Approve { server, what } => {
                match self.pinning(Some(&server))?.into_iter().next() {
                    Some(pins) => self.approve(pins, what, uid).await,
                    None => Err(unknown(&server, &self.settings.load())),
                }
            }
        }
    }

    /// The pins of the servers that pin anything, or of the one that is named.
    fn pinning(&self, named: Option<&str>) -> Result<Vec<Arc<ServerPins>>, String> {
        let settings = self.settings.load();
        let servers = settings.servers.iter();
        let is_named = |name: &str| named.is_none_or(|named| named == name);
        let found: Vec<_> = servers
            .filter(|server| is_named(server.audience.server.as_str()))
            .collect();
        if let Some(named) = named {
            match found.first() {
                None => return Err(unknown(named, &settings)),
                Some(server) if server.pins == Pins::Off => {
                    return Err(format!(
                        "server `{named}` has `pins: off`: write `pins: warn` or `pins: block`, and reload"
                    ));
                }
                Some(_) => {}
            }
        }
        let pinning = found.iter().filter(|server| server.pins != Pins::Off);
        pinning
            .map(|server| self.parts.pins.of_server(&server.audience.server))
            .collect::<Result<_, _>>()
            .map_err(|error| chain(&error))
    }

    async fn approve(
        &self,
        pins: Arc<ServerPins>,
        what: Approval,
        uid: Option<u32>,
    ) -> Result<Value, String> {
        // One at a time, and none while a reload takes the pins away.
        let _turn = self.turn.lock().await;
        let chosen = chosen(&pins, what)?;
        let mut approved = Vec::new();
        for (tool, drift, kept) in chosen {
            let at = self.parts.clock.now();
            let in_force = self.services.load().in_force.clone();
            let about = (pins.server(), &*tool);
            record::approved(&self.parts.ledger, &in_force, about, drift, (uid, at))
                .await
                .map_err(|error| {
                    format!(
                        "`{}` is not approved: {}",
                        tool.escape_debug(),
                        chain(&error)
                    )
                })?;
            pins.approve(&tool, &kept, Approved { at, uid });
            tracing::info!(
                server = %pins.server(),
                tool = tool.escape_default().to_string(),
                pinned = %drift.pinned,
                found = %drift.found,
                "a changed tool is approved"
            );
            approved.push(json!({
                "server": pins.server().as_str(),
                "tool": tool,
                "from": drift.pinned.to_string(),
                "to": drift.found.to_string(),
            }));
        }
        save(pins).await?;
        Ok(json!({ "approved": approved }))
    }
}

async fn save(pins: Arc<ServerPins>) -> Result<(), String> {
    let saved = tokio::task::spawn_blocking(move || pins.save()).await;
    let why = match saved {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => chain(&error),
        Err(error) => error.to_string(),
    };
    Err(format!(
        "approved and in effect, but a restart would forget it: {why}"
    ))
}

/// A tool with what is approved of it.
type Chosen = (Box<str>, Drift, Kept);

fn chosen(pins: &ServerPins, what: Approval) -> Result<Vec<Chosen>, String> {
    let mut changed = Vec::new();
    let (mut is_known, mut now) = (false, None);
    for (tool, entry) in pins.entries() {
        is_known |= matches!(&what, Approval::Tool { tool: named, .. } if **named == *tool);
        if !is_meant(&what, &tool) {
            continue;
        }
        if let Some(change) = entry.change {
            now = Some(change.kept.digest);
            let drift = Drift {
                pinned: entry.pinned.digest,
                found: change.kept.digest,
            };
            changed.push((tool, drift, change.kept));
        }
    }
    let Approval::Tool { tool, hash } = what else {
        return Ok(changed);
    };
    let shown = tool.escape_debug();
    match (is_known, now, hash) {
        (false, _, _) => Err(format!(
            "server `{}` never listed a tool `{shown}`; `gatewright pins list` shows those it did",
            pins.server()
        )),
        (true, None, _) => Err(format!(
            "tool `{shown}` is what is pinned: there is nothing to approve"
        )),
        (true, Some(now), Some(hash)) if now != hash => Err(format!(
            "tool `{shown}` changed again: expected {hash}, found {now}; look with `gatewright pins diff` first"
        )),
        (true, Some(_), _) => Ok(changed),
    }
}

fn is_meant(what: &Approval, tool: &str) -> bool {
    match what {
        Approval::All => true,
        Approval::Tool { tool: named, .. } => named == tool,
    }
}

fn unknown(wanted: &str, settings: &Settings) -> String {
    let names: Vec<_> = settings
        .servers
        .iter()
        .map(|server| server.audience.server.as_str())
        .collect();
    format!(
        "no server is named `{}`; known: {}",
        wanted.escape_debug(),
        names.join(", ")
    )
}

fn listed(pins: &ServerPins) -> Value {
    let mode = pins.mode();
    let tools = pins.entries().into_iter().map(|(tool, entry)| {
        let mut row = standing(&tool, &entry, mode);
        if let (Some(change), Some(members)) = (&entry.change, row.as_object_mut()) {
            members.insert("found".into(), found(change));
        }
        row
    });
    json!({
        "server": pins.server().as_str(),
        "mode": mode.name(),
        "tools": tools.collect::<Vec<_>>(),
    })
}

fn differing(pins: &ServerPins, tool: Option<&str>) -> Vec<Value> {
    let mode = pins.mode();
    let mut rows = Vec::new();
    for (name, entry) in pins.entries() {
        let Some(change) = &entry.change else {
            continue;
        };
        if tool.is_some_and(|tool| *tool != *name) {
            continue;
        }
        let mut row = standing(&name, &entry, mode);
        let mut now = found(change);
        if let (Some(row), Some(now)) = (row.as_object_mut(), now.as_object_mut()) {
            row.insert("server".into(), pins.server().as_str().into());
            row.insert("definition".into(), definition(&entry.pinned));
            now.insert("definition".into(), definition(&change.kept));
        }
        if let Some(row) = row.as_object_mut() {
            row.insert("found".into(), now);
        }
        rows.push(row);
    }
    rows
}

fn standing(tool: &str, entry: &Entry, mode: Pins) -> Value {
    let state = match (entry.state(), mode) {
        (PinState::Pinned, _) => "pinned",
        (PinState::Changed, Pins::Block) => "withheld",
        (PinState::Changed, Pins::Warn | Pins::Off) => "changed",
    };
    let mut row = json!({
        "tool": tool,
        "state": state,
        "first_seen": entry.first_seen.to_string(),
        "hash": entry.pinned.digest.to_string(),
    });
    if let (Some(approved), Some(members)) = (entry.approved, row.as_object_mut()) {
        let approval = json!({ "at": approved.at.to_string(), "uid": approved.uid });
        members.insert("approved".into(), approval);
    }
    row
}

fn found(change: &Change) -> Value {
    let hash: Digest = change.kept.digest;
    json!({ "hash": hash.to_string(), "seen": change.seen.to_string() })
}

/// The canonical text, or null when it was too large to be kept.
fn definition(kept: &Kept) -> Value {
    kept.text.as_deref().map_or(Value::Null, Value::from)
}

/// Says in the log that pins are not on the disk.
pub(super) fn unwritten(server: &ServerName, error: &PinError) {
    tracing::error!(%server, error = chain(error), "pins are not on the disk");
}
