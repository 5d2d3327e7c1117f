//! Every metric of the gateway, in a registry of its own. Never a subject, a client, a token or an argument in a label.

mod labels;
mod registry;
mod server;
mod sinks;
mod table;
mod tools;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge, IntGaugeVec, TextEncoder};
use thiserror::Error;

use crate::audit::Standing;
use crate::model::{Reason, ServerName, UnixTime};
use registry::Families;

pub use labels::{Challenge, Ending, Scheme, Unwelcome};
pub use server::ServerMetrics;
pub use sinks::SinkCounts;
pub use table::{METRICS, MetricKind, MetricRow};

/// A metric could not be set up: its row in the table is wrong.
#[derive(Debug, Error)]
#[error("cannot set up the metric `{name}`")]
pub struct MetricError {
    name: &'static str,
    source: prometheus::Error,
}

/// The metrics of one gateway.
#[derive(Debug)]
pub struct Metrics {
    families: Families,
    servers: RwLock<HashMap<ServerName, Arc<ServerMetrics>>>,
    decision_duration: Histogram,
    refused: Vec<(Reason, IntCounter)>,
    connections: IntGauge,
    turned_away: Vec<(Unwelcome, IntCounter)>,
    audit: Audit,
    keys: IntGaugeVec,
    sunsets: IntGaugeVec,
    reload: IntGauge,
    unwatched: IntCounter,
}

#[derive(Debug)]
struct Audit {
    written: IntCounter,
    failed: IntCounter,
    lost: IntCounter,
    unrecorded: IntCounter,
    queue: IntGauge,
    checkpoint: IntGauge,
    standings: Vec<(Standing, IntGauge)>,
}

impl Metrics {
    /// Sets up every row of [`METRICS`], with each label set that is known now at 0.
    ///
    /// # Errors
    /// A row of the table is wrong.
    pub fn new(servers: &[ServerName], issuers: &[String]) -> Result<Self, MetricError> {
        let families = Families::new()?;
        let build = families.gauge(&table::BUILD_INFO)?;
        registry::resolve(&table::BUILD_INFO, &build, &[env!("CARGO_PKG_VERSION")])?.set(1);
        let metrics = Self {
            servers: RwLock::default(),
            decision_duration: families.decision_duration()?,
            refused: families.refused()?,
            connections: registry::resolve(
                &table::CONNECTIONS,
                &families.gauge(&table::CONNECTIONS)?,
                &[],
            )?,
            turned_away: families.turned_away()?,
            audit: Audit::new(&families)?,
            keys: families.gauge(&table::JWKS_LAST_SUCCESS)?,
            sunsets: families.gauge(&table::API_KEY_SUNSET)?,
            unwatched: registry::resolve(
                &table::UNWATCHED,
                &families.counter(&table::UNWATCHED)?,
                &[],
            )?,
            reload: registry::resolve(&table::RELOAD, &families.gauge(&table::RELOAD)?, &[])?,
            families,
        };
        for server in servers {
            metrics.server(server)?;
        }
        for issuer in issuers {
            metrics.issuer(issuer)?;
        }
        Ok(metrics)
    }

    /// The metrics of `server`, set up at 0 when it is new. To be held by whoever serves it.
    ///
    /// # Errors
    /// A row of the table is wrong.
    pub fn server(&self, server: &ServerName) -> Result<Arc<ServerMetrics>, MetricError> {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = servers.get(server) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(ServerMetrics::new(&self.families, server)?);
        servers.insert(server.clone(), Arc::clone(&new));
        Ok(new)
    }

    /// Sets `issuer` up at 0: its keys were never had.
    ///
    /// # Errors
    /// A row of the table is wrong.
    pub fn issuer(&self, issuer: &str) -> Result<(), MetricError> {
        registry::resolve(&table::JWKS_LAST_SUCCESS, &self.keys, &[issuer]).map(drop)
    }

    /// The keys of `issuer` were fetched at `at`.
    pub fn keys_fetched(&self, issuer: &str, at: UnixTime) {
        if let Ok(gauge) = self.keys.get_metric_with_label_values(&[issuer]) {
            gauge.set(i64::try_from(at.seconds()).unwrap_or(i64::MAX));
        }
    }

