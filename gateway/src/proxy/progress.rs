//! How far a request has come: what pingora carries from hook to hook.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::decision::{Action, Gate, Permit};
use crate::mcp::{Call, Era, Message, Method, RequestId, Revision};
use crate::model::Reason;
use crate::proxy::asker::Asker;
use crate::proxy::curfew::End;
use crate::proxy::finish;
use crate::proxy::guard::{Connection, Hold, Term};
use crate::proxy::inflight::Inflight;
use crate::proxy::route::Route;
use crate::proxy::services::Services;
use crate::proxy::standing::Standing;
use crate::proxy::trim::Trim;
use crate::telemetry::ServerMetrics;
use crate::upstream::peer::Patience;

/// The state of one request.
pub struct Progress {
    /// The handle of the client's stream; absent on HTTP/2.
    pub(crate) connection: Option<Arc<Connection>>,
    pub(crate) stage: Stage,
    pub(crate) inflight: Option<Inflight>,
}

/// The stages that later hooks tell apart.
pub(crate) enum Stage {
    /// Nothing is decided yet.
    Arrived,
    /// Answered by the gateway itself; what is to be said about it has been said.
    Answered,
    /// On its way to the upstream and back.
    Forwarding(Box<Forwarding>),
}

/// A permitted request.
pub(crate) struct Forwarding {
    pub(crate) services: Arc<Services>,
    pub(crate) route: Arc<Route>,
    pub(crate) permit: Permit,
    /// The whole body; `None` for GET and DELETE.
    pub(crate) body: Option<Bytes>,
    pub(crate) era: Era,
    pub(crate) passage: Passage,
    pub(crate) standing: Standing,
    /// What judges the items of its answer: what was in force when it was permitted, or came into force since.
    pub(crate) bench: Bench,
    pub(crate) revision: Revision,
    pub(crate) patience: Patience,
    /// When it is over because its token is, or because a stream is old or of another policy.
    pub(crate) ends: Option<End>,
    pub(crate) trim: Trim,
    pub(crate) started: Instant,
    /// Whether the upstream may have got it.
    pub(crate) is_sent: bool,
    pub(crate) answered: Option<Instant>,
    /// The status of the upstream's answer, once its head is passed on.
    pub(crate) passed: Option<u16>,
    /// How many informational heads (1xx) came.
    pub(crate) informed: u32,
    /// How many bytes of the answer came.
    pub(crate) received: usize,
    /// How many messages of the upstream were dropped.
    pub(crate) dropped: usize,
    /// Why the upstream's answer was not passed on, if it was not.
    pub(crate) failure: Option<Reason>,
    /// The status of our answer in its place, if not that of the reason.
    pub(crate) status: Option<u16>,
    /// Held while a client that goes away must not cancel the request.
    pub(crate) hold: Option<Hold>,
    /// Ends the waiting at `ends`, on HTTP/1.
    pub(crate) term: Option<Term>,
    pub(crate) stream: Option<OpenStream>,
    /// What the client's next DPoP proof should carry.
    pub(crate) nonce: Option<Box<str>>,
}

/// A generation of the configuration, as far as an answer is judged by it.
pub(crate) struct Bench {
    pub(crate) services: Arc<Services>,
    pub(crate) route: Arc<Route>,
}

impl Forwarding {
    /// What is decided about it, as it was decided.
    pub(crate) fn action(&self) -> Action<'_> {
        self.passage.action(self.standing.tool())
    }

    /// Who asks.
    pub(crate) fn asker(&self) -> Asker {
        let policy = self.services.regime.tenure();
        Asker::of(&self.route.audience.server, self.permit.principal(), policy)
    }

    /// Who may see what of its answer.
    pub(crate) fn gate(&self) -> Gate<'_> {
        let Bench { services, route } = &self.bench;
        let request = self.permit.request();
        Gate {
            rules: &services.regime.rules,
            mode: services.regime.mode,
            audience: &route.audience,
            demands: &route.demands,
            pins: route.pins.as_deref(),
            principal: self.permit.principal(),
            source: request.source.map(|source| source.ip()),
            // A list is what it was when it was asked for. Hours that end meanwhile end no stream: what one brings is told
            // of lists and resources that its principal could ask for when it began; each call is judged by its own time.
            now: request.at,
        }
    }

    /// Has what comes from now on judged by what is in force now.
    ///
    /// # Errors
    /// When it is over, or its server is no more; pingora's failure path ends the answer.
    pub(crate) fn keep_up(&mut self, newest: &Arc<Services>) -> pingora::Result<()> {
        if Arc::ptr_eq(newest, &self.bench.services) {
            return Ok(());
        }
        self.go_on()?;
        let server = &self.route.audience.server;
        let route = newest
            .routes
            .all()
            .find(|route| route.audience.server == *server);
        let Some(route) = route else {
            self.failure.get_or_insert(Reason::PathUnknown);
            let kind = pingora::ErrorType::Custom(GONE);
            return Err(pingora::Error::explain(kind, "its server is no more").into_down());
        };
        self.bench = Bench {
            services: Arc::clone(newest),
            route: Arc::clone(route),
        };
        Ok(())
    }

    /// Why it is over, if it is.
    pub(crate) fn is_over(&self) -> Option<Reason> {
        let ends = self.ends.as_ref()?;
        let principal = self.permit.principal();
        if principal.is_expired(self.services.clock.now()) {
            return Some(Reason::TokenExpired);
        }
        ends.has_come()
    }

    /// Ends it for `reason`. What went wrong before stays what went wrong.
    pub(crate) fn end(&mut self, reason: Reason) {
        if self.failure.is_some() {
            return;
        }
        self.failure = Some(reason);
        // A 401 says that nothing was done (RFC 9110 section 15.5.2), and clients send the same again after one.
        if self.is_sent && self.patience == Patience::Limited {
            self.status = Some(Reason::UpstreamTimeout.status());
        }
    }

    /// Nothing while its time lasts.
    ///
    /// # Errors
    /// When it is over; pingora's failure path tells the client.
    pub(crate) fn go_on(&mut self) -> pingora::Result<()> {
        let Some(reason) = self.is_over() else {
            return Ok(());
        };
        self.end(reason);
        let kind = pingora::ErrorType::Custom(OVER);
        Err(pingora::Error::explain(kind, reason.name()).into_down())
    }
}

