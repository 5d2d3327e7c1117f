//! Which principal opened which session. A session id is a name, never a credential
//! (MCP 2025-11-25, security best practices); the ids themselves are not kept.

use std::time::Duration;

use moka::sync::Cache;

use crate::identity::Principal;
use crate::model::{Digest, RoleName, ServerName};

/// How many sessions are remembered; the least used are forgotten first.
const REMEMBERED: u64 = 100_000;
/// How long a session may be unused.
const IDLE: Duration = Duration::from_secs(24 * 3600);
/// MCP 2025-11-25, basic/transports: visible ASCII. The length is our own bound.
const LONGEST: usize = 256;

/// Whose a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Ownership {
    /// The asking principal's.
    Own,
    /// Somebody else's, or no session id at all.
    Foreign,
}

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
    /// Remembers that `principal` opened the session `id` at `server`. A session that is another's stays that; the
    /// answer says whose it is now.
    pub fn open(&self, server: &ServerName, id: &[u8], principal: &Principal) -> Ownership {
        let asking = owner(principal);
        let is_theirs =
            is_well_formed(id) && self.owners.get_with(key(server, id), || asking) == asking;
        if is_theirs {
            Ownership::Own
        } else {
            Ownership::Foreign
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

/// Subjects of different issuers are different people, a client acts for itself alone, and a token with other roles
/// must not be told what a session of stronger ones was answered.
fn owner(principal: &Principal) -> Digest {
    let client = principal.client_id().unwrap_or_default();
    let named = [principal.issuer().as_str(), principal.subject(), client];
    let roles = principal.roles().iter().map(RoleName::as_str);
    let parts: Vec<&[u8]> = named
        .into_iter()
        .chain(roles)
        .flat_map(|part| [part.as_bytes(), b"\0".as_slice()])
        .collect();
    Digest::of_parts(&parts)
}
