//! The accept loop: sockets in, pingora sessions out. Never reads a request itself.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream, ServerApp};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::protocols::l4::stream::Stream as TcpLayer;
use pingora::protocols::{GetSocketDigest, SocketDigest, Stream};
use pingora::proxy::HttpProxy;
use pingora::server::ShutdownWatch;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::proxy::curfew;
use crate::proxy::guard::{Connection, GuardStream};
use crate::proxy::service::Gateway;
use crate::proxy::tls::Greeting;

/// How long a TLS handshake, or telling HTTP/1 from HTTP/2, may take.
const GREETING: Duration = Duration::from_secs(10);
/// How long to rest when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Everything an accepted socket needs.
pub struct Door {
    /// The proxy.
    pub proxy: Arc<HttpProxy<Gateway>>,
    /// TLS, or plain text.
    pub tls: Option<Arc<Greeting>>,
}

/// Accepts until `shutdown` says stop, then waits for the connections there are. Dropped, it cuts them.
pub async fn serve(listener: TcpListener, door: Arc<Door>, mut shutdown: ShutdownWatch) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            socket = accept(&listener) => {
                connections.spawn(greet(socket, Arc::clone(&door), shutdown.clone()));
            }
            Some(_) = connections.join_next() => {}
            _ = shutdown.changed() => break,
        }
    }
    drop(listener);
    // Connections that wait for a next request are let go.
    door.proxy.http_cleanup().await;
    while connections.join_next().await.is_some() {}
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => return socket,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn greet(socket: TcpStream, door: Arc<Door>, shutdown: ShutdownWatch) {
    let Some(stream) = open(socket, &door).await else {
        return;
    };
    let connection = Arc::new(Connection::default());
    let guarded = GuardStream::new(stream, Arc::clone(&connection), GREETING);
    let visit = Arc::new(Visit {
        proxy: Arc::clone(&door.proxy),
        connection,
    });
    let mut next: Option<Stream> = Some(Box::new(guarded));
    while let Some(stream) = next {
        next = visit.process_new(stream, &shutdown).await;
    }
}

/// The socket as pingora sees it, after the TLS handshake if there is one.
async fn open(socket: TcpStream, door: &Door) -> Option<Stream> {
    let _ = socket.set_nodelay(true);
    let digest = SocketDigest::from_raw_fd(socket.as_raw_fd());
    let mut stream: TcpLayer = socket.into();
    stream.set_socket_digest(digest);
    let Some(greeting) = &door.tls else {
        return Some(Box::new(stream));
    };
    let edition = greeting.now();
    let handshake = edition.acceptor().tls_handshake(stream);
    let handshake = tokio::time::timeout(GREETING, handshake).await;
    match handshake {
        Ok(Ok(stream)) => Some(Box::new(stream)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

/// One connection: gives each HTTP/1 session the handle of the stream beneath it, and each request its curfew.
struct Visit {
    proxy: Arc<HttpProxy<Gateway>>,
    connection: Arc<Connection>,
}

#[async_trait]
impl HttpServerApp for Visit {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        session.set_connection_user_context(Some(Box::new(Arc::clone(&self.connection))));
        let serving = self.proxy.process_new_http(session, shutdown);
        curfew::keep(serving).await.flatten()
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.proxy.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.proxy.server_options()
    }
}

/// Binds at once, so that a port in use is an error at start and not a panic later.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}
