//! How long a connection may take, how many there may be, and how much is held for them.

mod bodies;
mod places;
mod readers;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::Wire;

/// The value of a metric, by its whole name with labels.
pub(crate) async fn metric(wire: &Wire, name: &str) -> u64 {
    let text = wire.gateway.metrics().await;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .unwrap()
}

/// Waits until a metric has this value.
pub(crate) async fn until(wire: &Wire, name: &str, value: u64) {
    let mut last = 0;
    for _ in 0..100 {
        last = metric(wire, name).await;
        if last == value {
            return;
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    panic!("{name} is {last} and not {value}");
}

pub(crate) const ACTIVE: &str = "gatewright_connections_active";

pub(crate) fn refused(reason: &str) -> String {
    format!("gatewright_connections_refused_total{{reason=\"{reason}\"}}")
}

pub(crate) async fn connect(wire: &Wire) -> TcpStream {
    TcpStream::connect(wire.gateway.address()).await.unwrap()
}

/// Everything until the end of the connection, which has to come.
pub(crate) async fn rest(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = socket.read_to_end(&mut bytes);
    let end = tokio::time::timeout(Duration::from_secs(10), reading).await;
    assert!(
        end.is_ok(),
        "it stays open: {}",
        String::from_utf8_lossy(&bytes)
    );
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sends a byte at a time until the gateway takes no more; whether it ever did.
pub(crate) async fn trickle(socket: &mut TcpStream, bytes: &[u8], pause: Duration) -> bool {
    for byte in bytes {
        if socket.write_all(&[*byte]).await.is_err() {
            return true;
        }
        tokio::time::sleep(pause).await;
    }
    false
}