/// How the end of its time is called among pingora's errors.
const OVER: &str = "TimeEnded";
/// How it is called that a server is configured no more.
const GONE: &str = "ServerGone";

/// What a permitted request is.
#[derive(Debug)]
pub(crate) enum Passage {
    /// A JSON-RPC message.
    Message(Box<Message>),
    /// The event stream of a session.
    OpenStream,
    /// The end of a session.
    EndSession,
}

impl Passage {
    /// What is to be decided about it; with the tool that made the task that it is about, if it is about one.
    pub(crate) fn action<'a>(&'a self, tool: Option<&'a str>) -> Action<'a> {
        match self {
            Self::Message(message) => match &**message {
                Message::Request(call) => match tool {
                    Some(tool) => Action::OwnTask { call, tool },
                    None => Action::Call(call),
                },
                Message::Notification {
                    method,
                    method_name,
                    ..
                } => Action::Notify {
                    method: *method,
                    name: method_name,
                },
                Message::Response { .. } => Action::Reply,
            },
            Self::OpenStream => Action::OpenStream,
            Self::EndSession => Action::EndSession,
        }
    }

    /// The call, if it is one that is answered.
    pub(crate) fn call(&self) -> Option<&Call> {
        match self {
            Self::Message(message) => match &**message {
                Message::Request(call) => Some(call),
                Message::Notification { .. } | Message::Response { .. } => None,
            },
            Self::OpenStream | Self::EndSession => None,
        }
    }

    /// The id an error answer carries.
    pub(crate) fn id(&self) -> Option<&RequestId> {
        self.call().map(|call| &call.id)
    }

    /// Whether it is a request with this method.
    pub(crate) fn calls(&self, method: Method) -> bool {
        self.call().is_some_and(|call| call.method == method)
    }

    /// The method label of metrics.
    pub(crate) fn method_label(&self) -> &'static str {
        match self {
            Self::Message(message) => match &**message {
                Message::Request(call) => call.method.name(),
                Message::Notification { method, .. } => method.name(),
                Message::Response { .. } => "response",
            },
            Self::OpenStream => "GET",
            Self::EndSession => "DELETE",
        }
    }

    /// The tool that is called.
    pub(crate) fn tool(&self) -> Option<&str> {
        self.call()?.target.tool()
    }
}

/// Counts an event stream as open until it is dropped.
pub(crate) struct OpenStream(Arc<ServerMetrics>);

impl OpenStream {
    pub(crate) fn count(metrics: &Arc<ServerMetrics>) -> Self {
        metrics.stream_opened();
        Self(Arc::clone(metrics))
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.stream_closed();
    }
}

/// A connection that is cut takes its request with it; `inflight` is given back after the books are closed.
impl Drop for Progress {
    fn drop(&mut self) {
        finish::abandon(self);
    }
}

impl Progress {
    /// A request that just arrived.
    pub(crate) const fn new(inflight: Inflight) -> Self {
        Self {
            connection: None,
            stage: Stage::Arrived,
            inflight: Some(inflight),
        }
    }

    pub(crate) fn forwarding(&mut self) -> Option<&mut Forwarding> {
        match &mut self.stage {
            Stage::Forwarding(forwarding) => Some(forwarding),
            Stage::Arrived | Stage::Answered => None,
        }
    }
}
