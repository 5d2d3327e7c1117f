//! The key that signs checkpoints, and the files that it lives in: made at the first start, never replaced in silence, never
//! readable for others.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};
use thiserror::Error;

use super::settings::CheckpointSettings;
use crate::model::{Digest, Secret};

/// Why there is no key to sign checkpoints with.
#[derive(Debug, Error)]
pub enum KeyError {
    /// A file cannot be read or written.
    #[error("cannot use `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read or change the key.
    #[error("the checkpoint key `{}` is open to others: make its mode 0400", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("`{}` holds no checkpoint key", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The key is of another ledger.
    #[error("the checkpoint key `{}` is of `{found}`, not of `{wanted}`", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The name in the file.
        found: String,
        /// The name in the configuration.
        wanted: String,
    },
    /// There was a key, and it is gone.
    #[error("there is no checkpoint key `{}`, but `{}` names one: put it back", path.display(), public.display())]
    Lost {
        /// Where the key should be.
        path: PathBuf,
        /// The file of public keys.
        public: PathBuf,
    },
    /// The key is none of those that verifiers know.
    #[error("`{}` does not name the checkpoint key `{}`", public.display(), path.display())]
    Unknown {
        /// The key.
        path: PathBuf,
        /// The file of public keys.
        public: PathBuf,
    },
    /// No key can be made.
    #[error("the system has no randomness to make a key of")]
    NoRandomness,
}

/// An Ed25519 key with the name of its ledger (C2SP signed-note).
#[derive(Debug)]
pub(crate) struct CheckpointKey {
    name: String,
    id: [u8; 4],
    pair: Ed25519KeyPair,
    seed: Secret<[u8; 32]>,
}

impl CheckpointKey {
    /// A new key for the ledger `name`.
    pub(crate) fn make(name: &str) -> Result<Self, KeyError> {
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| KeyError::NoRandomness)?;
        Self::from_seed(name, seed).ok_or(KeyError::NoRandomness)
    }

    fn from_seed(name: &str, seed: [u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
        let id = id(name, pair.public_key().as_ref())?;
        Some(Self {
            name: name.to_owned(),
            id,
            pair,
            seed: Secret::new(seed),
        })
    }

    /// Reads `PRIVATE+KEY+<name>+<id>+<base64>`, the form that the signed notes of Go have.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim_end().strip_prefix(PRIVATE)?.splitn(3, '+');
        let (name, shown, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = STANDARD.decode(key).ok()?;
        let seed = key.strip_prefix(ED25519_ALGORITHM)?.try_into().ok()?;
        Self::from_seed(name, seed).filter(|key| hexadecimal(key.id) == shown)
    }

    fn private_text(&self) -> Secret<String> {
        let key = [ED25519_ALGORITHM, self.seed.expose()].concat();
        let (name, id) = (&self.name, hexadecimal(self.id));
        Secret::new(format!("{PRIVATE}{name}+{id}+{}\n", STANDARD.encode(key)))
    }

    /// The public half, as verifiers take it: `<name>+<id>+<base64>`.
    pub(crate) fn public_text(&self) -> String {
        let key = [ED25519_ALGORITHM, self.pair.public_key().as_ref()].concat();
        let (name, id) = (&self.name, hexadecimal(self.id));
        format!("{name}+{id}+{}", STANDARD.encode(key))
    }

    /// The name of the ledger, which is the origin of its checkpoints.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The line that says that this key signed `text`.
    pub(crate) fn signature(&self, text: &str) -> String {
        let signature = self.pair.sign(text.as_bytes());
        let bytes = [&self.id, signature.as_ref()].concat();
        format!("\u{2014} {} {}\n", self.name, STANDARD.encode(bytes))
    }
}

/// Where the key and its public half are.
#[derive(Debug, Clone)]
pub(crate) struct KeyFiles {
    key: PathBuf,
    next: PathBuf,
    public: PathBuf,
}

impl KeyFiles {
    pub(crate) fn of(settings: &CheckpointSettings) -> Self {
        let mut next = settings.key_file.clone().into_os_string();
        next.push(".next");
        Self {
            key: settings.key_file.clone(),
            next: next.into(),
            public: settings.public_file.clone(),
        }
    }

