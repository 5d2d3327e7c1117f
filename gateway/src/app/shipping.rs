//! Brings records from the ledger to where the configuration says, and tells the log, the metrics and `status` how that
//! goes.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::audit::Ledger;
use crate::audit::sealing::Head;
use crate::audit::ship::{FailureKind, NoShipper, Report, Shipping, SinkStanding, Source, Tiding};
use crate::config::Settings;
use crate::model::Clock;
use crate::telemetry::metrics::{MetricError, Metrics, SinkCounts};

/// The sinks of a gateway.
pub(crate) struct Sinks {
    standings: Vec<Arc<SinkStanding>>,
    /// How far the ledger is written.
    written: watch::Receiver<Head>,
    /// Until it is stopped.
    shipping: Mutex<Option<Shipping>>,
}

impl Sinks {
    /// Those of `settings`. Nothing is shipped before [`Sinks::start`].
    pub(super) fn new(
        settings: &Settings,
        ledger: &Ledger,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, NoShipper> {
        let directories = settings.audit.directories();
        let source = Source {
            written: ledger.written(),
            directories: directories.map(Path::to_path_buf).collect(),
        };
        let report: Report = Arc::new(tell);
        let shipping = Shipping::new(&settings.audit_ship, &source, clock, &report)?;
        Ok(Self {
            standings: shipping.standings(),
            written: source.written,
            shipping: Mutex::new(Some(shipping)),
        })
    }

    /// Ships from now on.
    pub(super) fn start(&self) {
        let mut shipping = self.shipping.lock().unwrap_or_else(PoisonError::into_inner);
        shipping.iter_mut().for_each(Shipping::start);
    }

    /// Ships what is left, for a moment. Nothing is shipped afterwards.
    pub(super) async fn finish(&self) {
        let shipping = self
            .shipping
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(shipping) = shipping {
            shipping.finish(LAST).await;
        }
    }

    /// Brings `metrics` up to date; the first time that sets everything up at 0.
    pub(super) fn count(&self, metrics: &Metrics) -> Result<(), MetricError> {
        let head = self.written.borrow().seq;
        let mut sinks = self.standings.iter();
        sinks.try_for_each(|sink| metrics.sink(&counts(sink, head)))
    }

    /// What `status` says of each.
    pub(super) fn shown(&self) -> Vec<Value> {
        let head = self.written.borrow().seq;
        let shown = |sink: &Arc<SinkStanding>| {
            json!({
                "name": sink.name(),
                "kind": sink.kind(),
                "waiting": sink.waiting(head),
                "last_success": sink.last_success().map(|at| at.to_string()),
                "trouble": sink.trouble().map(FailureKind::name),
            })
        };
        self.standings.iter().map(shown).collect()
    }
}

fn counts(sink: &SinkStanding, head: u64) -> SinkCounts<'_> {
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

fn tell(sink: &str, tiding: &Tiding<'_>) {
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
        Tiding::Missing { first, last } => tracing::error!(
            sink,
            first,
            last,
            "records are missing in the ledger and were never shipped"
        ),
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

/// How long a gateway that stops still tries to ship what is there.
const LAST: Duration = Duration::from_secs(5);
