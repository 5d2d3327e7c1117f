//! Watches what requests tell of principals, and puts what is unusual on record and into the metrics. Never on the path of
//! a request.

use std::sync::Arc;

use tokio::sync::mpsc::Receiver;

use super::Shared;
use crate::anomaly::{Finding, Learner, Observation};
use crate::decision::{Request, anomaly};
use crate::identity::Principal;
use crate::telemetry::logs::chain;

/// Learns from everything that comes, for as long as the gateway runs.
pub(super) async fn watch(shared: Arc<Shared>, mut told: Receiver<Observation>) {
    let settings = shared.settings.load().recording.anomalies.clone();
    let mut learner = Learner::new(settings);
    while let Some(observation) = told.recv().await {
        match observation {
            Observation::Decided(decided) => {
                for finding in learner.decided(&decided) {
                    shared.found(&finding, &decided.principal, &decided.request);
                }
            }
            Observation::Ended(ended) => {
                if let Some((finding, principal, request)) = learner.ended(&ended) {
                    shared.found(&finding, &principal, &request);
                }
            }
        }
    }
}

impl Shared {
    fn found(&self, finding: &Finding, principal: &Arc<Principal>, request: &Request) {
        let services = self.services.load();
        let server = request.server.as_ref();
        if let Some(Ok(metrics)) = server.map(|server| self.parts.metrics.server(server)) {
            metrics.anomaly(finding.kind);
        }
        let (ledger, about) = (&self.parts.ledger, (request, principal));
        let recorded = anomaly::record(ledger, &services.in_force, about, finding.anomaly());
        match recorded {
            Ok(()) => tracing::info!(
                kind = finding.kind.name(),
                request_id = &*request.id,
                "something unusual: the record says about whom"
            ),
            Err(error) => tracing::error!(
                kind = finding.kind.name(),
                request_id = &*request.id,
                error = chain(&error),
                "something unusual could not be recorded"
            ),
        }
    }
}
