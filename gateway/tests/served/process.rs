//! The gateway as a process of its own, for what cannot be tried in ours: limits on files, and all that it logs.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running `gatewright run`. It is ended with this value.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts with `yaml` in `folder`. `limit` is the most bytes that a file of it may have, in blocks of 512.
    pub(crate) async fn start(folder: &Path, yaml: &str, limit: Option<u32>) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let listen = format!("listen: {{ address: {address} }}");
        let yaml = yaml.replace("listen: { address: 127.0.0.1:0 }", &listen);
        std::fs::write(folder.join("gatewright.yaml"), yaml).unwrap();
        let limits = match limit {
            // Past the limit a write fails instead of ending the process.
            Some(blocks) => format!("trap '' XFSZ; ulimit -S -f {blocks}; "),
            None => String::new(),
        };
        let program = env!("CARGO_BIN_EXE_gatewright");
        let child = Command::new("sh")
            .arg("-c")
            .arg(format!("{limits}exec \"$0\" run --config gatewright.yaml"))
            .arg(program)
            .current_dir(folder)
            .env(
                "GATEWRIGHT_LOG",
                if limit.is_some() { "error" } else { "trace" },
            )
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(folder.join("stdout")).unwrap())
            .stderr(std::fs::File::create(folder.join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let process = Self { child, address };
        process.until_it_listens(folder).await;
        process
    }

    async fn until_it_listens(&self, folder: &Path) {
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(self.address).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let said = std::fs::read_to_string(folder.join("stderr")).unwrap();
        panic!("it never listened: {said}");
    }

    /// Takes the limit on its files away, as when somebody made room on a disk.
    pub(crate) fn lift_limit(&self) {
        let id = self.child.id().to_string();
        let lifted = Command::new("prlimit")
            .args(["--pid", &id, "--fsize=unlimited:"])
            .status();
        assert!(lifted.unwrap().success());
    }

    /// Stops it as a service manager would, and waits.
    pub(crate) async fn stop(mut self) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status();
        assert!(sent.unwrap().success());
        for _ in 0..500 {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it never stopped");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing is left to end when it has stopped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
