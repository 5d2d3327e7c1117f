//! An upstream that records everything that arrives and answers as the test says.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use gatewright::proxy::tls::Edition;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pingora::protocols::l4::stream::Stream as L4Stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: hyper::HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) version: hyper::Version,
}

impl Arrived {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// An answer: status, headers, and the body in pieces with a pause before each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) pieces: Vec<(Duration, Bytes)>,
    /// Leave the body open after the last piece.
    pub(crate) endless: bool,
}

impl Reply {
    pub(crate) fn json(body: &Value) -> Self {
        Self::body("application/json", body.to_string())
    }

    pub(crate) fn body(media: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".into(), media.into())],
            pieces: vec![(Duration::ZERO, body.into())],
            endless: false,
        }
    }

    /// An event stream whose bytes come in these pieces.
    pub(crate) fn events(pieces: Vec<Bytes>) -> Self {
        let pieces = pieces
            .into_iter()
            .map(|piece| (Duration::ZERO, piece))
            .collect();
        Self {
            status: 200,
            headers: vec![("content-type".into(), "text/event-stream".into())],
            pieces,
            endless: false,
        }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub(crate) fn endless(mut self) -> Self {
        self.endless = true;
        self
    }
}

type Script = dyn Fn(&Arrived) -> Reply + Send + Sync;

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    log: Arc<Log>,
}

#[derive(Default)]
struct Log {
    arrived: Mutex<Vec<Arrived>>,
    aborted: Mutex<usize>,
    completed: Mutex<usize>,
    connected: AtomicUsize,
    disconnected: AtomicUsize,
}

/// Counts an answer as aborted unless it was sent to its end.
struct Sending(Arc<Log>, bool);

impl Sending {
    fn is_complete(&mut self) {
        self.1 = true;
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let counter = if self.1 {
            &self.0.completed
        } else {
            &self.0.aborted
        };
        *counter.lock().unwrap() += 1;
    }
}

impl Upstream {
    /// Answers every request with an empty result for its id, and lists with `tools`.
    pub(crate) async fn plain() -> Self {
        Self::start(|arrived| {
            if arrived.body.is_empty() {
                return Reply::body("text/plain", "").status(405);
            }
            let message = arrived.json();
            let result = match message["method"].as_str() {
                Some("tools/list") => {
                    json!({ "tools": [tool("search_customers"), tool("delete_customer")] })
                }
                _ => json!({ "content": [{ "type": "text", "text": "done" }] }),
            };
            Reply::json(&json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))
        })
        .await
    }

    pub(crate) async fn start(script: impl Fn(&Arrived) -> Reply + Send + Sync + 'static) -> Self {
        Self::behind(script, None).await
    }

    /// Speaks TLS as `edition` does, if there is one.
    pub(crate) async fn behind(
        script: impl Fn(&Arrived) -> Reply + Send + Sync + 'static,
        edition: Option<Arc<Edition>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Log::default());
        let script: Arc<Script> = Arc::new(script);
        let serving = Arc::clone(&log);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                socket.set_nodelay(true).unwrap();
                let (log, script) = (Arc::clone(&serving), Arc::clone(&script));
                let (edition, closing) = (edition.clone(), Arc::clone(&serving));
                tokio::spawn(async move {
                    log.connected.fetch_add(1, Ordering::Relaxed);
                    let service = service_fn(move |request| {
                        answer(request, Arc::clone(&log), Arc::clone(&script))
                    });
                    let builder =
                        hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    match edition {
                        None => {
                            let socket = TokioIo::new(socket);
                            let _ = builder.serve_connection(socket, service).await;
                        }
                        Some(edition) => {
                            let handshake =
                                edition.acceptor().tls_handshake(L4Stream::from(socket));
                            let socket = TokioIo::new(handshake.await.unwrap());
                            let _ = builder.serve_connection(socket, service).await;
                        }
                    }
                    closing.disconnected.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Self { address, log }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Everything that arrived so far.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.log.arrived.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.log.arrived.lock().unwrap().len()
    }

    /// Answers that were not sent to their end because the other side went away.
    pub(crate) fn aborted(&self) -> usize {
        *self.log.aborted.lock().unwrap()
    }

    /// Connections that were opened.
    pub(crate) fn connected(&self) -> usize {
        self.log.connected.load(Ordering::Relaxed)
    }

    /// Connections that ended.
    pub(crate) fn disconnected(&self) -> usize {
        self.log.disconnected.load(Ordering::Relaxed)
    }

    /// Answers that were sent to their end.
    pub(crate) fn completed(&self) -> usize {
        *self.log.completed.lock().unwrap()
    }
}

/// A tool definition.
pub(crate) fn tool(name: &str) -> Value {
    json!({ "name": name, "description": format!("does {name}"), "inputSchema": { "type": "object" } })
}

async fn answer(
    request: Request<Incoming>,
    log: Arc<Log>,
    script: Arc<Script>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let arrived = Arrived {
        method: head.method.to_string(),
        path: head
            .uri
            .path_and_query()
            .map(ToString::to_string)
            .unwrap_or_default(),
        headers: head.headers,
        body,
        version: head.version,
    };
    let reply = script(&arrived);
    log.arrived.lock().unwrap().push(arrived);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let state = (
        VecDeque::from(reply.pieces),
        reply.endless,
        Sending(log, false),
    );
    let body = StreamBody::new(stream::unfold(
        state,
        |(mut pieces, endless, mut sending)| async move {
            if let Some((pause, piece)) = pieces.pop_front() {
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
                return Some((Ok(Frame::data(piece)), (pieces, endless, sending)));
            }
            if endless {
                std::future::pending::<()>().await;
            }
            sending.is_complete();
            None
        },
    ));
    Ok(response.body(body.boxed()).unwrap())
}

/// Whether `holds` comes true within `limit`.
pub(crate) async fn eventually(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let watching = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(limit, watching).await.is_ok()
}
