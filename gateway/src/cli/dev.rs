//! `gatewright dev`: the main job with no configuration. Loopback only; the keys live as long as the process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};

use super::{FAILED, USAGE, complain, complain_of, run, say};
use crate::app;
use crate::audit::segments::{SegmentFile, Segments};
use crate::dev::{DevError, DevIssuer, DevRole, DevServer, Fronted, Plan};
use crate::model::SystemClock;

/// How long the printed tokens live.
const TOKEN_LIFETIME: Duration = Duration::from_secs(8 * 3600);
/// How often the audit stream is looked at.
const TAIL: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(super) struct Dev {
    /// Where agents connect; a loopback address.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Put the gateway in front of this MCP server instead of the embedded one.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Where the audit record goes; a new folder in the temporary one by default.
    #[arg(long, value_name = "FOLDER")]
    ledger: Option<PathBuf>,
}

pub(super) fn run(dev: &Dev) -> u8 {
    run::install_logs();
    let Ok(runtime) = tokio::runtime::Runtime::new() else {
        complain(&"cannot start the runtime");
        return FAILED;
    };
    match runtime.block_on(serve(dev)) {
        Ok(()) => 0,
        Err(error) => {
            complain_of(&error);
            error.code()
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Part(#[from] DevError),
    #[error(transparent)]
    Start(#[from] app::StartError),
    #[error("cannot read the audit record: {0}")]
    Ledger(#[from] std::io::Error),
}

impl Failed {
    /// What was asked for cannot be had, or it went wrong.
    const fn code(&self) -> u8 {
        match self {
            Self::Part(
                DevError::NotLoopback { .. }
                | DevError::PortMissing { .. }
                | DevError::Upstream { .. },
            ) => USAGE,
            Self::Part(_) | Self::Start(_) | Self::Ledger(_) => FAILED,
        }
    }
}

async fn serve(dev: &Dev) -> Result<(), Failed> {
    let issuer = DevIssuer::start(Arc::new(SystemClock)).await?;
    let own = std::env::temp_dir().join(format!("gatewright-dev-{}", std::process::id()));
    // The files that belong to a ledger lie beside it.
    let ledger = dev.ledger.clone().unwrap_or_else(|| own.join("audit"));
    let served = if let Some(url) = &dev.upstream {
        serve_in_front(dev, &issuer, Fronted::Other(url), &ledger).await
    } else {
        let notes = DevServer::start().await?;
        serve_in_front(dev, &issuer, Fronted::Notes(&notes.url()), &ledger).await
    };
    if dev.ledger.is_none() {
        let _ = std::fs::remove_dir_all(&own);
    }
    served
}

async fn serve_in_front(
    dev: &Dev,
    issuer: &DevIssuer,
    fronted: Fronted<'_>,
    ledger: &Path,
) -> Result<(), Failed> {
    let plan = Plan {
        issuer: issuer.url(),
        fronted,
        listen: dev.listen,
        ledger: ledger.to_owned(),
    };
    let settings = plan.settings()?;
    let server = settings.servers.first();
    let resource = server
        .map(|server| server.resource.clone())
        .unwrap_or_default();
    let running = app::start(settings, None).await?;
    let tokens = Tokens {
        reader: issuer
            .token(DevRole::Reader, "alice", &resource, TOKEN_LIFETIME)?
            .expose()
            .clone(),
        editor: issuer
            .token(DevRole::Editor, "bob", &resource, TOKEN_LIFETIME)?
            .expose()
            .clone(),
    };
    say(&greeting(&resource, &tokens, fronted, ledger));
    let tailed = tokio::select! {
        tailed = tail(ledger) => tailed,
        _ = tokio::signal::ctrl_c() => Ok(()),
        () = terminated() => Ok(()),
    };
    running.stop().await;
    Ok(tailed?)
}

/// Resolves when the process is told to end, or its terminal goes away.
async fn terminated() {
    let (terminate, hangup) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    );
    match (terminate, hangup) {
        (Ok(mut terminate), Ok(mut hangup)) => tokio::select! {
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        },
        _ => std::future::pending().await,
    }
}

struct Tokens {
    reader: String,
    editor: String,
}

fn greeting(resource: &str, tokens: &Tokens, fronted: Fronted<'_>, ledger: &Path) -> String {
    let (allowed, denied) = match fronted {
        Fronted::Notes(_) => (
            call("search_notes", r#"{"query":"release"}"#),
            call("delete_note", r#"{"id":1}"#),
        ),
        Fronted::Other(_) => (list(), call("delete_everything", "{}")),
    };
    let curl = |token: Option<&str>, (headers, body): &(String, String)| {
        let bearer = token.map_or(String::new(), |token| {
            format!(" -H 'Authorization: Bearer {token}'")
        });
        format!(
            "curl -si {resource} -H 'Content-Type: application/json' \
             -H 'Accept: application/json, text/event-stream'{bearer} {headers} -d '{body}'"
        )
    };
    format!(
        "MCP URL        {resource}\n\
         reader token   {reader}\n\
         editor token   {editor}\n\n\
         # no token: a 401 that says where to get one\n{challenge}\n\n\
         # an allowed call\n{allowed}\n\n\
         # a denied call\n{denied}\n\n\
         The audit record is in {ledger}; it follows here. Ctrl-C stops.\n",
        reader = tokens.reader,
        editor = tokens.editor,
        challenge = curl(None, &allowed),
        allowed = curl(Some(&tokens.reader), &allowed),
        denied = curl(Some(&tokens.reader), &denied),
        ledger = ledger.display(),
    )
}

/// Headers and body of a `tools/call` of 2026-07-28.
fn call(tool: &str, arguments: &str) -> (String, String) {
    let headers = format!(
        "-H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: {tool}'"
    );
    let params = format!(r#""name":"{tool}","arguments":{arguments}"#);
    (headers, message("tools/call", &params))
}

fn list() -> (String, String) {
    let headers = "-H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/list'".to_owned();
    (headers, message("tools/list", ""))
}

fn message(method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

/// Shows every record as it is written.
async fn tail(ledger: &Path) -> std::io::Result<()> {
    // What an earlier start wrote is not shown again.
    let last = Segments::list(ledger)?.pop();
    let mut shown = last.map_or(0, |segment| segment.first.saturating_sub(1));
    loop {
        let next = |segment: &SegmentFile| segment.first > shown;
        let Some(segment) = Segments::list(ledger)?.into_iter().find(next) else {
            tokio::time::sleep(TAIL).await;
            continue;
        };
        shown = segment.first;
        show(&segment, ledger).await?;
    }
}

/// Shows the records of one segment until another one follows.
async fn show(segment: &SegmentFile, ledger: &Path) -> std::io::Result<()> {
    let mut lines = BufReader::new(tokio::fs::File::open(&segment.path).await?);
    let mut line = String::new();
    loop {
        // Looked for before the end is read: what is written after that is the next segment's.
        let is_last = Segments::list(ledger)?.last() == Some(segment);
        while lines.read_line(&mut line).await? > 0 && line.ends_with('\n') {
            say(line.trim_end());
            line.clear();
        }
        if !is_last {
            return Ok(());
        }
        tokio::time::sleep(TAIL).await;
    }
}
