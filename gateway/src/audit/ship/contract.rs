//! The contract of `Shipper`, for every implementation: whatever a courier is told to bring arrives, in order and
//! unchanged, over failures of the destination and over restarts of the gateway.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;

use super::http::Http;
use super::nats::Nats;
use super::otlp::Otlp;
use super::settings::{MissingStream, NatsSettings};
use super::shipper::Shipper;
use super::stdout::Stdout;
use super::support::nats::NatsServer;
use super::support::{Act, Collector};
use super::support::{BOUNDS, Book, Running};

/// A destination that can be made to fail.
#[async_trait]
trait Destination: Send {
    /// What brings lines to it: a new one for each start of a gateway.
    fn shipper(&self) -> Box<dyn Shipper>;
    /// Takes nothing any more.
    async fn fail(&mut self);
    /// Takes everything again.
    async fn mend(&mut self);
    /// Every line that it holds.
    async fn arrived(&self) -> Vec<String>;
}

struct Collected(Collector);

#[async_trait]
impl Destination for Collected {
    fn shipper(&self) -> Box<dyn Shipper> {
        Box::new(Http::new(&self.0.settings()).unwrap())
    }

    async fn fail(&mut self) {
        // What it took without saying so comes again.
        self.0.next([Act::TakeAndDie]);
        self.0.always(Act::Turn(503, None));
    }

    async fn mend(&mut self) {
        self.0.always(Act::Take("{}"));
    }

    async fn arrived(&self) -> Vec<String> {
        self.0.lines()
    }
}

struct Observed(Collector);

#[async_trait]
impl Destination for Observed {
    fn shipper(&self) -> Box<dyn Shipper> {
        Box::new(Otlp::new(&self.0.settings()).unwrap())
    }

    async fn fail(&mut self) {
        self.0.next([Act::TakeAndDie]);
        self.0.always(Act::Turn(429, Some(("retry-after", "0"))));
    }

    async fn mend(&mut self) {
        self.0.always(Act::Take("{}"));
    }

    async fn arrived(&self) -> Vec<String> {
        let original = |record: &Value| {
            let attributes = record["attributes"].as_array().unwrap();
            let mut named = attributes
                .iter()
                .filter(|one| one["key"] == "log.record.original");
            named.next().unwrap()["value"]["stringValue"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        let requests = self.0.kept().into_iter();
        let parsed = requests.map(|kept| serde_json::from_slice::<Value>(&kept.body).unwrap());
        parsed
            .flat_map(|request| {
                let records = &request["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
                records
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(original)
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

#[derive(Clone, Default)]
struct Pipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    is_closed: Arc<AtomicBool>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        // Never all at once, as a pipe may.
        let (some, _) = bytes.split_at(bytes.len().min(1000));
        self.bytes.lock().unwrap().extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Destination for Pipe {
    fn shipper(&self) -> Box<dyn Shipper> {
        Box::new(Stdout::over(self.clone()).unwrap())
    }

    async fn fail(&mut self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    async fn mend(&mut self) {
        self.is_closed.store(false, Ordering::Relaxed);
    }

    async fn arrived(&self) -> Vec<String> {
        let bytes = self.bytes.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        // What was torn off is no line of the ledger; the whole one came again.
        let whole = text.lines().filter(|line| line.ends_with("\"}}"));
        whole.map(str::to_owned).collect()
    }
}

struct Streamed(NatsServer);

#[async_trait]
impl Destination for Streamed {
    fn shipper(&self) -> Box<dyn Shipper> {
        let settings = NatsSettings {
            url: self.0.url(),
            stream: "AUDIT".to_owned(),
            subject: "gatewright.audit".to_owned(),
            missing: MissingStream::Made,
            credentials_file: None,
            token_file: None,
            ca_file: None,
            timeout: Duration::from_secs(10),
            batch: BOUNDS,
        };
        Box::new(Nats::new(&settings).unwrap())
    }

    async fn fail(&mut self) {
        self.0.stop();
    }

    async fn mend(&mut self) {
        self.0.resume().await;
    }

    async fn arrived(&self) -> Vec<String> {
        self.0.messages("AUDIT").await
    }
}

/// Each line once, where it first came.
fn firsts(lines: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    lines
        .into_iter()
        .filter(|line| seen.insert(line.clone()))
        .collect()
}

async fn until_shipped(running: &Running, seq: u64) {
    super::support::until("everything is acknowledged", || {
        running.standing.waiting(seq) == 0
    })
    .await;
}

/// A destination, and the ledger that is shipped to it.
struct Trial<D> {
    destination: D,
    book: Book,
}

async fn holds_for(destination: impl Destination) {
    let mut trial = Trial {
        destination,
        book: Book::new(),
    };
    trial.ships_in_order_over_segments().await;
    trial.loses_nothing_while_the_destination_is_down().await;
    trial.goes_on_after_a_stop_in_order().await;
    trial.loses_nothing_after_a_crash().await;
}

impl<D: Destination> Trial<D> {
    fn start(&self) -> Running {
        Running::start(&self.book, "sink", self.destination.shipper())
    }

    async fn ships_in_order_over_segments(&mut self) {
        self.book.write(60);
        let running = self.start();
        until_shipped(&running, 60).await;
        self.book.rotate();
        self.book.write(40);
        until_shipped(&running, 100).await;
        running.finish().await;
        assert_eq!(self.destination.arrived().await, self.book.lines());
    }

    async fn loses_nothing_while_the_destination_is_down(&mut self) {
        let running = self.start();
        self.destination.fail().await;
        self.book.write(50);
        let is_in_trouble = || running.standing.trouble().is_some();
        super::support::until("the failure is noticed", is_in_trouble).await;
        self.book.rotate();
        self.book.write(50);
        assert!(running.standing.waiting(200) >= 50);
        self.destination.mend().await;
        until_shipped(&running, 200).await;
        assert_eq!(running.standing.trouble(), None);
        running.finish().await;
        let arrived = firsts(self.destination.arrived().await);
        assert_eq!(arrived, self.book.lines());
    }

    async fn goes_on_after_a_stop_in_order(&mut self) {
        let before = self.destination.arrived().await.len();
        self.book.write(30);
        let running = self.start();
        until_shipped(&running, 230).await;
        running.finish().await;
        let after = self.destination.arrived().await;
        assert_eq!(after.len(), before + 30, "nothing comes twice");
        assert_eq!(firsts(after), self.book.lines());
    }

    /// The cursor is an old one then, or none.
    async fn loses_nothing_after_a_crash(&mut self) {
        std::fs::remove_file(self.book.path().join("cursors/sink.json")).unwrap();
        let running = self.start();
        until_shipped(&running, 230).await;
        running.finish().await;
        let arrived = firsts(self.destination.arrived().await);
        assert_eq!(arrived, self.book.lines());
    }
}

#[tokio::test]
async fn stdout_keeps_the_contract() {
    holds_for(Pipe::default()).await;
}

#[tokio::test]
async fn http_keeps_the_contract() {
    holds_for(Collected(Collector::start().await)).await;
}

#[tokio::test]
async fn otlp_keeps_the_contract() {
    holds_for(Observed(Collector::start().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nats_keeps_the_contract() {
    holds_for(Streamed(NatsServer::start("").await)).await;
}
