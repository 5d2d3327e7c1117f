//! Brings the contenders up: one process each, ready before the first cell. Never starts one twice.

use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::options::Contender;
use crate::process::{Cores, Process};
use crate::settings::{self, Gateway};

/// Where contenders are started.
#[derive(Debug)]
pub(crate) struct Ground {
    /// For configuration, keys, records and logs.
    pub(crate) folder: PathBuf,
    /// Where `stub` and `pass-through` lie.
    pub(crate) programs: PathBuf,
    /// The gateway.
    pub(crate) gatewright: PathBuf,
    /// Another build of it.
    pub(crate) before: Option<PathBuf>,
    pub(crate) cores: Cores,
    /// The path that is asked.
    pub(crate) path: &'static str,
}

/// A contender that answers.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) contender: Contender,
    pub(crate) address: SocketAddr,
    /// Absent when there is nothing in front of the upstream.
    pub(crate) process: Option<Process>,
    pub(crate) start: Start,
}

/// How it came up.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Start {
    /// From the start of the process until it was ready.
    pub(crate) took: Duration,
    /// Bytes of resident memory before the first request.
    pub(crate) resident: u64,
}

/// The upstream and its address, which it prints.
pub(crate) fn start_upstream(ground: &Ground) -> Result<(Process, SocketAddr), Box<dyn Error>> {
    let program = existing(ground.programs.join("stub"), BUILD_BENCHES)?;
    let since = Instant::now();
    let mut process = Process::start(
        "stub",
        ground.cores.load,
        &program,
        Vec::new(),
        &ground.folder,
    )?;
    loop {
        if let Some(line) = process.first_line()? {
            return Ok((process, line.parse()?));
        }
        process.check()?;
        if since.elapsed() > PATIENCE {
            return Err("the stub prints no address".into());
        }
        thread::sleep(PAUSE);
    }
}

impl Running {
    /// Starts `contender` in front of `upstream` and waits until it is ready.
    pub(crate) fn start(
        contender: Contender,
        upstream: SocketAddr,
        ground: &Ground,
    ) -> Result<Self, Box<dyn Error>> {
        match contender {
            Contender::Direct => Ok(Self {
                contender,
                address: upstream,
                process: None,
                start: Start::default(),
            }),
            Contender::PassThrough => start_pass_through(upstream, ground),
            Contender::Nginx => start_nginx(upstream, ground),
            Contender::Before => {
                let program = ground.before.as_deref().ok_or("there is no other build")?;
                start_gatewright(contender, program, upstream, ground)
            }
            Contender::Gatewright => {
                start_gatewright(contender, &ground.gatewright, upstream, ground)
            }
        }
    }

    /// What the program said last, for when a cell failed.
    pub(crate) fn last_words(&self) -> String {
        self.process
            .as_ref()
            .map(Process::last_words)
            .unwrap_or_default()
    }
}

fn start_pass_through(upstream: SocketAddr, ground: &Ground) -> Result<Running, Box<dyn Error>> {
    let address = free_address()?;
    let program = existing(ground.programs.join("pass-through"), BUILD_BENCHES)?;
    let arguments = vec![address.to_string().into(), upstream.to_string().into()];
    let process = start(Contender::PassThrough, &program, arguments, ground)?;
    process.when_ready(address, || accepts(address))
}

fn start_nginx(upstream: SocketAddr, ground: &Ground) -> Result<Running, Box<dyn Error>> {
    let address = free_address()?;
    let program = on_path("nginx")
        .ok_or("nginx is missing: `apt-get install nginx`, or `--without nginx`")?;
    let file = ground.folder.join("nginx.conf");
    fs::write(&file, settings::nginx(address, upstream))?;
    let prefix = ground.folder.join("").into_os_string();
    let arguments = vec![
        "-p".into(),
        prefix,
        "-e".into(),
        "stderr".into(),
        "-c".into(),
        file.into_os_string(),
    ];
    let process = start(Contender::Nginx, &program, arguments, ground)?;
    process.when_ready(address, || accepts(address))
}

/// Each build has a folder of its own: it locks its records.
fn start_gatewright(
    contender: Contender,
    program: &Path,
    upstream: SocketAddr,
    ground: &Ground,
) -> Result<Running, Box<dyn Error>> {
    let program = existing(program.to_path_buf(), BUILD_GATEWRIGHT)?;
    let (address, ops) = (free_address()?, free_address()?);
    let home = ground.folder.join(contender.name());
    fs::create_dir_all(&home)?;
    fs::copy(ground.folder.join("jwks.json"), home.join("jwks.json"))?;
    let file = home.join("gatewright.yaml");
    fs::write(
        &file,
        Gateway {
            listen: address,
            ops,
            upstream,
            path: ground.path,
        }
        .text(),
    )?;
    let arguments = vec!["run".into(), "-c".into(), file.into_os_string()];
    let process = start(contender, &program, arguments, ground)?;
    process.when_ready(address, || is_ready(ops).unwrap_or(false))
}

struct Starting {
    contender: Contender,
    process: Process,
    since: Instant,
}

fn start(
    contender: Contender,
    program: &Path,
    arguments: Vec<OsString>,
    ground: &Ground,
) -> Result<Starting, Box<dyn Error>> {
    let since = Instant::now();
    let process = Process::start(
        contender.name(),
        ground.cores.proxy,
        program,
        arguments,
        &ground.folder,
    )?;
    Ok(Starting {
        contender,
        process,
        since,
    })
}

impl Starting {
    fn when_ready(
        mut self,
        address: SocketAddr,
        is_ready: impl Fn() -> bool,
    ) -> Result<Running, Box<dyn Error>> {
        while !is_ready() {
            self.process.check()?;
            if self.since.elapsed() > PATIENCE {
                let name = self.contender.name();
                return Err(format!(
                    "{name} is not ready after {PATIENCE:?}: {}",
                    self.process.last_words()
                )
                .into());
            }
            thread::sleep(PAUSE);
        }
        let start = Start {
            took: self.since.elapsed(),
            resident: self.process.resident()?,
        };
        Ok(Running {
            contender: self.contender,
            address,
            process: Some(self.process),
            start,
        })
    }
}

/// A loopback address that nobody listens on.
fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn accepts(address: SocketAddr) -> bool {
    TcpStream::connect_timeout(&address, PROBE).is_ok()
}

/// Whether `/readyz` answers 200.
fn is_ready(ops: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&ops, PROBE)?;
    stream.set_read_timeout(Some(PROBE))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: {ops}\r\nConnection: close\r\n\r\n"
    )?;
    let mut status = [0; "HTTP/1.1 200".len()];
    stream.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

fn existing(program: PathBuf, build: &str) -> Result<PathBuf, Box<dyn Error>> {
    if program.is_file() {
        return Ok(program);
    }
    Err(format!("`{}` is missing: `{build}`", program.display()).into())
}

/// Distributions put nginx where only root looks.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a benchmark looks programs up as a shell does"
    )]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

const BUILD_BENCHES: &str = "cargo build --release -p gatewright-benches --bins";
const BUILD_GATEWRIGHT: &str =
    "cargo build --release -p gatewright`, `GATEWRIGHT_BIN=FILE` or `--without gatewright";
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(2);
const PROBE: Duration = Duration::from_secs(1);
