//! All sinks of one gateway: made from checked settings, started, and stopped with a last bounded attempt.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::courier::{Courier, Report, Tiding};
use super::cursor::{CursorFile, Found, settle};
use super::http::Http;
use super::nats::Nats;
use super::otlp::Otlp;
use super::pace::Pace;
use super::settings::{Bounds, SinkKind, SinkSettings};
use super::shipper::Shipper;
use super::standing::SinkStanding;
use super::stdout::Stdout;
use super::tail::Tail;
use crate::audit::sealing::Head;
use crate::model::Clock;

/// A sink cannot be prepared.
#[derive(Debug, Error)]
#[error("cannot prepare the audit sink `{sink}`: {cause}")]
pub struct NoShipper {
    sink: Box<str>,
    cause: String,
}

/// Where the ledger is and how far it is written.
pub(crate) struct Source {
    /// Its directory, which holds the cursors too, and then where it spills to.
    pub(crate) directories: Vec<PathBuf>,
    /// What is written.
    pub(crate) written: watch::Receiver<Head>,
}

/// The sinks of a gateway that serves.
pub(crate) struct Shipping {
    standings: Vec<Arc<SinkStanding>>,
    couriers: Vec<Courier>,
    tasks: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
}

impl Shipping {
    /// Prepares every sink; nothing is shipped before [`Shipping::start`].
    ///
    /// # Errors
    /// The client of a sink cannot be built.
    pub(crate) fn new(
        sinks: &[SinkSettings],
        source: &Source,
        clock: &Arc<dyn Clock>,
        report: &Report,
    ) -> Result<Self, NoShipper> {
        let names: Vec<_> = sinks.iter().map(|sink| &*sink.name).collect();
        let settled = source.directories.first().map(|home| settle(home, &names));
        if let Some(Err(error)) = settled {
            for name in &names {
                report(name, &Tiding::CursorUnwritable(&error));
            }
        }
        let (stop, stopping) = watch::channel(false);
        let prepare = |sink: &SinkSettings| courier(sink, source, &stopping, (clock, report));
        let couriers = sinks.iter().map(prepare).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            standings: couriers
                .iter()
                .map(|courier| Arc::clone(&courier.standing))
                .collect(),
            couriers,
            tasks: Vec::new(),
            stop,
        })
    }

    /// How the sinks stand.
    pub(crate) fn standings(&self) -> Vec<Arc<SinkStanding>> {
        self.standings.clone()
    }

    /// Ships from now on, each sink in a task of its own.
    pub(crate) fn start(&mut self) {
        let couriers = self.couriers.drain(..);
        self.tasks
            .extend(couriers.map(|courier| tokio::spawn(courier.run())));
    }

    /// Tries to ship what is left, each sink once more and all of them within `bound`. What stays behind is shipped
    /// after the next start.
    pub(crate) async fn finish(mut self, bound: Duration) {
        let _ = self.stop.send(true);
        let ended = async {
            for task in &mut self.tasks {
                let _ = task.await;
            }
        };
        let _ = tokio::time::timeout(bound, ended).await;
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn courier(
    sink: &SinkSettings,
    source: &Source,
    stop: &watch::Receiver<bool>,
    (clock, report): (&Arc<dyn Clock>, &Report),
) -> Result<Courier, NoShipper> {
    let failed = |cause: String| NoShipper {
        sink: sink.name.clone(),
        cause,
    };
    let (shipper, kind, bounds): (Box<dyn Shipper>, _, _) = match &sink.kind {
        SinkKind::Stdout => (
            Box::new(Stdout::new().map_err(|error| failed(error.to_string()))?),
            "stdout",
            STDOUT,
        ),
        SinkKind::Http(http) => (
            Box::new(Http::new(http).map_err(failed)?),
            "http",
            http.batch,
        ),
        SinkKind::Nats(nats) => (
            Box::new(Nats::new(nats).map_err(failed)?),
            "nats",
            nats.batch,
        ),
        SinkKind::Otlp(http) => (
            Box::new(Otlp::new(http).map_err(failed)?),
            "otlp",
            http.batch,
        ),
    };
    let home = source.directories.first().cloned().unwrap_or_default();
    let cursor = CursorFile::of(&home, &sink.name);
    let place = match cursor.load() {
        Found::Place(place) => Some(place).filter(|place| place.seq > 0),
        Found::Nothing => None,
        Found::Unreadable(error) => {
            report(&sink.name, &Tiding::CursorUnreadable(&error));
            None
        }
    };
    let acknowledged = place.as_ref().map_or(0, |place| place.seq);
    Ok(Courier {
        shipper,
        tail: Tail::new(source.directories.clone(), place),
        bounds,
        cursor,
        standing: Arc::new(SinkStanding::new(&sink.name, kind, acknowledged)),
        written: source.written.clone(),
        stop: stop.clone(),
        pace: Pace::default(),
        clock: Arc::clone(clock),
        report: Arc::clone(report),
    })
}

/// What is written to the standard output at once: a pipe holds 64 KiB.
const STDOUT: Bounds = Bounds {
    lines: 500,
    bytes: 64 << 10,
};