    /// When the API keys of each server end that takes any.
    pub fn api_keys_end(&self, sunsets: &[(&ServerName, UnixTime)]) {
        self.sunsets.reset();
        for (server, sunset) in sunsets {
            if let Ok(gauge) = self
                .sunsets
                .get_metric_with_label_values(&[server.as_str()])
            {
                gauge.set(i64::try_from(sunset.seconds()).unwrap_or(i64::MAX));
            }
        }
    }

    /// A request was refused before its server was known.
    pub fn refused(&self, reason: Reason) {
        labels::count(&self.refused, reason);
    }

    /// So many connections of agents are open.
    pub fn connections(&self, open: u32) {
        self.connections.set(open.into());
    }

    /// A connection was closed before a request was known.
    pub fn turned_away(&self, why: Unwelcome) {
        if let Some((_, counter)) = self.turned_away.iter().find(|(known, _)| *known == why) {
            counter.inc();
        }
    }

    /// A decision took `time`.
    pub fn decided(&self, time: Duration) {
        self.decision_duration.observe(time.as_secs_f64());
    }

    /// The ledger refused a record.
    pub fn audit_failed(&self) {
        self.audit.failed.inc();
    }

    /// What the ledger says of itself: the bytes that wait, and how many records it lost since its start.
    pub fn audit_state(&self, queue_bytes: usize, taken: u64, lost: u64) {
        self.audit
            .written
            .inc_by(taken.saturating_sub(self.audit.written.get()));
        self.audit
            .queue
            .set(i64::try_from(queue_bytes).unwrap_or(i64::MAX));
        self.audit
            .lost
            .inc_by(lost.saturating_sub(self.audit.lost.get()));
    }

    /// The last checkpoint that is in its second place was signed at `at`.
    pub fn audit_sealed(&self, at: UnixTime) {
        let seconds = i64::try_from(at.seconds()).unwrap_or(i64::MAX);
        self.audit.checkpoint.set(seconds);
    }

    /// What the ledger does with a record now, and how many requests passed since its start without one.
    pub fn audit_standing(&self, standing: Standing, unrecorded: u64) {
        for (one, gauge) in &self.audit.standings {
            gauge.set(i64::from(*one == standing));
        }
        let unrecorded = unrecorded.saturating_sub(self.audit.unrecorded.get());
        self.audit.unrecorded.inc_by(unrecorded);
    }

    /// So many requests since the start were not looked at for what is unusual.
    pub fn unwatched(&self, dropped: u64) {
        self.unwatched
            .inc_by(dropped.saturating_sub(self.unwatched.get()));
    }

    /// The configuration in force is the one on the disk.
    pub fn reload_succeeded(&self) {
        self.reload.set(1);
    }

    /// The configuration on the disk could not be taken.
    pub fn reload_failed(&self) {
        self.reload.set(0);
    }

    /// Everything in the text format of Prometheus, version 0.0.4.
    pub fn render(&self) -> String {
        // Fails only for a family without a name or without samples; the registry hands out neither.
        TextEncoder::new()
            .encode_to_string(&self.families.gather())
            .unwrap_or_default()
    }
}

impl Audit {
    fn new(families: &Families) -> Result<Self, MetricError> {
        let events = families.counter(&table::AUDIT_EVENTS)?;
        let queue = families.gauge(&table::AUDIT_QUEUE)?;
        let checkpoint = families.gauge(&table::AUDIT_CHECKPOINT)?;
        let standing = families.gauge(&table::AUDIT_STANDING)?;
        let standings = Standing::ALL.into_iter().map(|one| {
            let gauge = registry::resolve(&table::AUDIT_STANDING, &standing, &[one.as_str()])?;
            Ok((one, gauge))
        });
        let event = |result| registry::resolve(&table::AUDIT_EVENTS, &events, &["ledger", result]);
        Ok(Self {
            written: event("written")?,
            failed: event("failed")?,
            lost: event("lost")?,
            unrecorded: event("unrecorded")?,
            queue: registry::resolve(&table::AUDIT_QUEUE, &queue, &["ledger"])?,
            checkpoint: registry::resolve(&table::AUDIT_CHECKPOINT, &checkpoint, &[])?,
            standings: standings.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests;
