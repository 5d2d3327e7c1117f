//! The operator's log, on stderr. Never on stdout, and never the debug lines of pingora, which print credentials.

use std::io::{self, IsTerminal};

use thiserror::Error;
use tracing::subscriber::Subscriber;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{EnvFilter, FilterFn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For a reader.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why the log could not be set up.
#[derive(Debug, Error)]
pub enum LogError {
    /// The filter is not one.
    #[error("cannot read the log filter `{filter}`")]
    Filter {
        /// What was given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The process has a log already.
    #[error("the log is already set up")]
    Installed {
        /// What the library said.
        source: tracing_subscriber::util::TryInitError,
    },
}

/// Sets the log of this process up. `filter` is written as `RUST_LOG` is, such as `info,gatewright=debug`; empty means
/// `info`. Whatever it says, of pingora only warnings and errors are shown. What libraries say through the crate `log`
/// goes the same way.
///
/// # Errors
/// The filter cannot be read, or the process has a log already.
pub fn install(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let installed = match format {
        LogFormat::Text => text(filter, io::stderr)?.try_init(),
        LogFormat::Json => json(filter, io::stderr)?.try_init(),
    };
    installed.map_err(|source| LogError::Installed { source })
}

fn text<W: Writer>(filter: &str, writer: W) -> Result<impl Subscriber + Send + Sync, LogError> {
    let mut lines = tracing_subscriber::fmt::layer().with_writer(writer);
    // On a terminal the layer itself asks NO_COLOR.
    if !io::stderr().is_terminal() {
        lines = lines.with_ansi(false);
    }
    shown(filter, lines)
}

fn json<W: Writer>(filter: &str, writer: W) -> Result<impl Subscriber + Send + Sync, LogError> {
    shown(
        filter,
        tracing_subscriber::fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(writer),
    )
}

/// What a line is written to.
trait Writer: for<'a> MakeWriter<'a> + Send + Sync + 'static {}
impl<W: for<'a> MakeWriter<'a> + Send + Sync + 'static> Writer for W {}

type Filtered = tracing_subscriber::layer::Layered<
    FilterFn,
    tracing_subscriber::layer::Layered<EnvFilter, Registry>,
>;

fn shown<L>(filter: &str, lines: L) -> Result<impl Subscriber + Send + Sync, LogError>
where
    L: Layer<Filtered> + Send + Sync + 'static,
{
    let text = if filter.is_empty() { "info" } else { filter };
    let wanted = EnvFilter::builder().parse(text);
    let wanted = wanted.map_err(|source| LogError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    let cap: FilterFn = filter_fn(may_show);
    Ok(tracing_subscriber::registry()
        .with(wanted)
        .with(cap)
        .with(lines))
}

/// An error with all of its causes, the last one being what the system said.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

fn may_show(metadata: &Metadata<'_>) -> bool {
    let (target, level) = (metadata.target(), *metadata.level());
    let mut speakers = SPEAK_THROUGH_LOG.iter();
    if metadata.name() == LOG_RECORD && !speakers.any(|library| target.starts_with(library)) {
        return false;
    }
    !TALKATIVE.iter().any(|library| target.starts_with(library)) || level <= Level::WARN
}

/// Libraries whose news is not the operator's, or holds credentials.
const TALKATIVE: [&str; 2] = ["pingora", "rmcp"];
/// The name that tracing-log gives to what came through the crate `log`.
const LOG_RECORD: &str = "log record";
/// Libraries of which `log` is the only voice. The others would be heard twice: `tracing` repeats what they say there.
const SPEAK_THROUGH_LOG: [&str; 2] = ["pingora", "rustls"];

#[cfg(test)]
mod tests;
