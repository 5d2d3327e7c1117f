//! What the gateway's own books say about a request before the policy is asked: whose session it is in, whose task it
//! is about, what it answers or cancels. Never lets a name stand for a right.

use std::cell::OnceCell;
use std::sync::Arc;

use http::HeaderMap;

use crate::identity::Principal;
use crate::mcp::{Call, Capability, Era, Message, Method, RequestId, Target};
use crate::model::Reason;
use crate::proxy::admit::Arrival;
use crate::proxy::asker::Asker;
use crate::proxy::progress::Passage;
use crate::proxy::session::{Found, Place, Question, Session, UnderWay};

/// How a request stands in the books.
#[derive(Default)]
pub(crate) struct Standing {
    /// The session that it is in.
    session: Option<Arc<Session>>,
    /// The place of the session that it opens.
    place: Option<Place>,
    /// The tool that made the task that it is about, which is the asker's.
    tool: Option<Box<str>>,
    question: Option<Question>,
    /// Keeps its id from being used again.
    under_way: Option<UnderWay>,
}

/// Why the books speak against a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Objection {
    /// For this reason.
    Plain(Reason),
    /// It names the session of another. Its client is told no more than of a session that never was.
    Trespass,
}

impl Objection {
    /// What the client is told.
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Plain(reason) => reason,
            Self::Trespass => Reason::SessionUnknown,
        }
    }
}

impl From<Reason> for Objection {
    fn from(reason: Reason) -> Self {
        Self::Plain(reason)
    }
}

impl Standing {
    /// The session that the request is in.
    pub(crate) const fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// The tool that made the task that the request is about.
    pub(crate) fn tool(&self) -> Option<&str> {
        self.tool.as_deref()
    }

    /// The place of the session that the request opens; there once.
    pub(crate) const fn place(&mut self) -> Option<Place> {
        self.place.take()
    }

    /// The request opened this session, and its answer is the first thing in it.
    pub(crate) fn enter(&mut self, session: Arc<Session>) {
        self.session = Some(session);
    }

    /// The request goes upstream.
    pub(crate) fn proceed(mut self) -> Self {
        if let Some(question) = self.question.take() {
            question.answered();
        }
        self
    }
}

/// Looks a request up in the books.
///
/// # Errors
/// What speaks against it.
pub(crate) fn of(
    arrival: &Arrival,
    headers: &HeaderMap,
    principal: &Principal,
    (passage, era): (&Passage, Era),
) -> Result<Standing, Objection> {
    let books = Books {
        arrival,
        principal,
        asker: OnceCell::new(),
    };
    let mut standing = match era {
        Era::Legacy if passage.calls(Method::Initialize) => books.opening()?,
        Era::Legacy => books.legacy(headers, passage)?,
        Era::Modern => modern(passage)?,
    };
    if let Some(call) = passage.call() {
        standing.tool = books.task(call, era)?;
        let mut tasks = call.tasks.iter();
        tasks.try_for_each(|id| books.own_task(id, (call, era)).map(drop))?;
    }
    Ok(standing)
}

struct Books<'a> {
    arrival: &'a Arrival,
    principal: &'a Principal,
    asker: OnceCell<Asker>,
}

