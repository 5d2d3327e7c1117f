//! Builds the services of one generation of the configuration.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use arc_swap::ArcSwap;
use tokio::sync::mpsc::Receiver;

use super::pins::unwritten;
use super::shipping::Sinks;
use super::{PeerError, Reread, Shared, Start};
use crate::anomaly::{Lookout, Observation};
use crate::audit::Ledger;
use crate::audit::names::{Book, BookError};
use crate::audit::secret_file::{self, SecretFileError};
use crate::audit::ship::NoShipper;
use crate::config::{ArgumentsRecord, Pins, Server, Settings, Subjects, sunset};
use crate::decision::arguments::{Digester, Listed};
use crate::decision::circumstance::InForce;
use crate::decision::pins::{Keeper, PinError};
use crate::decision::{Disagreements, Regime, Rulebook};
use crate::identity::binding::NoRandomness;
use crate::identity::{self, IssuerKeys, KeysError, NonceKey, Possession, Verifier};
use crate::live::Reign;
use crate::model::{Clock, SystemClock};
use crate::proxy::floods::Floods;
use crate::proxy::inflight::InflightCount;
use crate::proxy::load::Load;
use crate::proxy::origin::Origins;
use crate::proxy::route::{self, Certificates, Route, Routes};
use crate::proxy::services::Services;
use crate::proxy::session::Sessions;
use crate::proxy::tasks::Tasks;
use crate::proxy::throttle::Throttle;
use crate::proxy::tls::{Greeting, TlsError};
use crate::state::{MemoryState, SharedState};
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
    /// No key for nonces can be made.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// The pins of a server cannot be had.
    #[error(transparent)]
    Pins(#[from] PinError),
    /// A place that records are brought to cannot be prepared.
    #[error(transparent)]
    Sink(#[from] NoShipper),
    /// The book of names cannot be had.
    #[error(transparent)]
    Names(#[from] BookError),
    /// A key of the gateway's own cannot be had.
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// The listener cannot speak TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Shared {
    /// The first generation, and what its requests will tell of principals.
    pub(super) fn new(
        settings: Settings,
        start: Start,
        reread: Option<Reread>,
    ) -> Result<(Arc<Self>, Receiver<Observation>), BuildError> {
        let (lookout, told) = Lookout::new();
        let parts = Parts::new(&settings, start, lookout)?;
        let keys = issuer_keys(&settings, &[], &parts.clock)?;
        let services = services(&settings, &keys, &parts)?;
        let files = settings.listen.tls.as_ref();
        let greeting = files.map(Greeting::new).transpose()?;
        let sinks = Sinks::new(&settings, &parts.ledger, &parts.clock)?;
        sinks.count(&parts.metrics)?;
        parts.metrics.reload_succeeded();
        let shared = Self {
            services: Arc::new(ArcSwap::from_pointee(services)),
            settings: ArcSwap::from_pointee(settings),
            keys: ArcSwap::from_pointee(Vec::new()),
            greeting: greeting.map(Arc::new),
            parts,
            inflight: InflightCount::default(),
            draining: AtomicBool::new(false),
            reread,
            turn: tokio::sync::Mutex::new(()),
            sinks,
            trial: std::sync::Mutex::default(),
            refreshers: std::sync::Mutex::default(),
        };
        shared.serve_keys(keys);
        shared.pin_as(&shared.settings.load());
        shared.tell_sunsets(&shared.settings.load());
        shared.ask_silently();
        Ok((Arc::new(shared), told))
    }

    /// Says in metrics and log when API keys end.
    pub(super) fn tell_sunsets(&self, settings: &Settings) {
        let sunset = |server: &'_ Server| server.audience.api_keys.as_ref().map(|keys| keys.sunset);
        let sunsets: Vec<_> = settings
            .servers
            .iter()
            .filter_map(|server| Some((&server.audience.server, sunset(server)?)))
            .collect();
        self.parts.metrics.api_keys_end(&sunsets);
        for warning in sunset::warnings(settings, self.parts.clock.now()) {
            tracing::warn!("{warning}");
        }
    }

    /// The next generation. Keys of issuers that did not change, and what is remembered of sessions, live on.
    pub(super) fn next(
        &self,
        settings: &Settings,
    ) -> Result<(Services, Vec<Arc<IssuerKeys>>), BuildError> {
        let keys = issuer_keys(settings, &self.keys.load(), &self.parts.clock)?;
        let mut services = services(settings, &keys, &self.parts)?;
        let current = self.services.load();
        // Hours, claims and arguments are part of what a policy says: a stream that they allowed goes on as long as they
        // are said, with the same effect.
        if services.regime.tenure() == current.regime.tenure() {
            services.reign = Arc::clone(&current.reign);
        }
        Ok((services, keys))
    }
}

/// What every generation shares.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) ledger: Ledger,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) floods: Arc<Floods>,
    pub(crate) load: Load,
    pub(crate) pins: Keeper,
    pub(crate) state: Arc<dyn SharedState>,
    /// Who is who in records that do not say so plainly.
    pub(crate) names: Option<Arc<Book>>,
    pub(crate) lookout: Arc<Lookout>,
    pub(crate) disagreements: Arc<Disagreements>,
    /// What nonces are made with where the configuration names no key.
    pub(crate) nonces: NonceKey,
    pub(crate) instance: Box<str>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Parts {
    fn new(settings: &Settings, start: Start, lookout: Lookout) -> Result<Self, BuildError> {
        let servers = settings.servers.iter();
        let names: Vec<_> = servers
            .map(|server| server.audience.server.clone())
            .collect();
        let issuers = settings.issuers.iter();
        let issuers: Vec<_> = issuers.map(|issuer| issuer.name.clone()).collect();
        let now = start.clock.now();
        Ok(Self {
            ledger: start.ledger,
            metrics: Arc::new(Metrics::new(&names, &issuers)?),
            sessions: Arc::new(Sessions::default()),
            tasks: Arc::new(Tasks::default()),
            state: Arc::new(MemoryState::since(now)),
            names: book(settings)?,
            lookout: Arc::new(lookout),
            disagreements: Arc::default(),
            nonces: NonceKey::random()?,
            throttle: Arc::new(Throttle::default()),
            floods: Arc::new(Floods::since(now)),
            load: Load::default(),
            pins: Keeper::new(&settings.pins_directory, Arc::new(unwritten)),
            instance: start.instance,
            clock: start.clock,
        })
    }
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
                Arc::new(route(settings, server, parts)?),
            ))
        })
        .collect::<Result<Vec<_>, BuildError>>()?;
    Ok(Services {
        routes: Routes::new(routes),
        origins: Origins::new(settings),
        verifier: verifier(settings, keys, parts),
        regime: regime(settings),
        state: Arc::clone(&parts.state),
        disagreements: Arc::clone(&parts.disagreements),
        ledger: parts.ledger.clone(),
        metrics: Arc::clone(&parts.metrics),
        clock: Arc::clone(&parts.clock),
        sessions: Arc::clone(&parts.sessions),
        tasks: Arc::clone(&parts.tasks),
        throttle: Arc::clone(&parts.throttle),
        floods: Arc::clone(&parts.floods),
        load: parts.load.clone(),
        client_cert_from: settings.listen.client_cert_from.clone(),
        limits: settings.limits,
        deny_http_status: settings.deny_http_status,
        arguments: digester(settings)?,
        model: settings.recording.model.clone(),
        names: parts.names.clone(),
        lookout: Arc::clone(&parts.lookout),
        in_force: InForce {
            instance: parts.instance.clone(),
            policy: settings.policy_digest,
            mode: settings.mode,
            configuration: settings.config_digest,
        },
        reign: Arc::new(Reign::default()),
    })
}

