//! How one upstream is connected to: TLS, timeouts, its own pool. Never turns verification off.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use pingora::protocols::ALPN;
use pingora::protocols::tls::CaType;
use pingora::upstreams::peer::{HttpPeer, HttpUpstreamRequestPolicy, PeerOptions};
use pingora::utils::tls::{WrappedX509, parse_x509};

use crate::config::{Server, Upstream};
use crate::live::Until;
use crate::upstream::resolve::Resolver;
use crate::upstream::tether::Tether;

/// Idle connections are given up before most servers give up theirs.
const IDLE: Duration = Duration::from_secs(50);
const WRITE: Duration = Duration::from_secs(30);
const HTTP2_STREAMS: usize = 100;
/// pingora's timers may strike this much early.
const TICK: Duration = Duration::from_millis(1);

/// Whether an answer may stay silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// The server's read timeout applies.
    Limited,
    /// A stream that may say nothing for hours.
    Endless,
}

/// Why an upstream cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The CA file cannot be read or holds no certificate.
    #[error("cannot use the CA file of server `{server}`: {cause}")]
    CaFile {
        /// The server.
        server: String,
        /// What went wrong.
        cause: String,
    },
}

/// The upstream of one server.
pub struct UpstreamPeer {
    settings: Upstream,
    authority: String,
    group: u64,
    tethers: AtomicU64,
    ca: Option<Arc<CaType>>,
    resolver: Resolver,
    ready: ArcSwapOption<(SocketAddr, HttpPeer)>,
}

impl UpstreamPeer {
    /// Prepares the upstream of `server`.
    ///
    /// # Errors
    /// When its CA file is no PEM certificate.
    pub fn new(server: &Server) -> Result<Self, PeerError> {
        let settings = server.upstream.clone();
        let mut hasher = DefaultHasher::new();
        // The pool's own key ignores CA and ALPN: servers never share connections.
        server.audience.server.hash(&mut hasher);
        settings.ca_file.hash(&mut hasher);
        Ok(Self {
            authority: authority(&settings),
            group: hasher.finish(),
            tethers: AtomicU64::new(0),
            ca: authorities(server)?,
            resolver: Resolver::new(&settings.host, settings.port),
            ready: ArcSwapOption::empty(),
            settings,
        })
    }

    /// What goes into `Host`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path and query that requests are sent to.
    pub fn path(&self) -> &str {
        &self.settings.path
    }

    /// The peer to connect to, for an exchange that goes on `until` then, or for as long as it takes.
    ///
    /// # Errors
    /// When the name cannot be resolved.
    pub async fn peer(
        &self,
        patience: Patience,
        until: Option<&Until>,
    ) -> io::Result<Box<HttpPeer>> {
        let address = self.resolver.address().await?;
        let mut peer = match self.ready.load().as_deref() {
            Some((known, peer)) if *known == address => peer.clone(),
            _ => self.prepare(address),
        };
        match (patience, until) {
            (Patience::Limited, None) => {}
            (Patience::Limited, Some(until)) => hurry(&mut peer.options, until.at),
            (Patience::Endless, None) => peer.options.read_timeout = None,
            (Patience::Endless, Some(until)) => self.tether(&mut peer, until.clone()),
        }
        Ok(Box::new(peer))
    }

    /// A connection for one stream alone, which can be ended in silence without harm to others.
    fn tether(&self, peer: &mut HttpPeer, until: Until) {
        let mut hasher = DefaultHasher::new();
        self.group.hash(&mut hasher);
        self.tethers
            .fetch_add(1, Ordering::Relaxed)
            .hash(&mut hasher);
        // INVARIANT: no two tethered connections share a place in the pool, and none stays there.
        peer.group_key = hasher.finish();
        let options = &mut peer.options;
        options.idle_timeout = Some(Duration::ZERO);
        options.alpn = ALPN::H1;
        options.read_timeout = None;
        options.custom_l4 = Some(Arc::new(Tether {
            until,
            connect_timeout: self.settings.connect_timeout,
        }));
    }

    fn prepare(&self, address: SocketAddr) -> HttpPeer {
        let name = self.settings.host.trim_matches(['[', ']']).to_owned();
        let mut peer = HttpPeer::new(address, self.settings.tls, name);
        peer.group_key = self.group;
        let options = &mut peer.options;
        options.connection_timeout = Some(self.settings.connect_timeout);
        options.total_connection_timeout = Some(self.settings.connect_timeout);
        options.read_timeout = Some(self.settings.read_timeout);
        options.write_timeout = Some(WRITE);
        options.idle_timeout = Some(IDLE);
        options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        if self.settings.tls {
            options.alpn = ALPN::H2H1;
            options.max_h2_streams = HTTP2_STREAMS;
            options.ca.clone_from(&self.ca);
        }
        self.ready.store(Some(Arc::new((address, peer.clone()))));
        peer
    }
}

/// No wait on the upstream lasts longer than what is left of the exchange.
fn hurry(options: &mut PeerOptions, ends: Instant) {
    let left = ends.saturating_duration_since(Instant::now()) + TICK;
    for timeout in [
        &mut options.connection_timeout,
        &mut options.total_connection_timeout,
        &mut options.read_timeout,
        &mut options.write_timeout,
    ] {
        *timeout = timeout.map(|configured| configured.min(left));
    }
}

fn authority(upstream: &Upstream) -> String {
    let usual = if upstream.tls { 443 } else { 80 };
    if upstream.port == usual {
        upstream.host.clone()
    } else {
        format!("{}:{}", upstream.host, upstream.port)
    }
}

fn authorities(server: &Server) -> Result<Option<Arc<CaType>>, PeerError> {
    let Some(file) = &server.upstream.ca_file else {
        return Ok(None);
    };
    let fault = |cause: String| PeerError::CaFile {
        server: server.audience.server.to_string(),
        cause,
    };
    let pem = std::fs::read(file).map_err(|error| fault(error.to_string()))?;
    let found = rustls::pki_types::pem::PemObject::pem_slice_iter(&pem)
        .collect::<Result<Vec<rustls::pki_types::CertificateDer<'_>>, _>>()
        .map_err(|error| fault(error.to_string()))?;
    if found.is_empty() {
        return Err(fault(format!("no certificate in `{}`", file.display())));
    }
    let wrapped: Vec<_> = found
        .iter()
        .map(|der| WrappedX509::new(der.to_vec(), parse_x509))
        .collect();
    Ok(Some(Arc::from(wrapped.into_boxed_slice())))
}
