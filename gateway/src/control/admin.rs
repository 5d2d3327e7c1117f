//! The admin socket: commands of whoever owns the process's files. A Unix socket of mode 0600, never a port.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as StdStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{UnixListener, UnixStream};

use crate::control::http::{self, Answer};
use crate::control::{pins, shadow, subjects};

/// What the admin socket can do.
#[async_trait]
pub trait Commands: Send + Sync + 'static {
    /// Reads the configuration again, for the user id at the other end of the socket; all of it takes effect, or the
    /// text says why nothing did.
    async fn reload(&self, uid: Option<u32>) -> Result<Value, String>;
    /// What is being served.
    fn status(&self) -> Value;
    /// What a policy without effect would have decided otherwise.
    fn shadow(&self) -> Value;
    /// Begins or ends to ask a second policy without effect.
    async fn try_policy(&self, ask: shadow::Ask) -> Result<Value, String>;
    /// Shows or moves pins, for the user id at the other end of the socket, if the system told it.
    async fn pins(&self, ask: pins::Ask, uid: Option<u32>) -> Result<Value, String>;
    /// Makes a new checkpoint key, for the user id at the other end of the socket, if the system told it.
    async fn rotate_key(&self, uid: Option<u32>) -> Result<Value, String>;
    /// Takes a person out of the book of names, for that user id.
    async fn erase(&self, erase: subjects::Erase, uid: Option<u32>) -> Result<Value, String>;
}

/// Makes the socket. One that nobody listens on any more is replaced.
///
/// # Errors
/// When another gateway listens on it, or the folder does not allow it.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if StdStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another gateway listens on it",
            ));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Accepts until the task is dropped.
pub async fn serve(listener: UnixListener, commands: Arc<dyn Commands>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                let uid = socket.peer_cred().ok().map(|peer| peer.uid());
                let commands = Arc::clone(&commands);
                let handler = move |request: Request<Incoming>| {
                    let commands = Arc::clone(&commands);
                    async move { answer(&request, &*commands, uid).await }
                };
                drop(tokio::spawn(http::serve(socket, Arc::new(handler))));
            }
            // No descriptor is left: asking again at once would not find one.
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// How long to rest when the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(50);

async fn answer<B: Sync>(
    request: &Request<B>,
    commands: &dyn Commands,
    uid: Option<u32>,
) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    if let Some(ask) = shadow::Ask::read(request.method(), request.uri().path(), query) {
        return match ask {
            Ok(ask) => told(commands.try_policy(ask).await),
            Err(fault) => http::text(StatusCode::BAD_REQUEST, fault.to_string()),
        };
    }
    if let Some(ask) = pins::Ask::read(request.method(), request.uri().path(), query) {
        return match ask {
            Ok(ask) => told(commands.pins(ask, uid).await),
            Err(fault) => http::text(StatusCode::BAD_REQUEST, fault.to_string()),
        };
    }
    if let Some(erase) = subjects::Erase::read(request.method(), request.uri().path(), query) {
        return match erase {
            Ok(erase) => told(commands.erase(erase, uid).await),
            Err(fault) => http::text(StatusCode::BAD_REQUEST, fault.to_string()),
        };
    }
    plain(request, commands, uid).await
}

/// The commands without anything to read.
async fn plain<B: Sync>(request: &Request<B>, commands: &dyn Commands, uid: Option<u32>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/reload") => match commands.reload(uid).await {
            Ok(done) => json(&done),
            Err(why) => http::text(StatusCode::UNPROCESSABLE_ENTITY, why),
        },
        (&Method::GET, "/status") => json(&commands.status()),
        (&Method::GET, "/shadow") => json(&commands.shadow()),
        (&Method::POST, "/audit/rotate-key") => told(commands.rotate_key(uid).await),
        _ => http::text(
            StatusCode::NOT_FOUND,
            "here are POST /reload, GET /status, GET /shadow, POST /shadow/start, POST /shadow/stop, POST /audit/rotate-key, GET /pins, GET /pins/diff, POST /pins/approve and POST /subjects/erase\n",
        ),
    }
}

fn told(outcome: Result<Value, String>) -> Answer {
    match outcome {
        Ok(done) => json(&done),
        Err(why) => http::text(StatusCode::CONFLICT, why),
    }
}

fn json(value: &Value) -> Answer {
    http::with_type(StatusCode::OK, "application/json", value.to_string())
}

/// Why a command did not reach a running gateway, or was refused there.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Nobody answers on the socket.
    #[error("no gateway answers on `{path}`: {cause}")]
    Unreachable {
        /// The socket.
        path: String,
        /// What went wrong.
        cause: String,
    },
    /// The gateway said no.
    #[error("{0}")]
    Refused(String),
}

/// Sends one command to the gateway at `path`.
///
/// # Errors
/// [`CommandError`].
pub async fn command(path: &Path, method: Method, target: &str) -> Result<String, CommandError> {
    let unreachable = |cause: String| CommandError::Unreachable {
        path: path.display().to_string(),
        cause,
    };
    let stream = UnixStream::connect(path)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(hyper::header::HOST, "gatewright")
        .body(http_body_util::Empty::<Bytes>::new())
        .map_err(|error| unreachable(error.to_string()))?;
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let status = answer.status();
    let body = answer
        .into_body()
        .collect()
        .await
        .map_err(|error| unreachable(error.to_string()))?;
    let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    if status.is_success() {
        Ok(text)
    } else {
        Err(CommandError::Refused(text))
    }
}
