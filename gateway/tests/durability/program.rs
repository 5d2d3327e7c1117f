//! The program as a process that can be killed.

use std::fs::OpenOptions;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Agent, PATH, Setup, Upstream, headers_of, modern};

/// A running `gatewright run`. It is killed with this value.
pub(crate) struct Program {
    child: Child,
    address: SocketAddr,
}

impl Program {
    /// Starts with `yaml` in `folder`, and waits until it listens.
    pub(crate) async fn start(folder: &Path, yaml: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let listen = format!("listen: {{ address: {address} }}");
        let yaml = yaml.replace("listen: { address: 127.0.0.1:0 }", &listen);
        std::fs::write(folder.join("gatewright.yaml"), yaml).unwrap();
        let log = folder.join("stderr");
        let mut options = OpenOptions::new();
        let child = Command::new(env!("CARGO_BIN_EXE_gatewright"))
            .args(["run", "--config", "gatewright.yaml"])
            .current_dir(folder)
            .env("GATEWRIGHT_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(options.create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let program = Self { child, address };
        for _ in 0..2000 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return program;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!(
            "it never listened: {}",
            std::fs::read_to_string(log).unwrap()
        );
    }

    /// An agent before it.
    pub(crate) fn agent(&self, token: &str) -> Agent {
        Agent::new(
            format!("http://{}{PATH}", self.address),
            Some(token.to_owned()),
        )
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as a service manager does.
    pub(crate) async fn stop(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        for _ in 0..2000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never stopped");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nothing is left to end when it has stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The configuration of `setup` in front of `upstream`, with these settings of the record.
pub(crate) fn yaml(setup: &Setup, upstream: &Upstream, audit: &str) -> String {
    let yaml = setup.yaml(&upstream.url());
    yaml.replace("{ ledger: audit }", audit)
}

/// Calls an allowed tool as request `id`; the status of the answer, if there is one.
pub(crate) async fn ask(agent: &Agent, id: &str) -> Option<u16> {
    let mut message: Value = modern("search_x", &json!({}));
    message["id"] = json!(id);
    let request = headers_of(agent.request(reqwest::Method::POST), &message);
    let answer = request.body(message.to_string()).send().await.ok()?;
    let status = answer.status().as_u16();
    answer.bytes().await.ok()?;
    Some(status)
}

/// Asks until the answer has `status`, for half a minute at most. How many answers were another one.
pub(crate) async fn ask_until(agent: &Agent, status: u16) -> usize {
    for others in 0..600 {
        if ask(agent, "until").await == Some(status) {
            return others;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("there never was a {status}");
}
