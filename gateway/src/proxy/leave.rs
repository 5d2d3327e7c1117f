//! Ends sessions at their servers when another policy ended them here (MCP 2025-11-25, basic/transports). Never while a
//! call in one is under way, and never for long: a server that does not listen keeps what it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use http::StatusCode;
use pingora::connectors::http::Connector;
use pingora::http::RequestHeader;
use pingora::protocols::ALPN;
use pingora::{Error, ErrorType};
use tokio::sync::mpsc::Receiver;

use crate::live::Until;
use crate::proxy::services::Services;
use crate::proxy::session::Parting;
use crate::upstream::UpstreamPeer;
use crate::upstream::peer::Patience;

/// How many servers are told at once.
const AT_ONCE: usize = 8;
/// How long telling one may take.
const WITHIN: Duration = Duration::from_secs(5);
/// How long a session may wait for its turn.
const TURN: Duration = Duration::from_secs(60);

/// Ends at their servers the sessions that come out of `partings`, until no more can come. Where the servers are, `services`
/// says: those that the sessions were used with.
pub async fn end_all(services: Arc<Services>, mut partings: Receiver<Parting>) {
    let Some(first) = partings.recv().await else {
        return;
    };
    let connector = Connector::new(None);
    let failed = AtomicUsize::new(0);
    let others = stream::poll_fn(|context| partings.poll_recv(context));
    let all = stream::iter([first]).chain(others);
    all.for_each_concurrent(AT_ONCE, |parting| async {
        if !end(&services, &connector, parting).await {
            failed.fetch_add(1, Ordering::Relaxed);
        }
    })
    .await;
    let failed = failed.into_inner();
    if failed > 0 {
        tracing::warn!(failed, "sessions could not be ended at their servers");
    }
}

/// Whether the session is over at its server.
async fn end(services: &Services, connector: &Connector, parting: Parting) -> bool {
    let mut routes = services.routes.all();
    let route = routes.find(|route| route.audience.server == parting.server);
    let Some(route) = route.filter(|_| parting.since.elapsed() < TURN) else {
        return false;
    };
    let telling = tell(connector, &route.upstream, &parting.upstream);
    match tokio::time::timeout(WITHIN, telling).await {
        Ok(Ok(status)) => is_settled(status),
        Ok(Err(error)) => {
            tracing::debug!(server = %parting.server, %error, "a session was not ended");
            false
        }
        Err(_) => false,
    }
}

/// A server that knows the session no more, or lets nobody end one, has said all that it can.
fn is_settled(status: StatusCode) -> bool {
    let is_final = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    status.is_success() || is_final.contains(&status)
}

async fn tell(
    connector: &Connector,
    upstream: &UpstreamPeer,
    id: &str,
) -> pingora::Result<StatusCode> {
    let until = Until {
        at: Instant::now() + WITHIN,
        reign: None,
    };
    let peer = upstream.peer(Patience::Limited, Some(&until)).await;
    let mut peer =
        peer.map_err(|error| Error::because(ErrorType::ConnectNoRoute, "resolving", error))?;
    peer.options.alpn = ALPN::H1;
    let mut request = RequestHeader::build("DELETE", upstream.path().as_bytes(), Some(2))?;
    request.insert_header(http::header::HOST, upstream.authority())?;
    request.insert_header("mcp-session-id", id)?;
    let (mut exchange, _) = connector.get_http_session(&*peer).await?;
    exchange.write_request_header(Box::new(request)).await?;
    exchange.finish_request_body().await?;
    exchange.read_response_header().await?;
    let status = exchange.response_header().map(|head| head.status);
    exchange.shutdown().await;
    status.ok_or_else(|| Error::explain(ErrorType::InvalidHTTPHeader, "no status"))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::is_settled;

    #[test]
    fn x08_a_server_that_cannot_end_sessions_did_what_it_can() {
        for (status, settled) in [(200, true), (204, true), (404, true), (405, true)]
            .into_iter()
            .chain([(302, false), (400, false), (401, false), (500, false)])
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_settled(status), settled, "{status}");
        }
    }
}
