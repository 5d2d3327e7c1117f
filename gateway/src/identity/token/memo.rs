//! Tokens that were proven a moment ago. A hit is only a candidate: its time and its keys are looked at again each
//! time, and it never crosses from one server to another.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::identity::credential::RawToken;
use crate::identity::keys::Proof;
use crate::identity::principal::Principal;
use crate::identity::settings::Audience;
use crate::model::Digest;

/// A bounded memory of proven tokens.
pub(in crate::identity) struct Memo {
    entries: Cache<Digest, Entry>,
}

/// What was proven, and by which keys.
#[derive(Clone)]
pub(in crate::identity) struct Entry {
    pub(in crate::identity) principal: Arc<Principal>,
    pub(in crate::identity) proof: Proof,
}

impl Memo {
    pub(in crate::identity) fn new() -> Self {
        Self {
            entries: Cache::builder()
                .max_capacity(MOST_ENTRIES)
                .time_to_idle(IDLE)
                .build(),
        }
    }

    pub(in crate::identity) fn get(&self, key: &Digest) -> Option<Entry> {
        self.entries.get(key)
    }

    pub(in crate::identity) fn put(&self, key: Digest, entry: Entry) {
        self.entries.insert(key, entry);
    }

    pub(in crate::identity) fn forget(&self, key: &Digest) {
        self.entries.invalidate(key);
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memo({} entries)", self.entries.entry_count())
    }
}

/// The key holds every input of the verdict but time and keys: the token, the server and all that it accepts.
pub(in crate::identity) fn key(token: &RawToken, audience: &Audience) -> Digest {
    // A token has no NUL, so the parts cannot run into each other.
    let mut parts: Vec<&[u8]> = vec![
        token.expose().as_bytes(),
        NUL,
        audience.server.as_str().as_bytes(),
        NUL,
    ];
    for accepted in &audience.accepted {
        parts.extend([accepted.as_bytes(), NUL]);
    }
    parts.push(NUL);
    for issuer in &audience.issuers {
        parts.extend([issuer.as_str().as_bytes(), NUL]);
    }
    Digest::of_parts(&parts)
}

const NUL: &[u8] = b"\0";
const MOST_ENTRIES: u64 = 100_000;
const IDLE: Duration = Duration::from_secs(600);
