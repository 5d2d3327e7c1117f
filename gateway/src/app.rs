//! The only place where things are put together: from checked settings to a gateway that serves, reloads and
//! stops.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use pingora::apps::HttpServerOptions;
use pingora::protocols::http::v2::server::default_h2_options;
use pingora::proxy::{HttpProxy, http_proxy};
use pingora::server::configuration::ServerConf;
use tokio::sync::mpsc::Receiver;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::anomaly::Observation;
use crate::audit::{AuditError, Ledger, Voice};
use crate::config::Settings;
use crate::control::admin::Commands;
use crate::control::{admin, ops};
use crate::identity::{self, IssuerKeys};
use crate::model::{Clock, SystemClock};
use crate::proxy::inflight::InflightCount;
use crate::proxy::listen::{self, Door};
use crate::proxy::places::Places;
use crate::proxy::service::Gateway;
use crate::proxy::services::Services;
use crate::proxy::tls::Greeting;
use crate::upstream::peer::PeerError;

mod anomalies;
mod build;
mod checkpoints;
mod command;
mod floods;
mod pins;
mod renewal;
mod shadow;
mod shipping;
mod subjects;
mod trial;
mod vitals;

pub use build::BuildError;
pub(crate) use build::{Parts, lone_verifier};

/// Where a reload finds the configuration again.
pub type Reread = Arc<dyn Fn() -> Result<Settings, String> + Send + Sync>;

/// Idle connections kept to all upstreams together.
const UPSTREAM_POOL: usize = 512;
/// How often the files of the listener's certificate are looked at, and whether the time of a trial is over.
const RENEWAL: Duration = Duration::from_secs(5);

/// How long refusals of a flood are counted for one record.
const FLOOD_WINDOW: Duration = Duration::from_secs(60);
/// How long requests that were cut may take to go on record.
const CUT: Duration = Duration::from_secs(1);

