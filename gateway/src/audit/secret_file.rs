//! Secrets of the gateway's own, each in a file beside the ledger and never in it: whoever gets the records must not get
//! what protects them. Never replaces a file that is there.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use thiserror::Error;

use crate::model::Secret;

/// Why there is no secret.
#[derive(Debug, Error)]
pub enum SecretFileError {
    /// The file cannot be read or made.
    #[error("cannot use the key file `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What stands in it is too short to be a secret.
    #[error("the key file `{}` holds no key of {SHORTEST} characters: name another, or remove it and lose what it protects", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// The system has no randomness.
    #[error("the system gives no random numbers")]
    Randomness,
}

/// `ledger` with `ending` behind its name: the place of a file that belongs to it.
pub fn beside(ledger: &Path, ending: &str) -> PathBuf {
    let mut path = ledger.as_os_str().to_owned();
    path.push(ending);
    PathBuf::from(path)
}

/// The secret in the file at `path`. Made at random, mode 0400, when there is none.
///
/// # Errors
/// [`SecretFileError`].
pub fn read_or_make(path: &Path) -> Result<Secret<String>, SecretFileError> {
    let failed = |source| SecretFileError::File {
        path: path.to_path_buf(),
        source,
    };
    match std::fs::read_to_string(path) {
        Ok(text) => {
            let secret = text.trim_end();
            if secret.len() < SHORTEST {
                return Err(SecretFileError::Weak {
                    path: path.to_path_buf(),
                });
            }
            Ok(Secret::new(secret.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = random()?;
            write(path, secret.expose()).map_err(failed)?;
            Ok(secret)
        }
        Err(error) => Err(failed(error)),
    }
}

fn random() -> Result<Secret<String>, SecretFileError> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| SecretFileError::Randomness)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

/// Writes a whole file or none: a crash in between leaves another name.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let new = beside(path, ".new");
    if let Err(error) = std::fs::remove_file(&new)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o400)
        .open(&new)?;
    file.write_all(format!("{text}\n").as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) | None => Ok(()),
    }
}

/// In bytes.
const SHORTEST: usize = 32;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{SecretFileError, beside, read_or_make};

    #[test]
    fn a_secret_is_made_once_for_its_owner_alone_and_read_ever_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = beside(&folder.path().join("audit"), ".digest-key");
        assert!(path.ends_with("audit.digest-key"));
        let first = read_or_make(&path).unwrap();
        assert_eq!(first.expose().len(), 43);
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o400);
        assert_eq!(read_or_make(&path).unwrap().expose(), first.expose());
        let other = read_or_make(&folder.path().join("other")).unwrap();
        assert_ne!(other.expose(), first.expose());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_without_a_secret_is_an_error_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "short\n").unwrap();
        assert!(matches!(
            read_or_make(&path),
            Err(SecretFileError::Weak { .. })
        ));
        assert_eq!(std::fs::read(&path).unwrap(), b"short\n");
        let nowhere = folder.path().join("none/key");
        assert!(matches!(
            read_or_make(&nowhere),
            Err(SecretFileError::File { .. })
        ));
    }
}
