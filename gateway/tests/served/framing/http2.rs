//! A client of HTTP/2 that writes its frames itself (RFC 9113 section 4.1), with header lists in plain literals
//! (RFC 7541 section 6.2.2). Never sends what was not asked for, not even an acknowledgement.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::PATH;
use crate::wire::Wire;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// `:status: 200` in an answer (RFC 7541 appendix A).
const OK: u8 = 0x88;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// What became of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Answered with 200.
    Served(String),
    /// Answered with another status.
    Refused(String),
    Reset,
    /// The connection ended, with or without a GOAWAY.
    Gone,
}

pub(crate) struct Http2 {
    socket: TcpStream,
    read: Vec<u8>,
}

/// A header list.
pub(crate) fn block(lines: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in lines {
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    block
}

/// RFC 7541 section 5.1, of seven bits.
fn length(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else {
        block.push(u8::try_from(length).unwrap());
        return;
    };
    block.push(127);
    while rest > 127 {
        block.push(u8::try_from(rest % 128 + 128).unwrap());
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// The pseudo headers of a POST.
pub(crate) const TARGET: [(&[u8], &[u8]); 4] = [
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":authority", b"localhost:8080"),
    (b":path", PATH.as_bytes()),
];

/// `first`, then the usual headers with the token, then `last`.
pub(crate) fn request(wire: &Wire, first: &[(&[u8], &[u8])], last: &[(&[u8], &[u8])]) -> Vec<u8> {
    let token = format!("Bearer {}", wire.token);
    let usual: [(&[u8], &[u8]); 3] = [
        (b"authorization", token.as_bytes()),
        (b"content-type", b"application/json"),
        (b"mcp-protocol-version", b"2025-11-25"),
    ];
    block(&[first, &usual, last].concat())
}

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

impl Http2 {
    /// A connection with this SETTINGS payload.
    pub(crate) async fn with(wire: &Wire, settings: &[u8]) -> Self {
        let socket = TcpStream::connect(wire.gateway.address()).await.unwrap();
        let mut client = Self {
            socket,
            read: Vec::new(),
        };
        assert!(client.bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await);
        assert!(client.send(SETTINGS, 0, 0, settings).await);
        client
    }

    pub(crate) async fn connect(wire: &Wire) -> Self {
        Self::with(wire, &[]).await
    }

    /// Whether they could be sent: not when the gateway is gone, or does not read for two seconds.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) -> bool {
        let writing = self.socket.write_all(bytes);
        let written = tokio::time::timeout(Duration::from_secs(2), writing).await;
        matches!(written, Ok(Ok(())))
    }

    pub(crate) async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.bytes(&frame(kind, flags, stream, payload)).await
    }

    /// A whole request.
    pub(crate) async fn ask(&mut self, stream: u32, block: &[u8], body: &[u8]) {
        self.send(HEADERS, END_HEADERS, stream, block).await;
        self.send(DATA, END_STREAM, stream, body).await;
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.whole() {
                return Some(frame);
            }
            let mut piece = [0; 4096];
            let reading = self.socket.read(&mut piece);
            let read = tokio::time::timeout(Duration::from_secs(10), reading).await;
            let count = read.expect("the connection stays open").unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.read.extend_from_slice(&piece[..count]);
        }
    }

    fn whole(&mut self) -> Option<Frame> {
        let head: [u8; 9] = self.read.get(..9)?.try_into().unwrap();
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let end = 9 + usize::try_from(length).unwrap();
        let payload = self.read.get(9..end)?.to_vec();
        self.read.drain(..end);
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes(head[5..].try_into().unwrap()),
            payload,
        })
    }

    /// What becomes of this stream.
    pub(crate) async fn fate(&mut self, stream: u32) -> Fate {
        let (mut first, mut body) = (0, Vec::new());
        while let Some(frame) = self.next().await {
            match frame.kind {
                GOAWAY => return Fate::Gone,
                RST_STREAM if frame.stream == stream => return Fate::Reset,
                HEADERS if frame.stream == stream => first = status(&frame.payload),
                DATA if frame.stream == stream => body.extend_from_slice(&frame.payload),
                _ => continue,
            }
            if frame.flags & END_STREAM != 0 {
                let text = String::from_utf8_lossy(&body).into_owned();
                return if first == OK {
                    Fate::Served(text)
                } else {
                    Fate::Refused(text)
                };
            }
        }
        Fate::Gone
    }

    /// Whether the gateway ends the connection.
    pub(crate) async fn is_ended(&mut self) -> bool {
        while let Some(frame) = self.next().await {
            if frame.kind == GOAWAY {
                return true;
            }
        }
        true
    }
}

/// The first field of a header list, behind changes of the table's size (RFC 7541 section 6.3).
fn status(block: &[u8]) -> u8 {
    *block.iter().find(|byte| **byte & 0xe0 != 0x20).unwrap()
}
