//! Clients that stop reading: the server behind the gateway is not read either, and after a while they are cut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{ACTIVE, connect, until};
use crate::framing::allowed;
use crate::support::{Agent, Gateway, PATH, Reply, Setup, Upstream, eventually, modern};
use crate::wire::Wire;
use bytes::Bytes;
use serde_json::json;

const MIB: usize = 1024 * 1024;
/// What kernels and buffers on the way may hold of an answer that nobody reads.
const BOUND: usize = 24 * MIB;

/// A server whose answers never end.
struct Fountain {
    url: String,
    /// Bytes that were taken from it.
    taken: Arc<AtomicUsize>,
    /// Connections to it that were given up.
    over: Arc<AtomicUsize>,
}

impl Fountain {
    async fn start(media: &'static str, piece: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let (taken, over) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let counters = (Arc::clone(&taken), Arc::clone(&over));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let (taken, over) = counters.clone();
                tokio::spawn(async move {
                    let mut head = [0; 8192];
                    let _ = socket.read(&mut head).await;
                    let opening = if media == "application/json" {
                        JSON
                    } else {
                        ""
                    };
                    let start =
                        format!("HTTP/1.1 200 OK\r\ncontent-type: {media}\r\n\r\n{opening}");
                    let _ = socket.write_all(start.as_bytes()).await;
                    while socket.write_all(piece).await.is_ok() {
                        taken.fetch_add(piece.len(), Ordering::Relaxed);
                    }
                    over.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { url, taken, over }
    }

    async fn behind(&self, limits: &str) -> Wire {
        let setup = Setup {
            extra: format!("limits: {limits}\n"),
            ..Setup::default()
        };
        let (token, yaml) = (setup.analyst(), setup.yaml(&self.url));
        Wire {
            gateway: Gateway::start(setup, yaml).await,
            upstream: Upstream::plain().await,
            agent: Agent::new("", None),
            token,
        }
    }
}

/// The start of an answer, up to where letters go on.
const JSON: &str = r#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":""#;
static LETTERS: [u8; 64 * 1024] = [b'a'; 64 * 1024];
const EVENT: &[u8] = b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":\"news\"}}\n\n";

/// A call whose client may cancel it by going away.
fn call(wire: &Wire) -> String {
    let body = modern("search_customers", &json!({})).to_string();
    let token = &wire.token;
    format!(
        "POST {PATH} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: search_customers\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn assert_answered(client: &mut TcpStream) {
    let mut start = [0; 15];
    client.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
}

async fn assert_cut(media: &'static str, piece: &'static [u8]) {
    let fountain = Fountain::start(media, piece).await;
    let wire = fountain.behind("{ write_timeout: 700ms }").await;
    let mut client = connect(&wire).await;
    client.write_all(call(&wire).as_bytes()).await.unwrap();
    assert_answered(&mut client).await;
    // From here on it reads nothing.
    let over = || fountain.over.load(Ordering::Relaxed) == 1;
    assert!(
        eventually(Duration::from_secs(8), over).await,
        "{media}: it is still fed"
    );
    let taken = fountain.taken.load(Ordering::Relaxed);
    assert!(taken < BOUND, "{media}: {taken} bytes were taken");
    assert_eq!(wire.outcomes(1).await, ["client_gone"], "{media}");
    until(&wire, ACTIVE, 0).await;
}

#[tokio::test]
async fn h21_a_client_that_stops_reading_json_is_cut() {
    assert_cut("application/json", &LETTERS).await;
}

#[tokio::test]
async fn h21_a_client_that_stops_reading_events_is_cut() {
    assert_cut("text/event-stream", EVENT).await;
}

#[tokio::test]
async fn limit_write_timeout_is_for_one_piece_and_not_for_the_answer() {
    let fountain = Fountain::start("application/json", &LETTERS).await;
    let wire = fountain.behind("{ write_timeout: 700ms }").await;
    let mut client = connect(&wire).await;
    client.write_all(call(&wire).as_bytes()).await.unwrap();
    let mut piece = vec![0; 4 * MIB];
    for _ in 0..8 {
        let reading = client.read_exact(&mut piece);
        let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
        read.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(
        fountain.over.load(Ordering::Relaxed),
        0,
        "it reads, if slowly"
    );
    drop(client);
}

#[tokio::test]
async fn h21_a_call_of_an_older_revision_runs_to_its_end_although_nobody_reads_its_answer() {
    let upstream = Upstream::start(|_| {
        let events = Bytes::from(EVENT.repeat(600));
        Reply::events(vec![events; 400])
    })
    .await;
    let setup = Setup {
        extra: "limits: { write_timeout: 700ms }\n".to_owned(),
        ..Setup::default()
    };
    let wire = Wire::with(setup, upstream).await;
    let mut client = connect(&wire).await;
    client
        .write_all(wire.framed(&allowed()).as_bytes())
        .await
        .unwrap();
    assert_answered(&mut client).await;
    let over = || wire.upstream.completed() + wire.upstream.aborted() == 1;
    assert!(eventually(Duration::from_secs(15), over).await);
    assert_eq!(wire.upstream.completed(), 1, "it was broken off");
    until(&wire, ACTIVE, 0).await;
}
