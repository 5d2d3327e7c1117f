//! What the configuration says about sinks. Checked values only; of secrets the places, never the secrets.

use std::path::PathBuf;
use std::time::Duration;

/// One place that records are brought to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkSettings {
    /// Its name in metrics, in `status` and in the name of its cursor: `a-z 0-9 _ -`, unique, not `ledger`.
    pub name: Box<str>,
    /// What it is.
    pub kind: SinkKind,
}

/// The kinds of sinks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkKind {
    /// The standard output of this process.
    Stdout,
    /// A collector that takes JSON lines by POST.
    Http(HttpSettings),
    /// A stream of NATS JetStream.
    Nats(NatsSettings),
    /// A collector of OTLP logs over HTTP, in the JSON encoding.
    Otlp(HttpSettings),
}

/// How a collector is reached by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where batches are sent to, whole.
    pub url: String,
    /// A file with a bearer token; read for each request, so that it may change.
    pub token_file: Option<PathBuf>,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How much one request holds.
    pub batch: Bounds,
}

/// How a stream is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatsSettings {
    /// The server: `nats://` or `tls://`.
    pub url: String,
    /// The stream that must take the records.
    pub stream: String,
    /// The subject that they are published to.
    pub subject: String,
    /// What happens when there is no such stream.
    pub missing: MissingStream,
    /// A `.creds` file: a user's JWT and seed.
    pub credentials_file: Option<PathBuf>,
    /// A file with the server's token.
    pub token_file: Option<PathBuf>,
    /// PEM certificates to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// How long a connection, and how long the acknowledgements of a batch, may take.
    pub timeout: Duration,
    /// How much may be on its way without an acknowledgement.
    pub batch: Bounds,
}

/// What happens when the named stream does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingStream {
    /// Nothing is published until somebody makes it.
    Waited,
    /// It is made, so that nobody can delete a record or purge it.
    Made,
}

/// How much is brought at once: at least one record, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Records.
    pub lines: usize,
    /// Bytes of their lines.
    pub bytes: usize,
}
