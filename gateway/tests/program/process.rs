//! Runs the program: to its end, or until the test is over.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// No step of the program may take longer.
const LIMIT: Duration = Duration::from_secs(20);

/// The program in `folder`, with nothing of this environment that it would read.
pub(crate) fn gatewright(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatewright"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_remove("GATEWRIGHT_CONFIG")
        .env_remove("GATEWRIGHT_LOG")
        .env("XDG_CONFIG_HOME", folder.join("nothing"))
        .env("HOME", folder)
        .stdin(Stdio::null());
    command
}

/// A run that came to its end.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) talk: String,
}

impl Finished {
    pub(crate) fn of(mut command: Command) -> Self {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code().expect("an exit code, not a signal"),
            out: text(output.stdout),
            talk: text(output.stderr),
        }
    }
}

/// A run that goes on; it ends with the test at the latest.
pub(crate) struct Program {
    child: Child,
    lines: mpsc::Receiver<String>,
    reads: Arc<AtomicBool>,
    log: std::path::PathBuf,
}

impl Program {
    /// Starts it; what it says on stderr goes to a file of `folder`.
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_saying(folder, arguments, "")
    }

    /// The same, with this filter of its log.
    pub(crate) fn start_saying(folder: &Path, arguments: &[&str], filter: &str) -> Self {
        let log = folder.join("stderr.log");
        let mut child = gatewright(folder, arguments)
            .env("GATEWRIGHT_LOG", filter)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::sync_channel(10_000);
        let reads = Arc::new(AtomicBool::new(true));
        let goes_on = Arc::clone(&reads);
        std::thread::spawn(move || {
            let mut lines = out.lines();
            while let Some(Ok(line)) = lines.next() {
                if sender.send(line).is_err() {
                    return;
                }
                // The pipe stays open; it only fills.
                while !goes_on.load(Ordering::Relaxed) {
                    std::thread::park();
                }
            }
        });
        Self {
            child,
            lines,
            reads,
            log,
        }
    }

    /// The lines of stdout up to the first that `ends` accepts, which is the last of them.
    pub(crate) fn until(&self, ends: impl Fn(&str) -> bool) -> Vec<String> {
        let (began, mut lines) = (Instant::now(), Vec::new());
        while began.elapsed() < LIMIT {
            let Ok(line) = self.lines.recv_timeout(LIMIT) else {
                break;
            };
            let is_last = ends(&line);
            lines.push(line);
            if is_last {
                return lines;
            }
        }
        panic!("stdout ended early: {lines:?}\n{}", self.talk());
    }

    /// Reads nothing of its stdout any more.
    pub(crate) fn stop_reading(&self) {
        self.reads.store(false, Ordering::Relaxed);
    }

    pub(crate) fn talk(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends a signal by name, like `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", &format!("kill -{name} {}", self.child.id())])
            .status()
            .unwrap();
        assert!(status.success(), "{}", self.talk());
    }

    /// Leaves it `more` descriptors than it has.
    pub(crate) fn limit_descriptors(&self, more: usize) {
        let id = self.child.id();
        let open = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap().count();
        let status = Command::new("prlimit")
            .args([
                format!("--pid={id}"),
                format!("--nofile={0}:{0}", open + more),
            ])
            .status()
            .unwrap();
        assert!(status.success(), "{}", self.talk());
    }

    /// Waits for its end and how long that took.
    pub(crate) fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        while began.elapsed() < LIMIT {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it does not end: {}", self.talk());
    }

    /// Panics with what it said if it is over.
    pub(crate) fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            panic!("it ended with {status}: {}", self.talk());
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago, below those that the system gives to outgoing connections: none of them takes it
/// before the program does.
pub(crate) fn free_port() -> u16 {
    let guess = |_| 10_000 + u16::try_from(RandomState::new().hash_one(()) % 20_000).unwrap();
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (0..200).map(guess).find(is_free).unwrap()
}
