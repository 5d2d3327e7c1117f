//! One connection to a NATS server, never mended: when it breaks, whatever it still holds goes with it. The client
//! would otherwise connect again by itself and send the later half of a batch before the earlier one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{ConnectErrorKind, ConnectOptions, Event};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use super::stream;
use crate::audit::ship::settings::NatsSettings;
use crate::audit::ship::shipper::ShipError;

/// A connection that was good when it was made, to a server that has the stream.
pub(super) struct Link {
    pub(super) context: Context,
    is_broken: watch::Receiver<bool>,
    /// Where the client's own tasks live. Whoever drops it ends them.
    runtime: Option<Runtime>,
}

impl Link {
    /// Connects, and looks for the stream.
    pub(super) async fn open(
        settings: &NatsSettings,
        tls: Option<&rustls::ClientConfig>,
    ) -> Result<Self, ShipError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("audit-nats")
            .enable_all()
            .build()
            .map_err(|error| ShipError::Unreachable(error.to_string()))?;
        let runtime = Leftover(Some(runtime));
        let (broke, is_broken) = watch::channel(false);
        let options = options(settings, tls, broke).await?;
        let (url, timeout, most) = (settings.url.clone(), settings.timeout, settings.batch.lines);
        let connecting = async move {
            let client = options.connect(url).await?;
            let builder = ContextBuilder::new().timeout(timeout).ack_timeout(timeout);
            Ok(builder
                .max_ack_inflight(most)
                .backpressure_on_inflight(true)
                .build(client))
        };
        let connected = runtime.spawn(connecting).await;
        let context = match connected {
            Ok(Ok(context)) => context,
            Ok(Err(error)) => return Err(unconnected(&error, timeout)),
            Err(()) => return Err(ShipError::Unreachable("the client is gone".to_owned())),
        };
        stream::find(&context, settings).await?;
        Ok(Self {
            context,
            is_broken,
            runtime: runtime.keep(),
        })
    }

    /// Resolves when the connection is no more.
    pub(super) fn broken(&mut self) -> impl Future<Output = ()> + 'static {
        let mut is_broken = self.is_broken.clone();
        async move {
            let _ = is_broken.wait_for(|broken| *broken).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A runtime that goes without waiting, also when the connection does not come about.
struct Leftover(Option<Runtime>);

impl Leftover {
    fn keep(mut self) -> Option<Runtime> {
        self.0.take()
    }

    async fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, ()> {
        match &self.0 {
            Some(runtime) => runtime.spawn(work).await.map_err(drop),
            None => Err(()),
        }
    }
}

impl Drop for Leftover {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

async fn options(
    settings: &NatsSettings,
    tls: Option<&rustls::ClientConfig>,
    broke: watch::Sender<bool>,
) -> Result<ConnectOptions, ShipError> {
    let first = AtomicBool::new(true);
    let broke = Arc::new(broke);
    let mut options = ConnectOptions::new()
        .name("gatewright")
        .connection_timeout(settings.timeout)
        .ignore_discovered_servers()
        .reconnect_delay_callback(move |_| {
            if first.swap(false, Ordering::Relaxed) {
                Duration::ZERO
            } else {
                NEVER
            }
        })
        .event_callback(move |event| {
            let broke = Arc::clone(&broke);
            async move {
                if matches!(event, Event::Disconnected | Event::Closed) {
                    broke.send_replace(true);
                }
            }
        });
    if let Some(path) = &settings.credentials_file {
        options = options
            .credentials_file(path)
            .await
            .map_err(|error| unreadable("credentials", error.kind()))?;
    }
    if let Some(path) = &settings.token_file {
        let token = tokio::fs::read_to_string(path)
            .await
            .map_err(|error| unreadable("token", error.kind()))?;
        options = options.token(token.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Some(tls) = tls {
        options = options.tls_client_config(tls.clone()).require_tls(true);
    }
    Ok(options)
}

fn unreadable(what: &str, kind: std::io::ErrorKind) -> ShipError {
    ShipError::Unreadable(format!("the {what} file: {kind}"))
}

fn unconnected(error: &async_nats::ConnectError, timeout: Duration) -> ShipError {
    match error.kind() {
        ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
            ShipError::Refused("the credentials are not accepted".to_owned())
        }
        ConnectErrorKind::TimedOut => ShipError::TimedOut(timeout),
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Dns
        | ConnectErrorKind::Tls
        | ConnectErrorKind::Io
        | ConnectErrorKind::MaxReconnects => ShipError::Unreachable(last_cause(error)),
    }
}

/// The innermost of the causes.
pub(super) fn last_cause(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

/// TLS that trusts the certificates in the file at `path` and no others.
pub(super) fn trusting(path: &Path) -> Result<rustls::ClientConfig, String> {
    // Whoever was first has installed this very one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut roots = rustls::RootCertStore::empty();
    let found = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    for certificate in found {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() {
        return Err("the `ca_file` holds no certificate".to_owned());
    }
    Ok(rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// Longer than any link is kept once it is broken.
const NEVER: Duration = Duration::from_secs(86_400);
