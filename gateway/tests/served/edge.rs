//! What the tests of the edge share: raw requests and peers on sockets, and what every refusal has in common.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::grammar::{Challenge, challenges};
use crate::support::{Answer, PATH, PUBLIC};

/// The URL of the usual server's metadata.
pub(crate) fn metadata_url() -> String {
    format!("{PUBLIC}/.well-known/oauth-protected-resource{PATH}")
}

/// Further YAML for a second server beside the usual one.
pub(crate) fn billing(upstream: &str) -> String {
    format!("  - name: billing\n    path: /billing/mcp\n    upstream: {upstream}\n")
}

/// Checks the status and code of a refusal and what every one of them has.
pub(crate) fn assert_refused(answer: &Answer, status: u16, code: i64) {
    assert_eq!(
        (answer.status, answer.code()),
        (status, Some(code)),
        "{}",
        answer.body
    );
    let body = answer.json();
    assert_eq!(body["jsonrpc"], "2.0");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        body["error"]["data"]["request_id"].as_str(),
        answer.header("x-request-id"),
        "the body and the head name the same request"
    );
}

/// Checks that a record is about this refusal.
pub(crate) fn assert_on_record(record: &Value, answer: &Answer, kind: &str, reason: &str) {
    assert_eq!(record["kind"], kind, "{record:#}");
    assert_eq!(record["decision"], "deny", "{record:#}");
    assert_eq!(record["reason"]["code"], reason, "{record:#}");
    assert_eq!(
        record["request_id"].as_str(),
        answer.header("x-request-id"),
        "{record:#}"
    );
}

/// The challenges of all `WWW-Authenticate` lines, in order. Every line has to be of the grammar by itself.
pub(crate) fn all_challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let lines = headers.get_all("www-authenticate").iter();
    let read = lines.flat_map(|line| {
        let line = line.to_str().unwrap();
        challenges(line).unwrap_or_else(|| panic!("not of the grammar: {line}"))
    });
    read.collect()
}

/// All challenges, Bearer's first.
pub(crate) fn sorted_challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut read = all_challenges(headers);
    read.sort_by(|one, other| one.scheme.cmp(&other.scheme));
    read
}

/// The challenge that clients act on: the first.
pub(crate) fn challenge(answer: &Answer) -> Challenge {
    let mut all = all_challenges(&answer.headers);
    let schemes: Vec<_> = all.iter().map(|challenge| &challenge.scheme).collect();
    assert!(!schemes.is_empty() && schemes.len() <= 2, "{schemes:?}");
    assert!(
        schemes.len() == 1 || schemes[0] != schemes[1],
        "{schemes:?}"
    );
    all.remove(0)
}

/// Sends exactly these bytes on a connection of their own and reads the answer to its end.
pub(crate) async fn raw(address: SocketAddr, request: &str) -> Answer {
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: reqwest::header::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    Answer {
        status: status.parse().unwrap(),
        headers,
        body: body.to_owned(),
    }
}

/// What a raw peer does with a request that it has read whole.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Sends these bytes and keeps the connection.
    Send(String),
    /// Sends these bytes and resets the connection.
    Break(String),
    /// Says nothing, ever.
    Stay,
}

/// A peer that is not bound to be a decent HTTP server.
pub(crate) struct RawPeer {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl RawPeer {
    pub(crate) async fn start(act: impl Fn(&str) -> Act + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), act)
    }

    /// Serves on a listener that somebody else made.
    pub(crate) fn on(
        listener: TcpListener,
        act: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let (log, act) = (Arc::clone(&requests), Arc::new(act));
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (log, act) = (Arc::clone(&log), Arc::clone(&act));
                tokio::spawn(async move { converse(socket, &log, &*act).await });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// How many whole requests arrived.
    pub(crate) fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

async fn converse(
    mut socket: TcpStream,
    log: &Mutex<Vec<String>>,
    act: &(dyn Fn(&str) -> Act + Sync),
) {
    while let Some(request) = whole_request(&mut socket).await {
        log.lock().unwrap().push(request.clone());
        match act(&request) {
            Act::Send(bytes) => socket.write_all(bytes.as_bytes()).await.unwrap(),
            Act::Break(bytes) => {
                socket.write_all(bytes.as_bytes()).await.unwrap();
                socket.set_zero_linger().unwrap();
                return;
            }
            Act::Stay => std::future::pending().await,
        }
    }
}

/// The next request of a connection; `None` at its end.
async fn whole_request(socket: &mut TcpStream) -> Option<String> {
    let mut text = String::new();
    loop {
        let mut piece = [0; 4096];
        let length = socket
            .read(&mut piece)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        text.push_str(std::str::from_utf8(piece.get(..length)?).ok()?);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let announced = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse::<usize>().unwrap())
        });
        if body.len() >= announced.unwrap_or(0) {
            return Some(text);
        }
    }
}

/// An HTTP answer in JSON, as bytes.
pub(crate) fn http(body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn several_lines_are_read_as_several_challenges() {
    let mut headers = HeaderMap::new();
    let lines = [r#"Bearer error="x", scope="a""#, r#"DPoP algs="ES256""#];
    for line in lines {
        headers.append("www-authenticate", line.parse().unwrap());
    }
    let read = all_challenges(&headers);
    let schemes: Vec<_> = read.iter().map(|read| read.scheme.as_str()).collect();
    assert_eq!(schemes, ["Bearer", "DPoP"]);
    assert_eq!(read[0].parameter("algs"), None);
    assert_eq!(read[1].parameter("algs"), Some("ES256"));
}
