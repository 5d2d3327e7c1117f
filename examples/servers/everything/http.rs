//! Serves `/mcp` over HTTP/1.1 and HTTP/2 without TLS. Never answers a host name or an origin other
//! than loopback, because a server on a developer's machine must not be reachable through DNS rebinding.

use std::convert::Infallible;
use std::io::Result;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio::net::{TcpListener, TcpStream};

use super::polling::PollingSessions;
use super::server::{Everything, World};

type Mcp = StreamableHttpService<Everything, PollingSessions>;

/// Answers every connection of `listener` until the process ends.
///
/// # Errors
///
/// When the catalogue that the binary carries cannot be read, or the system has no random bytes.
pub(crate) async fn serve(listener: TcpListener) -> Result<()> {
    let world = Arc::new(World::new()?);
    let config = StreamableHttpServerConfig::default().with_allowed_origins(LOOPBACK_ORIGINS);
    let mcp = Mcp::new(
        move || Ok(Everything::new(Arc::clone(&world))),
        Arc::new(PollingSessions::default()),
        config,
    );
    loop {
        // A peer that left early, or a full table of files: the others must not notice, nor the processor.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        tokio::spawn(converse(stream, mcp.clone()));
    }
}

async fn converse(stream: TcpStream, mcp: Mcp) {
    // Progress and log messages are small and must not wait for the next one.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| answer(mcp.clone(), request));
    // The error says only that the peer went away in the middle of a message.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    mcp: Mcp,
    request: Request<Incoming>,
) -> std::result::Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    if request.uri().path() == ENDPOINT {
        return Ok(mcp.handle(request).await);
    }
    let mut response = Response::new(Empty::new().boxed());
    *response.status_mut() = StatusCode::NOT_FOUND;
    Ok(response)
}

const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const ENDPOINT: &str = "/mcp";
const LOOPBACK_ORIGINS: [&str; 3] = ["http://localhost:*", "http://127.0.0.1:*", "http://[::1]:*"];
