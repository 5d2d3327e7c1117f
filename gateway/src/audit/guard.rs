//! The lock that keeps a second gateway out of a directory. Held as long as its value lives.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::error::AuditError;

/// A directory that is ours alone.
#[derive(Debug)]
pub(super) struct Guard {
    _lock: File,
}

impl Guard {
    /// Makes `directory` if it is missing, mode 0700, and locks it.
    pub(super) fn of(directory: &Path) -> Result<Self, AuditError> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory);
        made.map_err(|source| AuditError::Directory {
            directory: directory.to_path_buf(),
            source,
        })?;
        let path = directory.join("lock");
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(|source| AuditError::File {
            path: path.clone(),
            source,
        })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _lock: file }),
            Err(TryLockError::WouldBlock) => Err(AuditError::Locked {
                directory: directory.to_path_buf(),
            }),
            Err(TryLockError::Error(source)) => Err(AuditError::File { path, source }),
        }
    }
}