impl Books<'_> {
    /// Most requests name nothing that is anybody's: then nobody needs to know who asks.
    fn asker(&self) -> &Asker {
        let (server, policy) = (self.arrival.server(), self.arrival.services.regime.tenure());
        self.asker
            .get_or_init(|| Asker::of(server, self.principal, policy))
    }

    fn opening(&self) -> Result<Standing, Objection> {
        let services = &self.arrival.services;
        let now = self.arrival.request.at;
        let place = services.sessions.reserve(&services.limits, now);
        Ok(Standing {
            place: Some(place.ok_or(Reason::SessionsFull)?),
            ..Standing::default()
        })
    }

    fn legacy(&self, headers: &HeaderMap, passage: &Passage) -> Result<Standing, Objection> {
        let session = self.session(headers)?;
        if matches!(passage, Passage::OpenStream) {
            check_resumption(headers, session.as_deref())?;
        }
        let mut standing = Standing {
            session,
            ..Standing::default()
        };
        if let Passage::Message(message) = passage {
            standing.write(message)?;
        }
        Ok(standing)
    }

    fn session(&self, headers: &HeaderMap) -> Result<Option<Arc<Session>>, Objection> {
        let Some(id) = headers.get("mcp-session-id") else {
            return Ok(None);
        };
        let services = &self.arrival.services;
        let when = (services.limits.session_idle, self.arrival.request.at);
        match services.sessions.find(id.as_bytes(), self.asker(), when) {
            Found::Own(session) => Ok(Some(session)),
            Found::Foreign => Err(Objection::Trespass),
            Found::Nothing => Err(Reason::SessionUnknown.into()),
        }
    }

    /// The tool of the task that the call is about.
    fn task(&self, call: &Call, era: Era) -> Result<Option<Box<str>>, Objection> {
        match &call.target {
            Target::Task(id) => Ok(Some(self.own_task(id, (call, era))?)),
            Target::None
            | Target::Tool(_)
            | Target::Prompt(_)
            | Target::Resource(_)
            | Target::Resources(_) => Ok(None),
        }
    }

    fn own_task(&self, id: &str, (call, era): (&Call, Era)) -> Result<Box<str>, Objection> {
        let services = &self.arrival.services;
        let when = (services.limits.task_idle, self.arrival.request.at);
        let task = (self.arrival.server(), id);
        let tool = services.tasks.tool_of(task, self.asker(), when);
        tool.ok_or_else(|| {
            let may_ask = era == Era::Legacy || call.capabilities.contains(&Capability::Tasks);
            let reason = if may_ask {
                Reason::TaskUnknown
            } else {
                Reason::CapabilityMissing
            };
            reason.into()
        })
    }
}

impl Standing {
    /// Writes a message into the books of its session.
    fn write(&mut self, message: &Message) -> Result<(), Objection> {
        match message {
            Message::Request(call) => self.begin(call),
            Message::Notification {
                method: Method::Cancelled,
                cancels,
                ..
            } => self.check_cancellation(cancels.as_ref()),
            Message::Notification { .. } => Ok(()),
            Message::Response { id } => {
                let session = self.session.as_ref();
                let question = session.and_then(|session| session.question(id));
                self.question = Some(question.ok_or(Reason::RequestInvalid)?);
                Ok(())
            }
        }
    }

    fn begin(&mut self, call: &Call) -> Result<(), Objection> {
        if let Some(session) = &self.session {
            let begun = session.begin(&call.id, call.method.listing());
            self.under_way = Some(begun.ok_or(Reason::RequestInvalid)?);
        }
        Ok(())
    }

    fn check_cancellation(&self, cancels: Option<&RequestId>) -> Result<(), Objection> {
        let session = self.session.as_ref();
        let is_own = session
            .zip(cancels)
            .is_some_and(|(session, id)| session.is_under_way(id));
        if is_own {
            Ok(())
        } else {
            Err(Reason::NothingToCancel.into())
        }
    }
}

/// Without sessions there is nothing to tell by whose request is cancelled: who wants that closes its answer.
fn modern(passage: &Passage) -> Result<Standing, Objection> {
    let mut standing = Standing::default();
    if let Passage::Message(message) = passage
        && matches!(**message, Message::Notification { .. })
    {
        standing.write(message)?;
    }
    Ok(standing)
}

/// A stream goes on only after an event that passed in the same session (MCP 2025-11-25, basic/transports).
fn check_resumption(headers: &HeaderMap, session: Option<&Session>) -> Result<(), Objection> {
    let mut lines = headers.get_all("last-event-id").iter();
    let (event, second) = (lines.next(), lines.next());
    let Some(event) = event else {
        return Ok(());
    };
    let is_plain = event
        .as_bytes()
        .iter()
        .all(|byte| (0x20..0x7f).contains(byte));
    if second.is_some() || !is_plain || event.len() > LONGEST_EVENT {
        return Err(Reason::RequestMalformed.into());
    }
    let event = event.to_str().map_err(|_| Reason::RequestMalformed)?;
    let has_passed = session.is_some_and(|session| session.has_passed(event));
    if has_passed {
        Ok(())
    } else {
        Err(Reason::SessionUnknown.into())
    }
}

/// Bytes of the id of an event.
const LONGEST_EVENT: usize = 1024;
