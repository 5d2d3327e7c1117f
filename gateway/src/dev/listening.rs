//! Serves HTTP/1.1 on a free loopback port until it is dropped. Never binds another address.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::DevError;

/// What the embedded parts answer with.
pub(super) type Answered = Response<BoxBody<Bytes, Infallible>>;

/// A running listener. Dropping it closes the port and every connection.
#[derive(Debug)]
pub(super) struct Listening {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// A free port, not served yet: its number must be known before there is something to serve.
    pub(super) async fn bind() -> Result<TcpListener, DevError> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(|source| DevError::Listen { source })
    }

    /// Answers every request on `listener` with `handle`.
    pub(super) fn serve<H, F>(listener: TcpListener, handle: H) -> Result<Self, DevError>
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answered> + Send + 'static,
    {
        let address = listener
            .local_addr()
            .map_err(|source| DevError::Listen { source })?;
        Ok(Self {
            address,
            task: tokio::spawn(accept(listener, handle)),
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<H, F>(listener: TcpListener, handle: H)
where
    H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Answered> + Send + 'static,
{
    // Connections end with this task, because the set is dropped with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, handle.clone()));
                }
                // Out of file descriptors, most likely: an immediate retry would spin.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse<H, F>(stream: TcpStream, handle: H)
where
    H: Fn(Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Answered> + Send + 'static,
{
    let service = service_fn(move |request| {
        let answered = handle(request);
        async move { Ok::<_, Infallible>(answered.await) }
    });
    // A peer that breaks off mid-request is its own concern; there is nobody to tell.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

const MAX_CONNECTIONS: usize = 256;
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);
