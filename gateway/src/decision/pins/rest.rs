//! The pins of a server as they lie on the disk, for those who only read them. Never makes, locks or writes a file.

use std::path::Path;

use super::book::Entry;
use super::error::PinError;
use super::file;
use crate::model::ServerName;

/// What `directory` says of the tools of `server`, by name; nothing when it was never pinned.
///
/// # Errors
/// [`PinError`]: what cannot be read is no empty set of pins.
pub fn at_rest(directory: &Path, server: &ServerName) -> Result<Vec<(Box<str>, Entry)>, PinError> {
    let path = directory.join(format!("{server}.json"));
    let book = file::read(&path, server)?;
    let entries = book.entries().iter();
    Ok(entries
        .map(|(name, entry)| (name.clone(), entry.clone()))
        .collect())
}
