//! What the configuration says about the record. Checked values only.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where and how records are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerSettings {
    /// The directory of segments. Made if it is missing, mode 0700.
    pub directory: PathBuf,
    /// When a record counts as kept.
    pub durability: Durability,
    /// What happens when a record cannot be kept.
    pub on_failure: OnFailure,
    /// How many bytes of records may wait for the writer. More is a refusal.
    pub queue_bytes: usize,
    /// How long a request waits for its record to be written before it is refused.
    pub wait: Duration,
    /// When a segment ends.
    pub segment: SegmentSettings,
    /// How long a segment is kept after its last record; `None` keeps all.
    pub retention: Option<Duration>,
    /// What is signed, and when. Without it nothing proves the records, and none is ever deleted.
    pub checkpoint: Option<CheckpointSettings>,
}

impl LedgerSettings {
    /// What applies where nothing is configured, for records in `directory`.
    pub fn new(directory: PathBuf) -> Self {
        Self {
            checkpoint: Some(CheckpointSettings::beside(&directory)),
            directory,
            durability: Durability::Os,
            on_failure: OnFailure::Deny,
            queue_bytes: 16 << 20,
            wait: Duration::from_secs(2),
            segment: SegmentSettings {
                size: 64 << 20,
                age: Duration::from_secs(24 * 3600),
            },
            retention: None,
        }
    }

    /// Every directory that has segments of this ledger.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        let spill = match &self.on_failure {
            OnFailure::Spill { directory, .. } => Some(directory.as_path()),
            OnFailure::Deny | OnFailure::Continue { .. } => None,
        };
        [self.directory.as_path()].into_iter().chain(spill)
    }
}

/// When a record counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the operating system has it: it survives a crash of this process.
    Os,
    /// When the disk has it: it survives a power cut.
    Disk,
}

/// What happens when a record cannot be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnFailure {
    /// The request is refused.
    Deny,
    /// The chain goes on elsewhere.
    Spill {
        /// Where, on another disk.
        directory: PathBuf,
        /// For how long, before requests are refused.
        limit: Duration,
    },
    /// The request passes without a record that is kept; how many did is on record later.
    Continue {
        /// For how long, before requests are refused.
        limit: Duration,
    },
}

/// When a segment ends and the next one begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentSettings {
    /// When it has so many bytes.
    pub size: u64,
    /// When it is so old.
    pub age: Duration,
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
