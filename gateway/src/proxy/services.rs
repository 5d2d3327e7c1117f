//! Everything one generation of the configuration serves with. Swapped whole on reload.

use std::sync::Arc;

use ipnet::IpNet;

use crate::audit::Ledger;
use crate::config::{ArgumentsRecord, Limits};
use crate::decision::circumstance::InForce;
use crate::decision::{Disagreements, Regime};
use crate::identity::Verifier;
use crate::live::Reign;
use crate::model::Clock;
use crate::proxy::floods::Floods;
use crate::proxy::load::Load;
use crate::proxy::origin::Origins;
use crate::proxy::route::Routes;
use crate::proxy::session::Sessions;
use crate::proxy::tasks::Tasks;
use crate::proxy::throttle::Throttle;
use crate::state::SharedState;
use crate::telemetry::Metrics;

/// What a request is served with, from its first byte to its last.
pub struct Services {
    /// The paths.
    pub routes: Routes,
    /// Which origins and hosts may speak.
    pub origins: Origins,
    /// Who is calling.
    pub verifier: Verifier,
    /// What each role may do, and with which effect.
    pub regime: Regime,
    /// Where budgets are kept. Outlives a reload.
    pub state: Arc<dyn SharedState>,
    /// What a policy without effect would have decided otherwise. Outlives a reload.
    pub disagreements: Arc<Disagreements>,
    /// The record.
    pub ledger: Ledger,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who owns which session. Outlives a reload.
    pub sessions: Arc<Sessions>,
    /// Who owns which task. Outlives a reload.
    pub tasks: Arc<Tasks>,
    /// How many attempts to authenticate failed. Outlives a reload.
    pub throttle: Arc<Throttle>,
    /// How many refusals have no record of their own. Outlives a reload.
    pub floods: Arc<Floods>,
    /// How many bytes of bodies are held. Outlives a reload.
    pub load: Load,
    /// The proxies whose `Client-Cert` is believed.
    pub client_cert_from: Vec<IpNet>,
    /// Upper bounds.
    pub limits: Limits,
    /// The HTTP status of a policy denial, when the configuration sets one.
    pub deny_http_status: Option<u16>,
    /// Whether argument digests go into records.
    pub arguments: ArgumentsRecord,
    /// Digests of what is in force.
    pub in_force: InForce,
    /// How long its policy is. Outlives a reload that leaves the policy as it is.
    pub reign: Arc<Reign>,
}