/// Why the gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address or socket cannot be listened on.
    #[error("cannot listen on {what} `{address}`: {cause}")]
    Listen {
        /// Which listener.
        what: &'static str,
        /// Its address.
        address: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The record cannot be kept.
    #[error("cannot open the audit ledger")]
    Ledger(#[from] AuditError),
    /// A part cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// What is shared by all parts of a running gateway.
pub(crate) struct Shared {
    pub(crate) services: Arc<ArcSwap<Services>>,
    pub(crate) settings: ArcSwap<Settings>,
    pub(crate) keys: ArcSwap<Vec<Arc<IssuerKeys>>>,
    pub(crate) greeting: Option<Arc<Greeting>>,
    pub(crate) parts: Parts,
    pub(crate) inflight: InflightCount,
    pub(crate) draining: AtomicBool,
    pub(crate) reread: Option<Reread>,
    pub(crate) turn: tokio::sync::Mutex<()>,
    pub(crate) sinks: shipping::Sinks,
    /// A policy that an operator lets be asked.
    pub(crate) trial: std::sync::Mutex<Option<trial::Trial>>,
    pub(crate) refreshers: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

/// What a start has before it has anything else.
struct Start {
    ledger: Ledger,
    /// The name of this start, under which the ledger writes.
    instance: Box<str>,
    clock: Arc<dyn Clock>,
}

/// A gateway that serves.
pub struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
    ops: Option<SocketAddr>,
    admin: Option<PathBuf>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Starts to serve. Everything that can fail fails here, before the first request.
///
/// # Errors
/// [`StartError`].
pub async fn start(settings: Settings, reread: Option<Reread>) -> Result<Running, StartError> {
    start_by(settings, reread, Arc::new(SystemClock)).await
}

/// The same, by a clock of the embedding program: tokens, hours and budgets go by it.
///
/// # Errors
/// [`StartError`].
pub async fn start_by(
    settings: Settings,
    reread: Option<Reread>,
    clock: Arc<dyn Clock>,
) -> Result<Running, StartError> {
    identity::install_crypto();
    let start = Start::new(&settings, clock)?;
    let listener = bind("the gateway's address", settings.listen.address).await?;
    let ops_listener = match settings.ops {
        Some(address) => Some(bind("the ops address", address).await?),
        None => None,
    };
    let admin_listener = settings.admin.as_deref().map(bind_admin).transpose()?;
    let (shared, told) = Shared::new(settings, start, reread)?;
    shared.record_start();
    let (stop, stopping) = watch::channel(false);
    let address = listener
        .local_addr()
        .map_err(|cause| unbound("the gateway's address", "?", cause))?;
    let ops_address = ops_listener
        .as_ref()
        .and_then(|listener| listener.local_addr().ok());
    let door = Arc::new(Door {
        proxy: Arc::new(proxy(&shared)),
        tls: shared.greeting.clone(),
        places: Places::new(Arc::clone(&shared.parts.metrics)),
        services: Arc::clone(&shared.services),
    });
    let mut tasks = watches(&shared, told);
    tasks.push(tokio::spawn(listen::serve(listener, door, stopping)));
    if let Some(listener) = ops_listener {
        tasks.push(tokio::spawn(ops::serve(
            listener,
            Arc::clone(&shared) as Arc<dyn ops::Vitals>,
        )));
    }
    if let Some(listener) = admin_listener {
        let commands = Arc::clone(&shared) as Arc<dyn admin::Commands>;
        tasks.push(tokio::spawn(admin::serve(listener, commands)));
    }
    shared.sinks.start();
    let admin = shared.settings.load().admin.clone();
    Ok(Running {
        shared,
        address,
        ops: ops_address,
        admin,
        stop,
        tasks,
    })
}

impl Start {
    fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, AuditError> {
        let instance: Box<str> = uuid::Uuid::now_v7().to_string().into();
        let voice = Voice {
            instance: instance.clone(),
            configuration: settings.config_digest,
            clock: Arc::clone(&clock),
        };
        let ledger = Ledger::open(&settings.audit, voice)?;
        Ok(Self {
            ledger,
            instance,
            clock,
        })
    }
}

/// What is done by time and not by request.
fn watches(shared: &Arc<Shared>, told: Receiver<Observation>) -> Vec<JoinHandle<()>> {
    vec![
        tokio::spawn(renewal::watch(Arc::clone(shared), RENEWAL)),
        tokio::spawn(trial::watch(Arc::clone(shared), RENEWAL)),
        tokio::spawn(floods::watch(Arc::clone(shared), FLOOD_WINDOW)),
        tokio::spawn(anomalies::watch(Arc::clone(shared), told)),
    ]
}

async fn bind(
    what: &'static str,
    address: SocketAddr,
) -> Result<tokio::net::TcpListener, StartError> {
    listen::bind(address)
        .await
        .map_err(|cause| unbound(what, &address.to_string(), cause))
}

fn bind_admin(path: &std::path::Path) -> Result<tokio::net::UnixListener, StartError> {
    admin::bind(path)
        .map_err(|cause| unbound("the admin socket", &path.display().to_string(), cause))
}

fn unbound(what: &'static str, address: &str, cause: io::Error) -> StartError {
    StartError::Listen {
        what,
        address: address.to_owned(),
        cause,
    }
}

fn proxy(shared: &Arc<Shared>) -> HttpProxy<Gateway> {
    let conf = ServerConf {
        upstream_keepalive_pool_size: UPSTREAM_POOL,
        // A POST is never sent twice; what is left is a stale connection on GET.
        max_retries: 2,
        ..ServerConf::default()
    };
    let gateway = Gateway::new(Arc::clone(&shared.services), shared.inflight.clone());
    let mut proxy = http_proxy(&Arc::new(conf), gateway);
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    proxy.server_options = Some(options);
    // The listener sets the bounds of each connection in both.
    proxy.h2_options = Some(default_h2_options());
    proxy
}

impl Running {
    /// Where agents connect.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where probes and metrics are, if anywhere.
    pub const fn ops(&self) -> Option<SocketAddr> {
        self.ops
    }

    /// Reads the configuration again.
    ///
    /// # Errors
    /// Every mistake in it, as text; the old one goes on serving.
    pub async fn reload(&self) -> Result<(), String> {
        self.shared.reload(None).await.map(drop)
    }

    /// Stops: no new connections, requests under way are waited for and then cut, the ledger is closed.
    pub async fn stop(self) {
        self.shared.draining.store(true, Ordering::Release);
        let _ = self.stop.send(true);
        self.drain().await;
        for task in &self.tasks {
            task.abort();
        }
        // What was cut still closes its books.
        let _ = tokio::time::timeout(CUT, self.shared.inflight.emptied()).await;
        self.shared.stop_refreshing();
        if let Some(path) = &self.admin {
            let _ = std::fs::remove_file(path);
        }
        let shared = Arc::clone(&self.shared);
        let _ = tokio::task::spawn_blocking(move || {
            shared.end_flood_window();
            shared.record_stop();
            shared.parts.pins.close();
            shared.parts.ledger.flush_and_close();
            // What was refused in between can only be told to the log.
            shared.end_flood_window();
        })
        .await;
        self.shared.sinks.finish().await;
    }

    async fn drain(&self) {
        let drain = self.shared.settings.load().drain;
        let emptied = tokio::time::timeout(drain, self.shared.inflight.emptied()).await;
        if emptied.is_err() {
            let left = self.shared.inflight.now();
            tracing::warn!(
                left,
                ?drain,
                "stopping although requests are still under way"
            );
        }
    }
}

/// Whether a reload can bring `new` into force.
///
/// # Errors
///
/// Names the settings that differ and are read only at start-up.
pub(crate) fn same_listener(old: &Settings, new: &Settings) -> Result<(), String> {
    let (record, next) = (&old.recording, &new.recording);
    let fixed: [(&str, bool); 9] = [
        ("listen.address", old.listen.address == new.listen.address),
        (
            "listen.tls",
            old.listen.tls.is_some() == new.listen.tls.is_some(),
        ),
        ("ops.address", old.ops == new.ops),
        ("admin.socket", old.admin == new.admin),
        ("audit", old.audit == new.audit),
        ("audit.ship", old.audit_ship == new.audit_ship),
        ("audit.subjects", record.subjects == next.subjects),
        (
            "audit.hours and audit.anomalies",
            record.anomalies == next.anomalies,
        ),
        ("pins.directory", old.pins_directory == new.pins_directory),
    ];
    let changed: Vec<_> = fixed
        .iter()
        .filter(|(_, same)| !same)
        .map(|(name, _)| *name)
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "a reload cannot change {}: restart the gateway for that",
        changed.join(", ")
    ))
}
