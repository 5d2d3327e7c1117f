//! The one owner of a directory of pins: a file for each server, written beside the requests and not by them.

use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::error::PinError;
use super::server::{Pins, ServerPins};
use crate::model::ServerName;

/// Keeps the pins of all servers. The last handle to go closes it.
#[derive(Clone)]
pub struct Keeper(Arc<Open>);

struct Open {
    directory: PathBuf,
    report: Report,
    known: Arc<Known>,
    bell: Arc<Bell>,
    /// What there is from the first pin on: nothing is made for a gateway that pins nothing.
    working: Mutex<Option<Working>>,
}

/// Whom to tell that the pins of a server could not be written.
pub type Report = Arc<dyn Fn(&ServerName, &PinError) + Send + Sync>;

type Known = Mutex<HashMap<ServerName, Arc<ServerPins>>>;

#[derive(Debug)]
struct Working {
    writer: JoinHandle<()>,
    /// Held as long as the directory is ours.
    _lock: File,
}

impl Keeper {
    /// Of `directory`, which is made, mode 0700, when the first server has pins.
    pub fn new(directory: &Path, report: Report) -> Self {
        Self(Arc::new(Open {
            directory: directory.to_owned(),
            report,
            known: Arc::default(),
            bell: Arc::default(),
            working: Mutex::default(),
        }))
    }

    /// The pins of `server`, read from the disk when they were not asked for before.
    ///
    /// # Errors
    /// [`PinError`]: what cannot be read is no empty set of pins.
    pub fn of_server(&self, server: &ServerName) -> Result<Arc<ServerPins>, PinError> {
        self.0.begin()?;
        let mut all = lock(&self.0.known);
        if let Some(known) = all.get(server) {
            return Ok(Arc::clone(known));
        }
        // INVARIANT: names of servers are letters, digits, `_` and `-` (`config/servers.rs`), so this is a file name.
        let path = self.0.directory.join(format!("{server}.json"));
        let pins = ServerPins::read(server.clone(), path, Arc::clone(&self.0.bell))?;
        let pins = Arc::new(pins);
        all.insert(server.clone(), Arc::clone(&pins));
        Ok(pins)
    }

    /// Brings a new configuration into force, in open streams too. Servers that are not named have no pins.
    pub fn set_modes(&self, modes: &[(&ServerName, Pins)]) {
        for (server, pins) in lock(&self.0.known).iter() {
            let named = modes.iter().find(|(name, _)| *name == server);
            pins.set_mode(named.map_or(Pins::Off, |(_, mode)| *mode));
        }
    }

    /// Writes what is not on the disk, and gives the directory back. Blocks.
    pub fn close(&self) {
        self.0.close();
    }
}

impl Open {
    /// Makes and locks the directory, and starts to write.
    fn begin(&self) -> Result<(), PinError> {
        let mut working = lock(&self.working);
        if working.is_some() {
            return Ok(());
        }
        let directory = &self.directory;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|source| unusable(directory, source))?;
        let held = lock_directory(directory)?;
        let (known, bell) = (Arc::clone(&self.known), Arc::clone(&self.bell));
        let report = Arc::clone(&self.report);
        let writer = std::thread::Builder::new()
            .name("pins-writer".to_owned())
            .spawn(move || run(&known, &bell, &report))
            .map_err(|source| PinError::Thread { source })?;
        *working = Some(Working {
            writer,
            _lock: held,
        });
        Ok(())
    }

    fn close(&self) {
        let Some(working) = lock(&self.working).take() else {
            return;
        };
        self.bell.stop();
        // It panics in no case that is known; the directory is given back in any.
        drop(working.writer.join());
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock_directory(directory: &Path) -> Result<File, PinError> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(directory.join("lock"))
        .map_err(|source| unusable(directory, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PinError::Locked {
            directory: directory.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(directory, source)),
    }
}

fn unusable(directory: &Path, source: std::io::Error) -> PinError {
    PinError::Directory {
        directory: directory.to_owned(),
        source,
    }
}

/// Writes whenever there is something to write, until it is told to stop.
fn run(known: &Known, bell: &Bell, report: &Report) {
    let mut has_failed = false;
    loop {
        let call = bell.wait(has_failed);
        has_failed = false;
        let all: Vec<_> = lock(known).values().cloned().collect();
        for pins in all {
            if let Err(error) = pins.save() {
                has_failed = true;
                report(pins.server(), &error);
            }
        }
        if call == Call::Stop {
            return;
        }
        // A server that never stops changing must not keep the disk busy.
        bell.rest();
    }
}

/// Wakes the writer.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<Rung>,
    woken: Condvar,
}

#[derive(Debug, Default)]
struct Rung {
    is_rung: bool,
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Write,
    Stop,
}

impl Bell {
    /// There is something to write.
    pub(super) fn ring(&self) {
        let mut rung = lock(&self.rung);
        if !std::mem::replace(&mut rung.is_rung, true) {
            self.woken.notify_all();
        }
    }

    fn stop(&self) {
        lock(&self.rung).is_over = true;
        self.woken.notify_all();
    }

    /// Until there is something to write; after a failure at most a second.
    fn wait(&self, has_failed: bool) -> Call {
        let rung = lock(&self.rung);
        let is_idle = |rung: &mut Rung| !rung.is_rung && !rung.is_over;
        let mut rung = if has_failed {
            let waited = self.woken.wait_timeout_while(rung, AGAIN, is_idle);
            waited.unwrap_or_else(PoisonError::into_inner).0
        } else {
            let waited = self.woken.wait_while(rung, is_idle);
            waited.unwrap_or_else(PoisonError::into_inner)
        };
        rung.is_rung = false;
        if rung.is_over {
            Call::Stop
        } else {
            Call::Write
        }
    }

    /// A moment, or until it is over.
    fn rest(&self) {
        let rung = lock(&self.rung);
        drop(
            self.woken
                .wait_timeout_while(rung, REST, |rung| !rung.is_over),
        );
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// After how long a write that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long it takes at least from one write to the next.
const REST: Duration = Duration::from_millis(100);
