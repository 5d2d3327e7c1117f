//! A disk of its own for a test: an image with a file system, mounted. Where that is not allowed there is none.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A mounted file system of 16 MiB.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// A fresh one; `None` where this process may not mount, which is said.
    pub(crate) fn mounted() -> Option<Self> {
        let disk = Self {
            folder: TempDir::new().unwrap(),
        };
        std::fs::create_dir(disk.path()).unwrap();
        let image = std::fs::File::create(disk.image()).unwrap();
        image.set_len(16 << 20).unwrap();
        let (image, path) = (disk.image(), disk.path());
        let is_made = run("mkfs.ext4", &["-q".as_ref(), &image]);
        let is_mounted = is_made && run("mount", &["-o".as_ref(), "loop".as_ref(), &image, &path]);
        if !is_mounted {
            println!("skipped: no disk can be mounted here");
        }
        is_mounted.then_some(disk)
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Does what is on the disk itself, beyond every cache, hold `text`?
    pub(crate) fn holds(&self, text: &str) -> bool {
        let bytes = std::fs::read(self.image()).unwrap();
        memchr::memmem::find(&bytes, text.as_bytes()).is_some()
    }

    /// Writes until nothing more fits.
    pub(crate) fn fill(&self) {
        let block = vec![b'x'; 1 << 16];
        let mut file = std::fs::File::create(self.filler()).unwrap();
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        while std::io::Write::write_all(&mut file, b"x").is_ok() {}
    }

    /// Makes room again.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    /// From now on writes do not return.
    pub(crate) fn freeze(&self) -> bool {
        run("fsfreeze", &["-f".as_ref(), &self.path()])
    }

    /// They return.
    pub(crate) fn thaw(&self) -> bool {
        run("fsfreeze", &["-u".as_ref(), &self.path()])
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A frozen disk is not unmounted, and keeps who writes on it for ever.
        let _ = self.thaw();
        let _ = run("umount", &["-l".as_ref(), &self.path()]);
    }
}

/// Lets `path` be changed by nobody, or by everybody again; false where that cannot be done.
pub(crate) fn locked(path: &Path, change: &str) -> bool {
    run("chattr", &[change.as_ref(), path])
}

fn run(program: &str, arguments: &[&Path]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}