fn book(settings: &Settings) -> Result<Option<Arc<Book>>, BookError> {
    match settings.recording.subjects {
        Subjects::Plain => Ok(None),
        Subjects::Sealed => Book::open(&settings.audit.directory)
            .map(Arc::new)
            .map(Some),
    }
}

fn digester(settings: &Settings) -> Result<Option<Digester>, BuildError> {
    let listed = match &settings.recording.arguments {
        ArgumentsRecord::None => return Ok(None),
        ArgumentsRecord::Digest => Listed::new(),
        ArgumentsRecord::Fields(listed) => listed.clone(),
    };
    let key = if let Some(shared) = &settings.recording.digest_key {
        shared.clone()
    } else {
        let own = secret_file::beside(&settings.audit.directory, DIGEST_KEY);
        secret_file::read_or_make(&own)?
    };
    Ok(Some(Digester::new(&key, listed)))
}

/// Behind the name of the ledger's directory.
const DIGEST_KEY: &str = ".digest-key";

/// What the configuration is ruled by.
fn regime(settings: &Settings) -> Regime {
    let candidate = settings.shadow.as_ref();
    Regime {
        rules: Rulebook {
            policy: settings.policy.clone(),
            digest: settings.policy_digest,
            zone: Arc::new(settings.zone.clone()),
        },
        mode: settings.mode,
        candidate: candidate.map(|candidate| Rulebook {
            policy: candidate.policy.clone(),
            digest: candidate.digest,
            zone: Arc::new(candidate.zone.clone()),
        }),
    }
}

fn verifier(settings: &Settings, keys: &[Arc<IssuerKeys>], parts: &Parts) -> Verifier {
    let possession = Possession::new(
        settings.dpop.clone(),
        &parts.nonces,
        Arc::clone(&parts.state),
        Arc::clone(&parts.clock),
    );
    Verifier::new(
        keys.to_vec(),
        settings.grants.clone(),
        Arc::new(possession),
        Arc::clone(&parts.clock),
    )
    .keeping(regime(settings).claims())
}

/// A verifier as the gateway's own, for one look at a token.
pub(crate) fn lone_verifier(settings: &Settings) -> Result<Verifier, BuildError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let keys = issuer_keys(settings, &[], &clock)?;
    let state = Arc::new(MemoryState::since(clock.now()));
    let nonces = NonceKey::random()?;
    let possession = Possession::new(settings.dpop.clone(), &nonces, state, Arc::clone(&clock));
    Ok(Verifier::new(
        keys,
        settings.grants.clone(),
        Arc::new(possession),
        clock,
    ))
}

fn route(settings: &Settings, server: &Server, parts: &Parts) -> Result<Route, BuildError> {
    let name = &server.audience.server;
    let counters = parts.metrics.server(name)?;
    for tool in settings.policy.exact_tools(name.as_str()) {
        counters.learn_tool(tool);
    }
    let pins = match server.pins {
        Pins::Off => None,
        Pins::Warn | Pins::Block => Some(parts.pins.of_server(name)?),
    };
    Ok(Route {
        pins,
        audience: server.audience.clone(),
        demands: server.demands.clone(),
        outliving: server.outliving,
        answers: server.answers.clone(),
        upstream: UpstreamPeer::new(server)?,
        metrics: counters,
        metadata_url: route::metadata_url(settings, server),
        metadata: route::metadata(server, Certificates::of(settings)),
    })
}
