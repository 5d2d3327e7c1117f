//! Brings records from the ledger to where the configuration says, and tells the log how that goes.

use std::sync::Arc;
use std::time::Duration;

use crate::audit::ship::{self, NoShipper, Report, Shipping, Source, Standing, Tiding};
use crate::config::Settings;
use crate::model::{Clock, SystemClock};
use crate::telemetry::metrics::{MetricError, Metrics, SinkCounts};

/// How long a gateway that stops still tries to ship what is there.
pub(super) const LAST: Duration = Duration::from_secs(5);

/// The sinks of `settings`, ready to start.
pub(super) fn prepare(settings: &Settings) -> Result<Shipping, NoShipper> {
    let directories = vec![settings.audit.directory.clone()];
    let source = Source {
        written: ship::heads::watch(directories.clone()),
        directories,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let report: Report = Arc::new(tell);
    Shipping::new(&settings.audit_ship, &source, &clock, &report)
}

/// Sets up what is counted of each sink at 0.
pub(super) fn register(metrics: &Metrics, sinks: &[Arc<Standing>]) -> Result<(), MetricError> {
    sinks
        .iter()
        .try_for_each(|sink| metrics.sink(&counts(sink, 0)))
}

/// What is counted of `sink` when the ledger is written up to `head`.
pub(super) fn counts(sink: &Standing, head: u64) -> SinkCounts<'_> {
    SinkCounts {
        sink: sink.name(),
        shipped: sink.shipped(),
        rejected: sink.rejected(),
        waiting: sink.waiting(head),
        last_success: sink.last_success(),
        failures: sink
            .failures()
            .map(|(kind, count)| (kind.name(), count))
            .collect(),
    }
}

/// What `status` says of `sink`.
pub(super) fn shown(sink: &Standing, head: u64) -> serde_json::Value {
    serde_json::json!({
        "name": sink.name(),
        "kind": sink.kind(),
        "waiting": sink.waiting(head),
        "last_success": sink.last_success().map(|at| at.to_string()),
        "trouble": sink.trouble().map(|kind| kind.name()),
    })
}

fn tell(sink: &str, tiding: Tiding<'_>) {
    match tiding {
        Tiding::Failed { error, pause } => tracing::error!(
            sink,
            %error,
            next_attempt = ?pause,
            "audit records cannot be shipped; they stay in the ledger"
        ),
        Tiding::Recovered(kind) => {
            tracing::info!(sink, after = kind.name(), "audit records are shipped again");
        }
        Tiding::Rejected(count) => {
            tracing::error!(sink, count, "the destination threw audit records away");
        }
        Tiding::CursorUnreadable(error) => {
            tracing::warn!(sink, %error, "the cursor cannot be read: everything is shipped again");
        }
        Tiding::CursorUnwritable(error) => {
            tracing::warn!(sink, %error, "the cursor cannot be written");
        }
    }
}
