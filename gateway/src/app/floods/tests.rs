//! The end of a window of a gateway that serves, over real sockets.

use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::app::{self, Running};
use crate::audit::segments::Segments;
use crate::config::load;

/// The public key of RFC 7517 appendix A.1.
const JWKS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"1","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;

const CONFIGURATION: &str = r"
version: 1
listen: { address: 127.0.0.1:0 }
public_url: https://mcp.test
issuers:
  - { name: corp, url: https://auth.test, jwks_file: jwks.json }
servers:
  - { name: crm, path: /crm/mcp, upstream: http://127.0.0.1:1/mcp }
policy: { roles: { analyst: { crm: [search] } } }
ops: { address: 127.0.0.1:0 }
";

const LIMITED: &str = "audit: { ledger: audit }\nlimits: { failures_per_source: 1 }\n";

async fn gateway(folder: &Path, rest: &str) -> Running {
    std::fs::write(folder.join("jwks.json"), JWKS).unwrap();
    let file = folder.join("gatewright.yaml");
    let settings = load::parse(&format!("{CONFIGURATION}{rest}"), &file, &|_| None)
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    app::start(settings, None).await.unwrap()
}

/// Asks without a token until `enough` were answered 429, from the address `from`.
async fn flood(gateway: SocketAddr, from: &str, enough: usize) {
    ask_until(gateway, from, (b"HTTP/1.1 429", enough)).await;
}

/// Asks without a token until `enough` answers began with `wanted`.
async fn ask_until(gateway: SocketAddr, from: &str, (wanted, enough): (&[u8], usize)) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    let mut connection = socket.connect(gateway).await.unwrap();
    let mut found = 0;
    while found < enough {
        let request = "POST /crm/mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"}") {
            let read = connection.read_buf(&mut answer).await.unwrap();
            assert!(read > 0, "cut off");
        }
        found += usize::from(answer.starts_with(wanted));
    }
}

/// Everything on record, once nothing waits to be written.
fn records(folder: &Path, running: &Running) -> Vec<Value> {
    while running.shared.parts.ledger.queue_bytes() > 0 {
        std::thread::yield_now();
    }
    records_in(folder)
}

fn records_in(folder: &Path) -> Vec<Value> {
    let segments = Segments::list(&folder.join("audit")).unwrap();
    let texts = segments
        .iter()
        .map(|segment| std::fs::read_to_string(&segment.path).unwrap());
    // A checkpoint comes when it is due, and may be under way.
    texts
        .collect::<String>()
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["kind"] != "checkpoint")
        .collect()
}

/// The addresses of the refusals that have a record of their own.
fn recorded(records: &[Value]) -> Vec<&str> {
    records
        .iter()
        .filter(|record| record["reason"]["code"] == "rate_limited")
        .map(|record| record["source"]["ip"].as_str().unwrap())
        .collect()
}

fn tallied(records: &[Value]) -> Vec<u64> {
    records
        .iter()
        .filter_map(|record| record["tally"]["rate_limited"].as_u64())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_each_window_has_a_record_of_each_source_and_one_with_the_exact_rest() {
    let folder = TempDir::new().unwrap();
    let running = gateway(folder.path(), LIMITED).await;
    let address = running.address();

    tokio::join!(
        flood(address, "127.0.0.1", 40),
        flood(address, "127.0.0.2", 30)
    );
    let before = records(folder.path(), &running);
    let mut firsts = recorded(&before);
    firsts.sort_unstable();
    assert_eq!(firsts, ["127.0.0.1", "127.0.0.2"]);
    assert!(tallied(&before).is_empty(), "the window is open");

    running.shared.end_flood_window();
    assert_eq!(tallied(&records(folder.path(), &running)), [68]);
    running.shared.end_flood_window();
    let quiet = records(folder.path(), &running);
    assert_eq!(tallied(&quiet), [68], "nothing more to tell");

    flood(address, "127.0.0.2", 5).await;
    running.shared.end_flood_window();
    let after = records(folder.path(), &running);
    assert_eq!(recorded(&after).len(), 3, "a window of its own");
    assert_eq!(tallied(&after), [68, 4]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p09_records_of_strangers_that_find_no_room_are_on_record_as_an_exact_number() {
    let folder = TempDir::new().unwrap();
    // An eighth of it, which strangers may fill, is less than one record.
    let small = "audit: { ledger: audit, queue: 2048 }\n";
    let running = gateway(folder.path(), small).await;
    ask_until(running.address(), "127.0.0.1", (b"HTTP/1.1 401", 25)).await;
    assert_eq!(running.shared.parts.ledger.lost(), 25);

    let before = records(folder.path(), &running);
    running.shared.end_flood_window();
    let after = records(folder.path(), &running);

    assert!(before.iter().all(|record| record["kind"] == "lifecycle"));
    assert_eq!(after.len(), before.len() + 1, "{after:#?}");
    let tally = &after.last().unwrap()["tally"];
    assert_eq!(
        (&tally["rate_limited"], &tally["lost"]),
        (&0.into(), &25.into())
    );
    running.stop().await;
    let last = records_in(folder.path());
    assert_eq!(last.len(), after.len() + 1, "one more, about the stop");
}
