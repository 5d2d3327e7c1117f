//! What the configuration says about the record. Checked values only.

use std::path::PathBuf;
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
}
