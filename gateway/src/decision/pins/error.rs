//! Why pins cannot be kept.

use std::io;
use std::path::PathBuf;

/// Why pins cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// The directory cannot be made or locked.
    #[error("cannot use `{directory}` for pins")]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another gateway keeps its pins there.
    #[error("another gateway keeps its pins in `{directory}`: name another `pins.directory`")]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// A file of pins cannot be opened, read or written.
    #[error("cannot read or write the pins in `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of pins is not what was written.
    #[error(
        "the pins in `{path}` cannot be used: {what}; put the file back, or remove it to trust the tools as they are seen next"
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start the thread that writes pins")]
    Thread {
        /// What the system said.
        source: io::Error,
    },
}
