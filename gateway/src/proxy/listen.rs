//! The accept loop: sockets in, pingora sessions out. Never reads a request itself.

use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
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

use crate::config::Limits;
use crate::proxy::curfew;
use crate::proxy::guard::{Connection, GuardStream};
use crate::proxy::places::{Place, Places};
use crate::proxy::service::Gateway;
use crate::proxy::services::Services;
use crate::proxy::tls::Greeting;
use crate::proxy::vigil::{self, Vigil};
use crate::telemetry::{Metrics, Unwelcome};

/// How long to rest when the system has no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often at most the log says so.
const COMPLAINT: Duration = Duration::from_secs(1);

/// Everything an accepted socket needs.
pub struct Door {
    /// The proxy.
    pub proxy: Arc<HttpProxy<Gateway>>,
    /// TLS, or plain text.
    pub tls: Option<Arc<Greeting>>,
    /// The connections there are.
    pub places: Places,
    /// What holds for connections that are made from now on.
    pub services: Arc<ArcSwap<Services>>,
}

/// Accepts until `shutdown` says stop, then waits for the connections there are. Dropped, it cuts them.
pub async fn serve(listener: TcpListener, door: Arc<Door>, mut shutdown: ShutdownWatch) {
    let mut connections = JoinSet::new();
    let mut entrance = Entrance {
        listener,
        complained: None,
    };
    loop {
        tokio::select! {
            (socket, source) = entrance.accept(&door) => {
                let limits = door.services.load().limits;
                match door.places.take(source.ip(), limits.connections_per_source) {
                    Some(place) => {
                        let visitor = (socket, place);
                        connections.spawn(greet(visitor, Arc::clone(&door), shutdown.clone()));
                    }
                    None => door.metrics().turned_away(Unwelcome::Source),
                }
            }
            Some(_) = connections.join_next() => {}
            _ = shutdown.changed() => break,
        }
    }
    drop(entrance);
    // Connections that wait for a next request are let go.
    door.proxy.http_cleanup().await;
    while connections.join_next().await.is_some() {}
}

/// The listener, and when it was last said that it cannot accept.
struct Entrance {
    listener: TcpListener,
    complained: Option<Instant>,
}

impl Entrance {
    /// The next connection, once there is room for it.
    async fn accept(&mut self, door: &Door) -> (TcpStream, SocketAddr) {
        loop {
            let limit = || door.services.load().limits.connections;
            door.places.room(limit).await;
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => {
                    self.complain(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn complain(&mut self, error: &std::io::Error) {
        let is_due = |at: Instant| at.elapsed() >= COMPLAINT;
        if self.complained.is_none_or(is_due) {
            self.complained = Some(Instant::now());
            tracing::warn!(%error, "cannot accept a connection");
        }
    }
}

impl Door {
    fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.services.load().metrics)
    }
}

/// Serves one connection, for as long as it takes no longer over anything than it may.
async fn greet((socket, _place): (TcpStream, Place), door: Arc<Door>, shutdown: ShutdownWatch) {
    let limits = door.services.load().limits;
    let connection = Arc::new(Connection::new(&limits));
    let visit = Arc::new(Visit {
        door: Arc::clone(&door),
        options: options(&door, &limits),
        limits,
        connection: Arc::clone(&connection),
    });
    let served = vigil::keep(visit.serve(socket, &shutdown), &connection).await;
    if served.is_none() && !connection.vigil(|vigil| vigil.is_idle()) {
        door.metrics().turned_away(Unwelcome::Slow);
    } else if connection.vigil(|vigil| vigil.is_flood()) {
        door.metrics().turned_away(Unwelcome::Flood);
    }
}

/// What pingora is to do with one connection.
fn options(door: &Door, limits: &Limits) -> HttpServerOptions {
    let mut options = door.proxy.server_options.clone().unwrap_or_default();
    options.h2_idle_timeout = Some(limits.idle_timeout);
    options
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
    match edition.acceptor().tls_handshake(stream).await {
        Ok(stream) => Some(Box::new(stream)),
        Err(error) => {
            tracing::debug!(%error, "TLS handshake failed");
            door.metrics().turned_away(Unwelcome::Handshake);
            None
        }
    }
}

/// One connection: gives each HTTP/1 session the handle of the stream beneath it, and each request its curfew.
struct Visit {
    door: Arc<Door>,
    options: HttpServerOptions,
    limits: Limits,
    connection: Arc<Connection>,
}

impl Visit {
    async fn serve(self: &Arc<Self>, socket: TcpStream, shutdown: &ShutdownWatch) {
        let Some(stream) = open(socket, &self.door).await else {
            return;
        };
        let connection = Arc::clone(&self.connection);
        let guarded = GuardStream::new(stream, connection, self.limits.write_timeout);
        let mut next: Option<Stream> = Some(Box::new(guarded));
        while let Some(stream) = next {
            next = self.process_new(stream, shutdown).await;
        }
    }
}

#[async_trait]
impl HttpServerApp for Visit {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        session.set_connection_user_context(Some(Box::new(Arc::clone(&self.connection))));
        let serving = self.door.proxy.process_new_http(session, shutdown);
        let reused = curfew::keep(serving).await.flatten();
        if reused.is_some() {
            self.connection.vigil(Vigil::rests);
        } else if self.connection.vigil(|vigil| vigil.is_unread()) {
            self.door.metrics().turned_away(Unwelcome::Malformed);
        }
        reused
    }

    fn h2_options(&self) -> Option<H2Options> {
        let mut options = self.door.proxy.h2_options()?;
        let headers = u32::try_from(self.limits.headers).unwrap_or(u32::MAX);
        options
            .max_concurrent_streams(self.limits.streams_per_connection)
            .max_header_list_size(headers);
        Some(options)
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }
}

/// Binds at once, so that a port in use is an error at start and not a panic later.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}
