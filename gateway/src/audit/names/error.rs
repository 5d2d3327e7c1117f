//! Why the book of names cannot be used. Never says whose name it was.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why the book of names cannot be used.
#[derive(Debug, Error)]
pub enum BookError {
    /// A file or the folder cannot be read or written.
    #[error("cannot use the book of names `{}`", path.display())]
    File {
        /// The file or the folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what the gateway wrote.
    #[error("a file of the book of names is damaged: `{}`", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness.
    #[error("the system gives no random numbers")]
    Randomness,
    /// The name is not in memory, and nobody may wait for the disk.
    #[error("the name is not in memory")]
    Unread,
}
