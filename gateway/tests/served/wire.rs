//! What the tests of the wire share: a gateway with its upstream, requests with exactly these headers, a
//! client that writes its bytes itself, and what is on record. Never adds a header that was not asked for.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Agent, Answer, Gateway, PATH, Setup, Upstream};

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const LEGACY: (&str, &str) = ("mcp-protocol-version", "2025-11-25");
pub(crate) const MODERN: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

/// Header lines in the order in which they are sent.
#[derive(Debug, Clone)]
pub(crate) struct Lines(Vec<(String, String)>);

impl Lines {
    /// The headers of a message of 2025-11-25.
    pub(crate) fn legacy() -> Self {
        Self::of(&[JSON, LEGACY])
    }

    /// The headers of a 2026-07-28 request of `method` for `name`.
    pub(crate) fn modern(method: &str, name: &str) -> Self {
        Self::of(&[JSON, MODERN, ("mcp-method", method), ("mcp-name", name)])
    }

    pub(crate) fn of(lines: &[(&str, &str)]) -> Self {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(lines.iter().map(own).collect())
    }

    /// One more line, whatever is there already.
    pub(crate) fn plus(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(have, _)| have != name);
        self
    }

    /// This one line instead of those with its name.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).plus(name, value)
    }

    fn map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in &self.0 {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }
}

/// A gateway between a client and a counting upstream.
pub(crate) struct Wire {
    pub(crate) upstream: Upstream,
    pub(crate) gateway: Gateway,
    pub(crate) agent: Agent,
    pub(crate) token: String,
}

impl Wire {
    pub(crate) async fn start() -> Self {
        Self::with(Setup::default(), Upstream::plain().await).await
    }

    /// With these top-level keys of the configuration.
    pub(crate) async fn configured(extra: &str) -> Self {
        let setup = Setup {
            extra: format!("{extra}\n"),
            ..Setup::default()
        };
        Self::with(setup, Upstream::plain().await).await
    }

    pub(crate) async fn with(setup: Setup, upstream: Upstream) -> Self {
        let token = setup.analyst();
        let gateway = setup.start(&upstream).await;
        let agent = Agent::new(gateway.url(), Some(token.clone()));
        Self {
            upstream,
            gateway,
            agent,
            token,
        }
    }

    /// Posts with the token and exactly these headers.
    pub(crate) async fn post(&self, lines: &Lines, body: impl Into<reqwest::Body>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let lines = lines.clone().plus("authorization", &bearer);
        self.post_as_stranger(&lines, body).await
    }

    /// Posts with exactly these headers.
    pub(crate) async fn post_as_stranger(
        &self,
        lines: &Lines,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self.agent.client.post(self.gateway.url());
        let response = request.headers(lines.map()).body(body).send().await;
        let response = response.unwrap();
        Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    /// The decisions on record, in order, as the reason of a denial or `allow`.
    pub(crate) async fn decisions(&self) -> Vec<String> {
        let records = self.gateway.records_of("decision").await;
        records.iter().map(verdict).collect()
    }

    /// The reasons of the outcomes on record, once there are `count`; `ok` without one.
    pub(crate) async fn outcomes(&self, count: usize) -> Vec<String> {
        let mut records = Vec::new();
        for _ in 0..50 {
            records = self.gateway.records_of("outcome").await;
            if records.len() >= count {
                break;
            }
        }
        let reason = |record: &Value| record["reason"]["code"].as_str().unwrap_or("ok").to_owned();
        records.iter().map(reason).collect()
    }

    pub(crate) async fn connect(&self) -> Raw {
        let socket = TcpStream::connect(self.gateway.address()).await.unwrap();
        Raw {
            socket,
            read: Vec::new(),
        }
    }

    /// The head of a POST with the token and these further lines, each ended.
    pub(crate) fn head(&self, lines: &str) -> String {
        let token = &self.token;
        format!(
            "POST {PATH} HTTP/1.1\r\nhost: localhost:8080\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\nmcp-protocol-version: 2025-11-25\r\n{lines}\r\n"
        )
    }

    /// A whole request with `body`.
    pub(crate) fn framed(&self, body: &str) -> String {
        let head = self.head(&format!("content-length: {}\r\n", body.len()));
        format!("{head}{body}")
    }
}

fn verdict(record: &Value) -> String {
    let decision = record["decision"].as_str().unwrap();
    match record["reason"]["code"].as_str() {
        Some(reason) => {
            assert_eq!(decision, "deny");
            reason.to_owned()
        }
        None => decision.to_owned(),
    }
}

/// A client that writes its bytes itself.
pub(crate) struct Raw {
    socket: TcpStream,
    read: Vec<u8>,
}

impl Raw {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.socket.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Ends this side of the connection.
    pub(crate) async fn end(&mut self) {
        self.socket.shutdown().await.unwrap();
    }

    /// The next answer: its status and its body.
    pub(crate) async fn answer(&mut self) -> (u16, String) {
        let head = self.until(b"\r\n\r\n").await.to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let body = match length {
            Some(length) => self.exactly(length.parse().unwrap()).await,
            None if head.contains("transfer-encoding: chunked") => self.chunks().await,
            None => String::new(),
        };
        let status = head.split(' ').nth(1).unwrap();
        (status.parse().unwrap(), body)
    }

    async fn chunks(&mut self) -> String {
        let mut body = String::new();
        loop {
            let size = self.until(b"\r\n").await;
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            body.push_str(&self.exactly(size).await);
            self.until(b"\r\n").await;
            if size == 0 {
                return body;
            }
        }
    }

    async fn until(&mut self, mark: &[u8]) -> String {
        loop {
            let found = self
                .read
                .windows(mark.len())
                .position(|bytes| bytes == mark);
            if let Some(at) = found {
                return self.exactly(at + mark.len()).await;
            }
            assert!(self.more().await, "the connection ended without an answer");
        }
    }

    async fn exactly(&mut self, length: usize) -> String {
        while self.read.len() < length {
            assert!(self.more().await, "the answer ended early");
        }
        String::from_utf8(self.read.drain(..length).collect()).unwrap()
    }

    /// Whether the gateway closes the connection without saying more.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.more().await
    }

    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let reading = self.socket.read(&mut piece);
        let read = tokio::time::timeout(Duration::from_secs(15), reading).await;
        let count = read.expect("nothing came").unwrap_or(0);
        self.read.extend_from_slice(&piece[..count]);
        count > 0
    }
}
