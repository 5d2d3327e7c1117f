//! Which principal opened which session. A session id is a name, never a credential
//! (MCP 2025-11-25, security best practices); the ids themselves are not kept.

use std::time::Duration;

use moka::sync::Cache;

use crate::identity::Principal;
use crate::model::{Digest, ServerName};

/// How many sessions are remembered; the least used are forgotten first.
const REMEMBERED: u64 = 100_000;
/// How long a session may be unused.
const IDLE: Duration = Duration::from_secs(24 * 3600);
/// MCP 2025-11-25, basic/transports: visible ASCII. The length is our own bound.
const LONGEST: usize = 256;

/// The owners of all sessions before 2026-07-28.
#[derive(Debug)]
pub struct Sessions {
    owners: Cache<Digest, Digest>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            owners: Cache::builder()
                .max_capacity(REMEMBERED)
                .time_to_idle(IDLE)
                .build(),
        }
    }
}

impl Sessions {
    /// Remembers that `principal` opened the session `id` at `server`.
    pub fn open(&self, server: &ServerName, id: &[u8], principal: &Principal) {
        if is_well_formed(id) {
            self.owners.insert(key(server, id), owner(principal));
        }
    }

    /// Whether the session `id` of `server` is one that `principal` opened.
    pub fn is_owned(&self, server: &ServerName, id: &[u8], principal: &Principal) -> bool {
        is_well_formed(id) && self.owners.get(&key(server, id)) == Some(owner(principal))
    }
}

fn is_well_formed(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

fn key(server: &ServerName, id: &[u8]) -> Digest {
    Digest::of_parts(&[server.as_str().as_bytes(), b"\0", id])
}

/// Subjects of different issuers are different people, and a client acts for itself alone.
fn owner(principal: &Principal) -> Digest {
    let client = principal.client_id().unwrap_or_default();
    Digest::of_parts(&[
        principal.issuer().as_str().as_bytes(),
        b"\0",
        principal.subject().as_bytes(),
        b"\0",
        client.as_bytes(),
    ])
}
