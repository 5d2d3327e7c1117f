//! What the tests of framing share: bytes in, and how many answers came of them. Never adds a byte of its own.

mod bodies;
mod floods;
mod heads;
mod http2;
mod methods;
mod streams;
mod upgrades;

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{PATH, call};
use crate::wire::Wire;

/// Short times, so that who waits for the rest of something is answered soon.
pub(crate) const SOON: &str =
    "limits: { head_timeout: 500ms, body_timeout: 500ms, idle_timeout: 150ms }";

/// A call that the policy allows.
pub(crate) fn allowed() -> String {
    call("search_customers", &json!({ "query": "x" })).to_string()
}

/// What came back until the connection ended.
#[derive(Debug)]
pub(crate) struct Came {
    /// The statuses of the answers, in order.
    pub(crate) statuses: Vec<u16>,
    pub(crate) text: String,
}

/// Sends these bytes on a connection of their own and reads until it ends.
pub(crate) async fn exchange(wire: &Wire, bytes: impl AsRef<[u8]>) -> Came {
    let mut socket = TcpStream::connect(wire.gateway.address()).await.unwrap();
    // Who is refused early may find the connection closed while it still sends.
    let _ = socket.write_all(bytes.as_ref()).await;
    let mut read = Vec::new();
    let reading = socket.read_to_end(&mut read);
    let end = tokio::time::timeout(Duration::from_secs(10), reading).await;
    let text = String::from_utf8_lossy(&read).into_owned();
    assert!(end.is_ok(), "the connection stays open: {text}");
    let statuses = text
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer.split(' ').next().unwrap().parse().unwrap())
        .collect();
    Came { statuses, text }
}

/// The first line and the usual headers of a request with the token.
pub(crate) fn start(wire: &Wire, first: &str) -> String {
    let token = &wire.token;
    format!(
        "{first}\r\nhost: localhost:8080\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\nmcp-protocol-version: 2025-11-25\r\n"
    )
}

/// A POST of the usual server up to where its further lines begin.
pub(crate) fn post(wire: &Wire) -> String {
    start(wire, &format!("POST {PATH} HTTP/1.1"))
}

/// Sends each of these, expects one answer of `status` and nothing at the upstream.
pub(crate) async fn assert_refused(wire: &Wire, status: u16, requests: Vec<(String, Vec<u8>)>) {
    let count = wire.upstream.count();
    for (what, bytes) in requests {
        let came = exchange(wire, bytes).await;
        assert_eq!(came.statuses, [status], "{what}: {}", came.text);
        assert_eq!(wire.upstream.count(), count, "{what} arrived");
    }
    assert_served(wire).await;
}

/// The gateway still serves who speaks plainly.
pub(crate) async fn assert_served(wire: &Wire) {
    let count = wire.upstream.count();
    let came = exchange(wire, wire.framed(&allowed())).await;
    assert_eq!(came.statuses, [200], "{}", came.text);
    assert_eq!(wire.upstream.count(), count + 1);
    assert_eq!(wire.upstream.arrived()[count].body, allowed());
}

/// A request that would be executed if it were ever read as one.
pub(crate) fn smuggled(wire: &Wire) -> String {
    wire.framed(&allowed())
}
