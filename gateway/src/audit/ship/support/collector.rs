//! A collector that keeps what it gets and answers as the test says.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::audit::ship::settings::{Bounds, HttpSettings};

/// What it does with a request.
#[derive(Debug, Clone)]
pub(in crate::audit::ship) enum Act {
    /// Keeps it and answers 200 with this body.
    Take(&'static str),
    /// Answers this status, with a header perhaps, and keeps nothing.
    Turn(u16, Option<(&'static str, &'static str)>),
    /// Keeps it and closes the connection without an answer.
    TakeAndDie,
    /// Keeps nothing and never answers.
    Hang,
}

/// A request that was kept.
#[derive(Debug, Clone)]
pub(in crate::audit::ship) struct Kept {
    pub(in crate::audit::ship) headers: HeaderMap,
    pub(in crate::audit::ship) body: Bytes,
}

#[derive(Debug, Default)]
struct Inner {
    next: VecDeque<Act>,
    always: Option<Act>,
    largest: Option<usize>,
    kept: Vec<Kept>,
    seen: usize,
}

#[derive(Debug)]
pub(in crate::audit::ship) struct Collector {
    pub(in crate::audit::ship) address: SocketAddr,
    inner: Arc<Mutex<Inner>>,
}

impl Collector {
    pub(in crate::audit::ship) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Mutex::new(Inner::default()));
        let served = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let inner = Arc::clone(&served);
                let service = service_fn(move |request| answer(request, Arc::clone(&inner)));
                let serving = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(socket), service);
                tokio::spawn(async move {
                    let _ = serving.await;
                });
            }
        });
        Self { address, inner }
    }

    /// What it does with the next requests, and from then on what it did before.
    pub(in crate::audit::ship) fn next(&self, acts: impl IntoIterator<Item = Act>) {
        self.inner.lock().unwrap().next.extend(acts);
    }

    /// What it does with every request that has no act of its own.
    pub(in crate::audit::ship) fn always(&self, act: Act) {
        self.inner.lock().unwrap().always = Some(act);
    }

    /// Answers 413 to more than `bytes`.
    pub(in crate::audit::ship) fn takes_at_most(&self, bytes: usize) {
        self.inner.lock().unwrap().largest = Some(bytes);
    }

    pub(in crate::audit::ship) fn kept(&self) -> Vec<Kept> {
        self.inner.lock().unwrap().kept.clone()
    }

    /// How many requests arrived, kept or not.
    pub(in crate::audit::ship) fn seen(&self) -> usize {
        self.inner.lock().unwrap().seen
    }

    /// The lines of all that was kept.
    pub(in crate::audit::ship) fn lines(&self) -> Vec<String> {
        let bodies = self.kept().into_iter().map(|kept| kept.body);
        bodies
            .flat_map(|body| {
                let text = String::from_utf8(body.to_vec()).unwrap();
                assert!(text.ends_with('\n'), "every line has its end");
                text.lines().map(str::to_owned).collect::<Vec<_>>()
            })
            .collect()
    }

    pub(in crate::audit::ship) fn settings(&self) -> HttpSettings {
        HttpSettings {
            url: format!("http://{}/in", self.address),
            token_file: None,
            ca_file: None,
            timeout: Duration::from_secs(10),
            batch: Bounds {
                lines: 25,
                bytes: 64 << 10,
            },
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    inner: Arc<Mutex<Inner>>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let act = {
        let mut inner = inner.lock().unwrap();
        inner.seen += 1;
        let is_large = inner.largest.is_some_and(|most| body.len() > most);
        let act = if is_large {
            Act::Turn(413, None)
        } else {
            let next = inner.next.pop_front().or(inner.always.clone());
            next.unwrap_or(Act::Take("{}"))
        };
        if matches!(act, Act::Take(_) | Act::TakeAndDie) {
            inner.kept.push(Kept {
                headers: head.headers,
                body,
            });
        }
        act
    };
    match act {
        Act::Take(text) => Ok(Response::new(Full::from(text))),
        Act::Turn(status, header) => {
            let mut response = Response::builder().status(status);
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            Ok(response.body(Full::default()).unwrap())
        }
        Act::TakeAndDie => Err(std::io::Error::other("dies")),
        Act::Hang => std::future::pending().await,
    }
}