    /// The key in force, and the one that was about to replace it when the process ended. Makes the first.
    pub(crate) fn open(
        &self,
        origin: Option<&str>,
    ) -> Result<(CheckpointKey, Option<CheckpointKey>), KeyError> {
        let public = read_or_empty(&self.public)?;
        let Some(key) = read_key(&self.key)? else {
            if !public.trim().is_empty() {
                let (path, public) = (self.key.clone(), self.public.clone());
                return Err(KeyError::Lost { path, public });
            }
            return Ok((self.first(origin)?, None));
        };
        if let Some(wanted) = origin.filter(|wanted| *wanted != key.name) {
            return Err(KeyError::Name {
                path: self.key.clone(),
                found: key.name,
                wanted: wanted.to_owned(),
            });
        }
        let own = key.public_text();
        if public.trim().is_empty() {
            self.publish(&key)?;
        } else if !public.lines().any(|line| line == own) {
            let (path, public) = (self.key.clone(), self.public.clone());
            return Err(KeyError::Unknown { path, public });
        }
        let next = read_key(&self.next)?;
        if let Some(next) = &next {
            self.publish(next)?;
        }
        Ok((key, next))
    }

    fn first(&self, origin: Option<&str>) -> Result<CheckpointKey, KeyError> {
        let name = match origin {
            Some(origin) => origin.to_owned(),
            None => format!("gatewright/{}", uuid::Uuid::now_v7()),
        };
        let key = CheckpointKey::make(&name)?;
        create(&self.key, &key)?;
        self.publish(&key)?;
        Ok(key)
    }

    /// Makes the key that replaces `old`, and tells verifiers of it.
    pub(crate) fn successor(&self, old: &CheckpointKey) -> Result<CheckpointKey, KeyError> {
        let key = CheckpointKey::make(&old.name)?;
        create(&self.next, &key)?;
        self.publish(&key)?;
        Ok(key)
    }

    /// From now on the successor is the key.
    pub(crate) fn replace(&self) -> Result<(), KeyError> {
        let replaced = std::fs::rename(&self.next, &self.key).and_then(|()| sync_folder(&self.key));
        replaced.map_err(|source| failed(&self.key, source))
    }

    /// Adds the public half of `key` to the file of public keys, once.
    fn publish(&self, key: &CheckpointKey) -> Result<(), KeyError> {
        let own = key.public_text();
        if read_or_empty(&self.public)?.lines().any(|line| line == own) {
            return Ok(());
        }
        let append = || {
            let mut options = OpenOptions::new();
            let mut file = options
                .create(true)
                .append(true)
                .mode(0o644)
                .open(&self.public)?;
            file.write_all(format!("{own}\n").as_bytes())?;
            file.sync_all()
        };
        append().map_err(|source| failed(&self.public, source))
    }
}

/// Writes the key beside its place and puts it there whole: half a key would keep the gateway from starting.
fn create(path: &Path, key: &CheckpointKey) -> Result<(), KeyError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let write = || {
        // What a start that was cut short left.
        if Path::new(&beside).exists() {
            std::fs::remove_file(&beside)?;
        }
        let mut options = OpenOptions::new();
        let mut file = options
            .create_new(true)
            .write(true)
            .mode(0o400)
            .open(&beside)?;
        file.write_all(key.private_text().expose().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        sync_folder(path)
    };
    write().map_err(|source| failed(path, source))
}

fn read_key(path: &Path) -> Result<Option<CheckpointKey>, KeyError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(path, source)),
    };
    let mode = file
        .metadata()
        .map_err(|source| failed(path, source))?
        .mode();
    if mode & OPEN_TO_OTHERS != 0 {
        let path = path.to_path_buf();
        return Err(KeyError::Exposed { path });
    }
    let mut text = String::new();
    let read = (&file).take(LONGEST).read_to_string(&mut text);
    read.map_err(|source| failed(path, source))?;
    let key = CheckpointKey::parse(&text).ok_or_else(|| KeyError::Malformed {
        path: path.to_path_buf(),
    })?;
    Ok(Some(key))
}

fn read_or_empty(path: &Path) -> Result<String, KeyError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(failed(path, source)),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(path: &Path, source: io::Error) -> KeyError {
    KeyError::File {
        path: path.to_path_buf(),
        source,
    }
}

/// C2SP signed-note: the first four bytes of a hash over the name, the algorithm and the key.
fn id(name: &str, public: &[u8]) -> Option<[u8; 4]> {
    let hash = Digest::of_parts(&[name.as_bytes(), b"\n", ED25519_ALGORITHM, public]);
    hash.as_bytes().first_chunk().copied()
}

fn hexadecimal(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

const PRIVATE: &str = "PRIVATE+KEY+";
const ED25519_ALGORITHM: &[u8] = &[1];
/// Read or write for everyone, write for the group.
const OPEN_TO_OTHERS: u32 = 0o027;
/// No key file is nearly as long, in bytes.
const LONGEST: u64 = 4 << 10;
