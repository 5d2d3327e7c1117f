//! A real `nats-server` with JetStream, of Debian's package of that name, on loopback and with a folder of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::{self, Context};
use futures_util::StreamExt;
use tempfile::TempDir;

/// A server that can be stopped and started again; what it stored stays.
pub(crate) struct NatsServer {
    folder: TempDir,
    port: u16,
    /// Further lines of its configuration.
    extra: String,
    child: Option<Child>,
}

impl NatsServer {
    /// Starts one whose configuration has these lines besides.
    pub(crate) async fn start(extra: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let mut server = Self {
            folder: TempDir::new().unwrap(),
            port,
            extra: extra.to_owned(),
            child: None,
        };
        server.resume().await;
        server
    }

    /// Starts it again, and waits until it listens.
    pub(crate) async fn resume(&mut self) {
        let file = self.folder.path().join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream {{ store_dir: {:?} }}\n{}\n",
            self.port,
            self.folder.path().join("store"),
            self.extra
        );
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(self.log()).unwrap();
        let child = Command::new(program())
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nats-server, of Debian's package nats-server, is installed");
        self.child = Some(child);
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(("127.0.0.1", self.port))
                .await
                .is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}", std::fs::read_to_string(self.log()).unwrap());
    }

    /// Stops it: connections break, in the middle of whatever is under way.
    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It writes what it acknowledged on this signal; on another one it may lose some.
            let asked = Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status();
            assert!(asked.unwrap().success());
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// A client of the test's own.
    pub(crate) async fn context(&self) -> Context {
        let mut last = None;
        for _ in 0..100 {
            match async_nats::connect(self.url()).await {
                Ok(client) => return jetstream::new(client),
                Err(error) => last = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{last:?}");
    }

    /// Every message that the stream holds, in its order; none when there is no such stream.
    pub(crate) async fn messages(&self, stream: &str) -> Vec<String> {
        let Ok(mut stream) = self.context().await.get_stream(stream).await else {
            return Vec::new();
        };
        let count = usize::try_from(stream.info().await.unwrap().state.messages).unwrap();
        let consumer = pull::Config {
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::None,
            ..pull::Config::default()
        };
        let consumer = stream.create_consumer(consumer).await.unwrap();
        let messages = consumer.messages().await.unwrap().take(count);
        messages
            .map(|message| String::from_utf8(message.unwrap().payload.to_vec()).unwrap())
            .collect()
            .await
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("nats.log")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Debian puts it where the paths of users do not look.
fn program() -> &'static Path {
    let of_debian = Path::new("/usr/sbin/nats-server");
    if of_debian.exists() {
        of_debian
    } else {
        Path::new("nats-server")
    }
}
