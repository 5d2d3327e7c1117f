//! The processes under test: started on their core, watched through `/proc`, ended with the run. Never measures itself.

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Which core does what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cores {
    /// The contenders, one at a time.
    pub(crate) proxy: u32,
    /// The generator and the upstream.
    pub(crate) load: u32,
}

impl Cores {
    /// The first two cores this process may use. With a single one everything shares it.
    pub(crate) fn choose() -> Result<Self, Box<dyn Error>> {
        let status = fs::read_to_string("/proc/self/status")?;
        let allowed =
            field(&status, "Cpus_allowed_list:").ok_or("no list of cores in /proc/self/status")?;
        Self::from_list(allowed).ok_or_else(|| format!("no core in `{allowed}`").into())
    }

    fn from_list(list: &str) -> Option<Self> {
        let ranges = list.split(',').filter_map(|range| {
            let (first, end) = range.split_once('-').unwrap_or((range, range));
            Some(first.trim().parse::<u32>().ok()?..=end.trim().parse::<u32>().ok()?)
        });
        let mut cores = ranges.flatten();
        let proxy = cores.next()?;
        Some(Self {
            proxy,
            load: cores.next().unwrap_or(proxy),
        })
    }

    pub(crate) fn are_apart(&self) -> bool {
        self.proxy != self.load
    }

    /// Moves this process, and so what it starts from now on, to the load's core.
    pub(crate) fn take_load_side(&self) -> Result<(), Box<dyn Error>> {
        let core = self.load.to_string();
        let process = std::process::id().to_string();
        let mut taskset = Command::new("taskset");
        taskset
            .args(["-a", "-c", "-p", &core, &process])
            .stdout(Stdio::null());
        let status = taskset
            .status()
            .map_err(|error| format!("taskset of util-linux: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("taskset could not pin to core {core}").into())
        }
    }
}

/// A running program. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `program` on `core`; all it says goes to a file in `folder`.
    pub(crate) fn start(
        name: &'static str,
        core: u32,
        program: &Path,
        arguments: Vec<OsString>,
        folder: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let log = folder.join(format!("{name}.log"));
        let talk = File::create(&log)?;
        // taskset replaces itself with the program, so the child's id is the program's.
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .args(arguments)
            // A line for every request would be measured too; nginx writes none either.
            .env("RUST_LOG", "warn")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(talk.try_clone()?)
            .stderr(talk)
            .spawn()
            .map_err(|error| format!("taskset of util-linux: {error}"))?;
        Ok(Self { name, child, log })
    }

    /// The first line that the program said, once it is complete.
    pub(crate) fn first_line(&self) -> Result<Option<String>, Box<dyn Error>> {
        let said = fs::read_to_string(&self.log)?;
        Ok(said.split_once('\n').map(|(line, _)| line.to_owned()))
    }

    /// An error when the program has ended, with the last it said.
    pub(crate) fn check(&mut self) -> Result<(), Box<dyn Error>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(());
        };
        Err(format!("{} ended with {status}: {}", self.name, self.last_words()).into())
    }

    /// The end of what the program said.
    pub(crate) fn last_words(&self) -> String {
        let mut said = Vec::new();
        let read = File::open(&self.log).and_then(|mut log| {
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
            log.read_to_end(&mut said)
        });
        read.map_or_else(
            |error| error.to_string(),
            |_| String::from_utf8_lossy(&said).trim().to_owned(),
        )
    }

    /// The processor time of every thread so far, user and system.
    pub(crate) fn usage(&self) -> Result<Usage, Box<dyn Error>> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let path = task?.path().join("schedstat");
            // A thread may end between the listing and the reading.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
            threads.insert(path, Duration::from_nanos(nanoseconds));
        }
        Ok(Usage { threads })
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> Result<u64, Box<dyn Error>> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = field(&status, "VmRSS:").ok_or("no VmRSS")?;
        Ok(field.trim_end_matches("kB").trim().parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone afterwards.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time by thread, to the nanosecond (`/proc/PID/task/TID/schedstat`).
#[derive(Debug, Default)]
pub(crate) struct Usage {
    threads: BTreeMap<PathBuf, Duration>,
}

impl Usage {
    /// What all threads used since `earlier`. A thread that ended in between does not count.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let used = self.threads.iter().map(|(thread, now)| {
            let before = earlier.threads.get(thread).copied().unwrap_or_default();
            now.saturating_sub(before)
        });
        used.sum()
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

/// In bytes.
const LAST_WORDS: u64 = 2000;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::{Cores, Process, Usage};

    #[test]
    fn the_first_two_allowed_cores_are_taken() {
        assert_eq!(Cores::from_list("0-1"), Some(Cores { proxy: 0, load: 1 }));
        assert_eq!(Cores::from_list("2,5-7"), Some(Cores { proxy: 2, load: 5 }));
        assert_eq!(Cores::from_list("3"), Some(Cores { proxy: 3, load: 3 }));
        assert_eq!(Cores::from_list("none"), None);
    }

    #[test]
    fn usage_counts_new_threads_and_ignores_ended_ones() {
        let usage = |threads: &[(&str, u64)]| Usage {
            threads: threads
                .iter()
                .map(|(name, time)| (name.into(), Duration::from_nanos(*time)))
                .collect(),
        };
        let before = usage(&[("1", 100), ("2", 50)]);
        assert_eq!(
            usage(&[("1", 130), ("3", 7)]).since(&before),
            Duration::from_nanos(37)
        );
    }

    #[test]
    fn a_program_that_ends_is_reported_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let core = Cores::choose().unwrap().proxy;
        let script = ["-c", "echo here; echo why >&2; exit 3"]
            .map(Into::into)
            .to_vec();
        let mut process =
            Process::start("sh", core, Path::new("/bin/sh"), script, folder.path()).unwrap();
        let _ = process.child.wait();
        assert_eq!(process.first_line().unwrap().as_deref(), Some("here"));
        let error = process.check().unwrap_err().to_string();
        assert!(
            error.contains("exit status: 3") && error.ends_with("why"),
            "{error}"
        );
    }
}
