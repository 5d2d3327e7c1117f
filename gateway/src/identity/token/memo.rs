//! Tokens that were proven a moment ago. A hit is only a candidate: its time and its keys are looked at again each
//! time, and it never crosses from one server to another.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use crate::identity::credential::RawToken;
use crate::identity::keys::Proof;
use crate::identity::principal::Unbound;
use crate::identity::settings::Audience;
use crate::model::{Digest, UnixTime};

/// A bounded memory of proven tokens.
pub(in crate::identity) struct Memo {
    entries: Cache<Key, Entry>,
}

/// Every input of the verdict but time and keys: the token, the server and all that it accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::identity) struct Key {
    token: Digest,
    audience: Digest,
}

impl Key {
    pub(in crate::identity) fn new(token: &RawToken, audience: &Audience) -> Self {
        Self {
            token: token.digest(),
            audience: audience.fingerprint(),
        }
    }

    /// The digest of the token alone.
    pub(in crate::identity) const fn token(&self) -> Digest {
        self.token
    }
}

/// What was proven, and how.
#[derive(Clone)]
pub(in crate::identity) struct Entry {
    pub(in crate::identity) unbound: Arc<Unbound>,
    pub(in crate::identity) grounds: Grounds,
}

/// Why a token is believed.
#[derive(Debug, Clone, Copy)]
pub(in crate::identity) enum Grounds {
    /// These keys proved its signature.
    Keys(Proof),
    /// Its issuer said so, and is believed until then.
    Word(UnixTime),
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

    pub(in crate::identity) fn get(&self, key: &Key) -> Option<Entry> {
        self.entries.get(key)
    }

    pub(in crate::identity) fn put(&self, key: Key, entry: Entry) {
        self.entries.insert(key, entry);
    }

    pub(in crate::identity) fn forget(&self, key: &Key) {
        self.entries.invalidate(key);
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Memo({} entries)", self.entries.entry_count())
    }
}

const MOST_ENTRIES: u64 = 100_000;
const IDLE: Duration = Duration::from_secs(600);
