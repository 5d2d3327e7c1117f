//! Connections that call, one after the other each, and the ledger that they wait for.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatewright::audit::event::Kind;
use gatewright::audit::settings::{Durability, LedgerSettings};
use gatewright::audit::{Ledger, Voice};
use gatewright::model::{Digest, SystemClock};

use crate::sample::record;
use crate::{Contender, Failure};

/// What came of one contender in one round.
pub(crate) struct Run {
    pub(crate) calls_per_second: f64,
    /// How long half of the calls waited at most for their decision.
    pub(crate) half: Duration,
    /// How long 99 of 100 waited at most.
    pub(crate) most: Duration,
}

/// Lets `contender` call for `time`.
pub(crate) fn run(folder: &Path, contender: Contender, time: Duration) -> Result<Run, Failure> {
    let folder = tempfile::tempdir_in(folder)?;
    let ledger = match contender.durability {
        Some(durability) => Some(open(folder.path(), durability)?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let began = Instant::now();
    let waits = runtime.block_on(async {
        let connections: Vec<_> = (0..contender.connections)
            .map(|_| tokio::spawn(connection(ledger.clone(), began + time)))
            .collect();
        let mut waits = Vec::new();
        for connection in connections {
            waits.extend(connection.await.map_err(|error| error.to_string())??);
        }
        Ok::<_, String>(waits)
    })?;
    let elapsed = began.elapsed();
    if let Some(ledger) = ledger {
        ledger.flush_and_close();
    }
    Ok(figures(waits, elapsed))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "there are fewer calls than a float can count"
)]
fn figures(mut waits: Vec<Duration>, elapsed: Duration) -> Run {
    waits.sort_unstable();
    let at = |index: usize| waits.get(index).copied().unwrap_or_default();
    Run {
        calls_per_second: waits.len() as f64 / elapsed.as_secs_f64(),
        half: at(waits.len() / 2),
        most: at(waits.len() * 99 / 100),
    }
}

/// Calls until `end`; how long each waited for its decision.
async fn connection(ledger: Option<Ledger>, end: Instant) -> Result<Vec<Duration>, String> {
    let mut waits = Vec::new();
    while Instant::now() < end {
        work();
        let Some(ledger) = &ledger else {
            waits.push(Duration::ZERO);
            tokio::task::yield_now().await;
            continue;
        };
        let before = Instant::now();
        let decision = record(ledger, Kind::Decision);
        let kept = ledger.append(&decision).await;
        kept.map_err(|error| error.to_string())?;
        waits.push(before.elapsed());
        let outcome = record(ledger, Kind::Outcome);
        let taken = ledger.append_later(&outcome);
        taken.map_err(|error| error.to_string())?;
    }
    Ok(waits)
}

/// As much as the proxy does for a call.
fn work() {
    let began = Instant::now();
    while began.elapsed() < WORK {
        std::hint::black_box(Digest::of(&[7; 512]));
    }
}

fn open(folder: &Path, durability: Durability) -> Result<Ledger, Failure> {
    let settings = LedgerSettings {
        durability,
        ..LedgerSettings::new(folder.join("audit"))
    };
    let voice = Voice {
        instance: "bench".into(),
        configuration: Digest::of(b"bench"),
        clock: Arc::new(SystemClock),
    };
    Ok(Ledger::open(&settings, voice)?)
}

const WORK: Duration = Duration::from_micros(30);
