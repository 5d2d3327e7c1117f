//! The gateway as pingora sees it. `request_filter` runs the whole line of decisions; every other hook only
//! reads the permit that it produced.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::HeaderMap;
use http::header::TRANSFER_ENCODING;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};

use crate::mcp::Era;
use crate::model::Reason;
use crate::proxy::admit::{self, Admission};
use crate::proxy::guard::Connection;
use crate::proxy::inflight::InflightCount;
use crate::proxy::progress::{Forwarding, Passage, Progress, Stage};
use crate::proxy::services::Services;
use crate::proxy::vigil::Vigil;
use crate::proxy::{curfew, farewell, finish, flow, forward, refuse, response};

/// How long the rest of a refused body is read, so that the answer is not lost in a reset.
const DRAIN: Duration = Duration::from_secs(5);

/// The proxy.
pub struct Gateway {
    services: Arc<ArcSwap<Services>>,
    inflight: InflightCount,
}

impl Gateway {
    /// Serves with whatever `services` holds when a request arrives.
    pub fn new(services: Arc<ArcSwap<Services>>, inflight: InflightCount) -> Self {
        Self { services, inflight }
    }

    /// Says to the client why its answer does not come, or does not go on.
    async fn tell(
        &self,
        session: &mut Session,
        progress: &mut Progress,
        reason: Reason,
    ) -> Result<()> {
        let written = session.response_written();
        let is_unanswered = written.is_none_or(|head| head.status.is_informational());
        if reason == Reason::ClientGone {
            return Ok(());
        }
        if is_unanswered {
            let services = self.services.load_full();
            return refuse::failed(&services, session, progress, reason).await;
        }
        match progress.forwarding() {
            Some(forwarding) => farewell::say(session, forwarding, reason).await,
            None => Ok(()),
        }
    }
}

#[async_trait]
impl ProxyHttp for Gateway {
    type CTX = Progress;

    fn new_ctx(&self) -> Progress {
        Progress::new(self.inflight.enter())
    }

    /// No modules: nothing may compress or rewrite an answer after it was filtered.
    fn init_downstream_modules(&self, _modules: &mut HttpModules) {}

    fn on_connection_reuse(
        &self,
        _session: &mut Session,
        progress: &mut Progress,
        context: Box<dyn Any + Send + Sync>,
    ) {
        progress.connection = context
            .downcast::<Arc<Connection>>()
            .ok()
            .map(|handle| *handle);
        // The first thing that pingora does once a head is whole.
        if let Some(connection) = &progress.connection {
            connection.vigil(Vigil::arrived);
        }
    }

    async fn early_request_filter(&self, session: &mut Session, _: &mut Progress) -> Result<()> {
        let limits = self.services.load().limits;
        session.set_write_timeout(Some(limits.write_timeout));
        session
            .downstream_session
            .set_total_drain_timeout(Some(DRAIN));
        // The codec takes chunks that others end elsewhere: nothing behind them is read as a request.
        if session.get_header(TRANSFER_ENCODING).is_some() {
            session.set_keepalive(None);
        }
        // An upstream's 1xx heads say nothing that a client may rely on; ours to `Expect` still goes out.
        session.downstream_session.set_ignore_info_resp(true);
        Ok(())
    }

    async fn request_filter(&self, session: &mut Session, progress: &mut Progress) -> Result<bool> {
        let services = self.services.load_full();
        let admission = admit::admit(&services, session).await?;
        match admission {
            Admission::Forward(mut forwarding) => {
                begin(&mut forwarding, progress.connection.as_ref());
                if forwarding.hold.is_some() {
                    // The stream beneath takes who reads nothing for gone; here that would break the call off.
                    session.set_write_timeout(None);
                }
                progress.stage = Stage::Forwarding(forwarding);
                Ok(false)
            }
            Admission::Answered => {
                progress.stage = Stage::Answered;
                Ok(true)
            }
            Admission::Refuse(refused) => {
                progress.stage = Stage::Answered;
                refuse::answer(&services, session, &refused).await?;
                Ok(true)
            }
        }
    }

