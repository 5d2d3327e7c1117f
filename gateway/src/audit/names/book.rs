//! The book of names: one file for each person, in a folder beside the ledger. To erase a person is to remove their file.
//! Never keeps a name that was erased.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};

use super::alias::{Alias, row_name};
use super::error::BookError;
use crate::audit::secret_file::beside;
use crate::model::Digest;

/// The folder of the book that belongs to `ledger`.
pub fn place(ledger: &Path) -> PathBuf {
    beside(ledger, ".subjects")
}

/// The book of one gateway.
pub struct Book {
    folder: PathBuf,
    remembered: Cache<Digest, Arc<Alias>>,
    /// Held while files change, so that nobody remembers what is being erased.
    turn: Mutex<()>,
}

/// What stands in a file.
#[derive(Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) iss: String,
    pub(super) sub: String,
    key: String,
}

impl Row {
    /// What the secret in it makes.
    pub(super) fn alias(&self) -> Option<Alias> {
        let secret = URL_SAFE_NO_PAD.decode(&self.key).ok()?;
        Alias::of(secret.as_slice().try_into().ok()?)
    }
}

impl Book {
    /// Opens the book beside `ledger`; makes its folder, mode 0700, when there is none.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(ledger: &Path) -> Result<Self, BookError> {
        let folder = place(ledger);
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.map_err(|source| failed(&folder, source))?;
        Ok(Self {
            folder,
            remembered: Cache::new(REMEMBERED),
            turn: Mutex::new(()),
        })
    }

    /// What stands for `subject` of `issuer`, if it is in memory.
    ///
    /// # Errors
    /// [`BookError::Unread`].
    pub fn remembered(&self, issuer: &str, subject: &str) -> Result<Arc<Alias>, BookError> {
        let known = self.remembered.get(&row_name(issuer, subject));
        known.ok_or(BookError::Unread)
    }

    /// What stands for `subject` of `issuer`. Whoever is not in the book is put into it, on the disk, before anything can
    /// be recorded of them. Waits for the disk.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn alias(&self, issuer: &str, subject: &str) -> Result<Arc<Alias>, BookError> {
        let name = row_name(issuer, subject);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = self.remembered.get(&name) {
            return Ok(known);
        }
        let path = self.path(&name);
        let row = match std::fs::read(&path) {
            Ok(bytes) => read(&bytes).ok_or_else(|| damaged(&path))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.add(&path, issuer, subject)?
            }
            Err(source) => return Err(failed(&path, source)),
        };
        let alias = Arc::new(row.alias().ok_or_else(|| damaged(&path))?);
        self.remembered.insert(name, Arc::clone(&alias));
        Ok(alias)
    }

    /// Removes `subject` of `issuer`, and answers the pseudonym that nobody can explain any more; nothing when they were
    /// not in the book. Waits for the disk.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn erase(&self, issuer: &str, subject: &str) -> Result<Option<String>, BookError> {
        let name = row_name(issuer, subject);
        let path = self.path(&name);
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let row = match std::fs::read(&path) {
            Ok(bytes) => read(&bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(&path, source)),
        };
        let pseudonym = row.and_then(|row| row.alias());
        let pseudonym = pseudonym.map_or_else(String::new, |alias| alias.pseudonym().to_owned());
        std::fs::remove_file(&path).map_err(|source| failed(&path, source))?;
        self.remembered.invalidate(&name);
        self.settle()?;
        Ok(Some(pseudonym))
    }

    fn add(&self, path: &Path, issuer: &str, subject: &str) -> Result<Row, BookError> {
        let mut secret = [0; 32];
        SystemRandom::new()
            .fill(&mut secret)
            .map_err(|_| BookError::Randomness)?;
        let row = Row {
            iss: issuer.to_owned(),
            sub: subject.to_owned(),
            key: URL_SAFE_NO_PAD.encode(secret),
        };
        let text = serde_json::to_vec(&row).map_err(|_| damaged(path))?;
        let new = path.with_extension("new");
        let written = write(&new, &text).and_then(|()| std::fs::rename(&new, path));
        written.map_err(|source| failed(path, source))?;
        self.settle()?;
        Ok(row)
    }

    /// Brings the folder to the disk.
    fn settle(&self) -> Result<(), BookError> {
        let settled = File::open(&self.folder).and_then(|folder| folder.sync_all());
        settled.map_err(|source| failed(&self.folder, source))
    }

    fn path(&self, name: &Digest) -> PathBuf {
        self.folder.join(format!("{name}.json"))
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Book({})", self.folder.display())
    }
}

pub(super) fn read(bytes: &[u8]) -> Option<Row> {
    serde_json::from_slice(bytes).ok()
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text)?;
    file.sync_all()
}

pub(super) fn failed(path: &Path, source: io::Error) -> BookError {
    BookError::File {
        path: path.to_path_buf(),
        source,
    }
}

fn damaged(path: &Path) -> BookError {
    BookError::Damaged {
        path: path.to_path_buf(),
    }
}

/// Persons; the others are read again.
const REMEMBERED: u64 = 10_000;
