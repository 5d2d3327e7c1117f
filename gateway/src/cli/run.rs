//! `gatewright run`: serves until a signal says stop.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{FAILED, INVALID, check, complain, complain_of};
use crate::app::{self, Reread, Running};
use crate::config::{Colour, Settings, load, search};
use crate::telemetry::logs::{self, LogFormat};

/// The variable that sets what is logged, e.g. `gatewright=debug`.
const LOG_VARIABLE: &str = "GATEWRIGHT_LOG";

pub(super) fn run(config: Option<PathBuf>, colour: Colour) -> u8 {
    let path = match search::find(config, &search::process_environment) {
        Ok(path) => path,
        Err(nothing) => {
            complain(&format!("{nothing}\n  = help: name one with `--config`"));
            return INVALID;
        }
    };
    let settings = match load::load(&path, &search::process_environment) {
        Ok(settings) => settings,
        Err(mistakes) => {
            complain(&format!(
                "{} cannot be used\n\n{}",
                path.display(),
                mistakes.render(colour)
            ));
            return check::refused(&mistakes);
        }
    };
    install_logs();
    let Ok(runtime) = tokio::runtime::Runtime::new() else {
        complain(&"cannot start the runtime");
        return FAILED;
    };
    runtime.block_on(serve(settings, &path))
}

/// Text on a terminal, JSON lines otherwise.
pub(super) fn install_logs() {
    let format = if std::io::stderr().is_terminal() {
        LogFormat::Text
    } else {
        LogFormat::Json
    };
    let filter = search::process_environment(LOG_VARIABLE).unwrap_or_default();
    if let Err(error) = logs::install(format, &filter) {
        complain(&format!("{LOG_VARIABLE} is not used: {error}"));
    }
}

async fn serve(settings: Settings, path: &Path) -> u8 {
    for flag in &settings.insecure {
        tracing::warn!("{flag} is set: a check is switched off");
    }
    let signals = Signals::new();
    let ledger = settings.audit.directory.clone();
    let running = match app::start(settings, Some(reread(path))).await {
        Ok(running) => running,
        Err(error) => {
            complain_of(&error);
            return FAILED;
        }
    };
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        config = %path.display(),
        ledger = %ledger.display(),
        address = %running.address(),
        ops = running.ops().map(tracing::field::display),
        "serving"
    );
    match signals {
        Ok(signals) => until_stopped(running, signals).await,
        Err(error) => {
            complain(&format!("cannot listen for signals: {error}"));
            running.stop().await;
            FAILED
        }
    }
}

/// Reads the same file again, with the same environment.
fn reread(path: &Path) -> Reread {
    let path = path.to_owned();
    Arc::new(move || {
        load::load(&path, &search::process_environment)
            .map_err(|mistakes| mistakes.render(Colour::Off))
    })
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

async fn until_stopped(running: Running, mut signals: Signals) -> u8 {
    while signals.asks_for_reload().await {
        // What went wrong is logged where it happened; the old configuration goes on.
        let _ = running.reload().await;
    }
    tracing::info!("stopping");
    tokio::select! {
        () = running.stop() => {
            tracing::info!("stopped");
            0
        }
        // Whoever asks again does not want to wait.
        _ = signals.interrupt.recv() => FAILED,
        _ = signals.terminate.recv() => FAILED,
    }
}

impl Signals {
    /// Waits for the next signal; `false` when it says stop.
    async fn asks_for_reload(&mut self) -> bool {
        tokio::select! {
            _ = self.hangup.recv() => true,
            _ = self.terminate.recv() => false,
            _ = self.interrupt.recv() => false,
        }
    }
}