    async fn upstream_peer(
        &self,
        _: &mut Session,
        progress: &mut Progress,
    ) -> Result<Box<HttpPeer>> {
        let Some(forwarding) = progress.forwarding() else {
            return unpermitted();
        };
        forwarding.go_on()?;
        let (patience, ends) = (
            forwarding.patience,
            forwarding.ends.as_ref().map(|end| &end.until),
        );
        let peer = forwarding.route.upstream.peer(patience, ends).await;
        peer.map_err(|error| {
            let context = "cannot resolve the upstream's name";
            let mut fault = Error::because(ErrorType::ConnectNoRoute, context, error);
            fault.esource = ErrorSource::Upstream;
            fault
        })
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        progress: &mut Progress,
    ) -> Result<()> {
        let Some(forwarding) = progress.forwarding() else {
            return unpermitted();
        };
        forwarding.is_sent = true;
        forward::head(forwarding, request)
    }

    /// The whole body takes the place of its tail, which is all that pingora still holds.
    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        progress: &mut Progress,
    ) -> Result<()> {
        let Some(forwarding) = progress.forwarding() else {
            return unpermitted();
        };
        *body = match &forwarding.body {
            Some(whole) if end => Some(whole.clone()),
            Some(_) => Some(Bytes::new()),
            None => None,
        };
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        answer: &mut ResponseHeader,
        progress: &mut Progress,
    ) -> Result<()> {
        let Some(forwarding) = progress.forwarding() else {
            return unpermitted();
        };
        response::head(forwarding, session.req_header(), answer)
    }

    fn response_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        progress: &mut Progress,
    ) -> Result<Option<Duration>> {
        let Some(forwarding) = progress.forwarding() else {
            return unpermitted();
        };
        forwarding.keep_up(&self.services.load())?;
        flow::body(forwarding, body, end)?;
        Ok(None)
    }

    /// Trailers are dropped. An answer that has some ends with them and not with its last piece.
    async fn response_trailer_filter(
        &self,
        _: &mut Session,
        trailers: &mut HeaderMap,
        progress: &mut Progress,
    ) -> Result<Option<Bytes>> {
        trailers.clear();
        let Some(forwarding) = progress.forwarding() else {
            return unpermitted();
        };
        let mut last = None;
        flow::body(forwarding, &mut last, true)?;
        Ok(last.filter(|bytes| !bytes.is_empty()))
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        progress: &mut Progress,
    ) -> FailToProxy {
        let reason = finish::reason(error, progress);
        if let Err(gone) = self.tell(session, progress, reason).await {
            tracing::debug!(%gone, "the client went away before it was told of a failure");
        }
        FailToProxy {
            error_code: reason.status(),
            can_reuse_downstream: false,
        }
    }

    async fn logging(&self, session: &mut Session, error: Option<&Error>, progress: &mut Progress) {
        finish::finish(session, error, progress);
    }

    /// The outcome record tells of the end of a token, and of an answer that was not passed on.
    fn suppress_error_log(&self, _: &Session, progress: &Progress, _: &Error) -> bool {
        matches!(&progress.stage, Stage::Forwarding(forwarding) if forwarding.failure.is_some())
    }

    /// What pingora logs of a failure: never the path or the query, which may hold a credential.
    fn request_summary(&self, session: &Session, _: &Progress) -> String {
        format!(
            "{} from {:?}",
            session.req_header().method,
            session.client_addr()
        )
    }
}

/// From here on the client's going away, or the end of its token, may find the request under way.
fn begin(forwarding: &mut Forwarding, connection: Option<&Arc<Connection>>) {
    let is_legacy_message =
        forwarding.era == Era::Legacy && matches!(forwarding.passage, Passage::Message(_));
    if is_legacy_message {
        forwarding.hold = connection.map(Connection::hold);
    }
    if let Some(ends) = &forwarding.ends {
        let until = || ends.until.clone();
        forwarding.term = connection.map(|connection| connection.end_at(until()));
        curfew::arm(until());
    }
}

/// INVARIANT: pingora calls the later hooks only when `request_filter` returned `false`, and that happens
/// with a permit only. Should it change, nothing passes.
fn unpermitted<T>() -> Result<T> {
    Error::e_explain(ErrorType::InternalError, "a request without a permit")
}
