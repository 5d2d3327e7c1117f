//! Builds the services of one generation of the configuration.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;

use super::{PeerError, Reread, Shared};
use crate::audit::Ledger;
use crate::config::{Server, Settings};
use crate::decision::circumstance::InForce;
use crate::identity::{self, IssuerKeys, KeysError, Verifier};
use crate::model::{Clock, SystemClock};
use crate::proxy::inflight::InflightCount;
use crate::proxy::origin::Origins;
use crate::proxy::route::{self, Route, Routes};
use crate::proxy::services::Services;
use crate::proxy::session::Sessions;
use crate::telemetry::{MetricError, Metrics};
use crate::upstream::UpstreamPeer;

/// Why a configuration that was checked still cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An upstream cannot be prepared.
    #[error(transparent)]
    Upstream(#[from] PeerError),
    /// The keys of an issuer cannot be prepared.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The metrics cannot be registered.
    #[error(transparent)]
    Metrics(#[from] MetricError),
}

impl Shared {
    /// The first generation.
    pub(super) fn new(
        settings: Settings,
        ledger: Ledger,
        reread: Option<Reread>,
    ) -> Result<Self, BuildError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let names: Vec<_> = settings
            .servers
            .iter()
            .map(|server| server.audience.server.clone())
            .collect();
        let issuers: Vec<_> = settings
            .issuers
            .iter()
            .map(|issuer| issuer.name.clone())
            .collect();
        let parts = Parts {
            ledger: ledger.clone(),
            metrics: Arc::new(Metrics::new(&names, &issuers)?),
            sessions: Arc::new(Sessions::default()),
            instance: uuid::Uuid::now_v7().to_string().into(),
            clock,
        };
        let keys = issuer_keys(&settings, &[], &parts.clock)?;
        let services = services(&settings, &keys, &parts)?;
        parts.metrics.reload_succeeded();
        let shared = Self {
            services: Arc::new(ArcSwap::from_pointee(services)),
            settings: ArcSwap::from_pointee(settings),
            keys: ArcSwap::from_pointee(Vec::new()),
            ledger,
            metrics: parts.metrics,
            clock: parts.clock,
            sessions: parts.sessions,
            inflight: InflightCount::default(),
            draining: AtomicBool::new(false),
            instance: parts.instance,
            reread,
            turn: tokio::sync::Mutex::new(()),
            refreshers: std::sync::Mutex::default(),
        };
        shared.serve_keys(keys);
        Ok(shared)
    }

    /// The next generation. Keys of issuers that did not change, and what is remembered of sessions, live on.
    pub(super) fn next(
        &self,
        settings: &Settings,
    ) -> Result<(Services, Vec<Arc<IssuerKeys>>), BuildError> {
        let keys = issuer_keys(settings, &self.keys.load(), &self.clock)?;
        let parts = Parts {
            ledger: self.ledger.clone(),
            metrics: Arc::clone(&self.metrics),
            sessions: Arc::clone(&self.sessions),
            instance: self.instance.clone(),
            clock: Arc::clone(&self.clock),
        };
        Ok((services(settings, &keys, &parts)?, keys))
    }
}

/// What every generation shares.
struct Parts {
    ledger: Ledger,
    metrics: Arc<Metrics>,
    sessions: Arc<Sessions>,
    instance: Box<str>,
    clock: Arc<dyn Clock>,
}

fn issuer_keys(
    settings: &Settings,
    known: &[Arc<IssuerKeys>],
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Arc<IssuerKeys>>, KeysError> {
    let client = identity::keys::remote::client()?;
    let keys_of = |issuer: &crate::identity::settings::IssuerSettings| {
        let kept = known.iter().find(|keys| keys.settings() == issuer);
        match kept {
            Some(keys) => Arc::clone(keys),
            None => Arc::new(IssuerKeys::new(
                issuer.clone(),
                client.clone(),
                Arc::clone(clock),
            )),
        }
    };
    Ok(settings.issuers.iter().map(keys_of).collect())
}

fn services(
    settings: &Settings,
    keys: &[Arc<IssuerKeys>],
    parts: &Parts,
) -> Result<Services, BuildError> {
    let routes = settings
        .servers
        .iter()
        .map(|server| {
            Ok((
                server.path.clone(),
                Arc::new(route(settings, server, &parts.metrics)?),
            ))
        })
        .collect::<Result<Vec<_>, BuildError>>()?;
    Ok(Services {
        routes: Routes::new(routes),
        origins: Origins::new(settings),
        verifier: Verifier::new(keys.to_vec(), Arc::clone(&parts.clock)),
        policy: settings.policy.clone(),
        ledger: parts.ledger.clone(),
        metrics: Arc::clone(&parts.metrics),
        clock: Arc::clone(&parts.clock),
        sessions: Arc::clone(&parts.sessions),
        limits: settings.limits,
        deny_http_status: settings.deny_http_status,
        arguments: settings.audit_arguments,
        in_force: InForce {
            instance: parts.instance.clone(),
            policy: settings.policy_digest,
            configuration: settings.config_digest,
        },
    })
}

fn route(settings: &Settings, server: &Server, metrics: &Metrics) -> Result<Route, BuildError> {
    let name = &server.audience.server;
    let counters = metrics.server(name)?;
    for tool in settings.policy.exact_tools(name.as_str()) {
        counters.learn_tool(tool);
    }
    Ok(Route {
        audience: server.audience.clone(),
        upstream: UpstreamPeer::new(server)?,
        metrics: counters,
        metadata_url: route::metadata_url(settings, server),
        metadata: route::metadata(server),
    })
}
