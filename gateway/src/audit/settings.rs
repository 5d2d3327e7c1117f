//! What the configuration says about the record. Checked values only.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where and how records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The directory of record files. Made if it is missing, mode 0700.
    pub directory: PathBuf,
    /// How many bytes of records may wait for the writer. More is a refusal.
    pub queue_bytes: usize,
    /// How long a request waits for its record to be written before it is refused.
    pub wait: Duration,
    /// What is signed, and when.
    pub checkpoint: CheckpointSettings,
}

impl LedgerSettings {
    /// Every directory that has segments of this ledger.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        [self.directory.as_path()].into_iter()
    }
}

/// How often checkpoints are signed, with what, and where they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// A checkpoint after so many records, at the latest.
    pub every: u64,
    /// A checkpoint so long after the last one, if there are new records.
    pub interval: Duration,
    /// The name that checkpoints bear; without one a name is made together with the key.
    pub origin: Option<String>,
    /// The key, mode 0400. Made at the first start.
    pub key_file: PathBuf,
    /// The public keys, one a line, for verifiers.
    pub public_file: PathBuf,
    /// The second place, to which every checkpoint is appended.
    pub copy: PathBuf,
}

impl CheckpointSettings {
    /// What holds for the ledger in `directory` when nothing else is said: the files are beside it, never in it.
    pub fn beside(directory: &Path) -> Self {
        Self {
            every: 1000,
            interval: Duration::from_secs(60),
            origin: None,
            key_file: beside(directory, "key"),
            public_file: beside(directory, "pub"),
            copy: beside(directory, "notes"),
        }
    }
}

/// `<directory>.<extension>`.
fn beside(directory: &Path, extension: &str) -> PathBuf {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(extension);
    directory.with_file_name(name)
}
