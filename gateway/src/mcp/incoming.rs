//! Tells apart what a server sends. Never takes a message that could be two things.

use std::borrow::Cow;
use std::ops::Range;

use super::call::RequestId;
use super::document::Document;
use super::envelope::Envelope;
use super::listing::ListFault;
use super::seen::Seen;

/// A server's message, told apart.
pub(super) enum Incoming<'a> {
    /// A request to the client.
    Request {
        id: RequestId,
        method: Cow<'a, str>,
        params: Option<Range<usize>>,
    },
    /// A notification.
    Notification {
        method: Cow<'a, str>,
        params: Option<Range<usize>>,
    },
    /// A response with a result, an object.
    Result { id: RequestId, result: Range<usize> },
    /// A response with an error, an object.
    Error { id: Sender, error: Range<usize> },
}

/// Whose response an error is.
pub(super) enum Sender {
    /// To the request with this id.
    Request(RequestId),
    /// To something that had no id that could be read (JSON-RPC 2.0 section 5: null, and some leave it out).
    Nobody,
}

impl<'a> Incoming<'a> {
    /// Tells a message apart. Refused is whatever is not exactly one of the kinds.
    pub(super) fn of(document: &Document<'a>) -> Result<Self, ListFault> {
        let Envelope {
            id,
            method,
            params,
            result,
            error,
        } = Envelope::of(document).map_err(|_| ListFault::NotAMessage)?;
        let has_no_id = id.as_ref().is_none_or(|id| document.text(id) == "null");
        let read = id.and_then(|id| RequestId::from_token(document.text(&id)));
        if read.is_none() && !has_no_id {
            return Err(ListFault::NotAMessage);
        }
        match (method, result, error) {
            (Some(method), None, None) => {
                let method = document.string(&method).ok_or(ListFault::NotAMessage)?;
                Ok(match read {
                    Some(id) => Self::Request { id, method, params },
                    None => Self::Notification { method, params },
                })
            }
            (None, Some(result), None) if params.is_none() && document.is_object(&result) => {
                let id = read.ok_or(ListFault::NotAMessage)?;
                Ok(Self::Result { id, result })
            }
            (None, None, Some(error)) if params.is_none() && document.is_object(&error) => {
                let id = read.map_or(Sender::Nobody, Sender::Request);
                Ok(Self::Error { id, error })
            }
            _ => Err(ListFault::NotAMessage),
        }
    }
}

/// What of a message is worth a line in somebody's books, with what it owns.
pub(super) struct Facts<'a> {
    incoming: &'a Incoming<'a>,
    task: Option<Cow<'a, str>>,
    progress_token: Option<&'a str>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(document: &Document<'a>, incoming: &'a Incoming<'a>) -> Self {
        let (task, progress_token) = match incoming {
            Incoming::Result { result, .. } => (task_of_result(document, result), None),
            Incoming::Notification {
                params: Some(params),
                ..
            } => {
                let token = document.member(params, "progressToken");
                let token = token.map(|token| document.text(&token.value));
                (task_in(document, params), token)
            }
            Incoming::Notification { params: None, .. }
            | Incoming::Request { .. }
            | Incoming::Error { .. } => (None, None),
        };
        Self {
            incoming,
            task,
            progress_token,
        }
    }

    /// The same, lent; nothing for an error without an id.
    pub(super) fn seen(&self) -> Option<Seen<'_>> {
        match self.incoming {
            Incoming::Request { id, method, .. } => Some(Seen::Request { id, method }),
            Incoming::Notification { method, .. } => Some(Seen::Notification {
                method,
                progress_token: self.progress_token,
                task: self.task.as_deref(),
            }),
            Incoming::Result { id, .. }
            | Incoming::Error {
                id: Sender::Request(id),
                ..
            } => Some(Seen::Response {
                id,
                task: self.task.as_deref(),
            }),
            Incoming::Error {
                id: Sender::Nobody, ..
            } => None,
        }
    }
}

fn task_of_result<'a>(document: &Document<'a>, result: &Range<usize>) -> Option<Cow<'a, str>> {
    if let Some(task) = document.member(result, "task") {
        return text(document, &task.value, "taskId");
    }
    let kind = text(document, result, "resultType")?;
    (kind == "task").then(|| text(document, result, "taskId"))?
}

fn task_in<'a>(document: &Document<'a>, params: &Range<usize>) -> Option<Cow<'a, str>> {
    text(document, params, "taskId").or_else(|| {
        let task = document.member(params, "task")?;
        text(document, &task.value, "taskId")
    })
}

fn text<'a>(document: &Document<'a>, object: &Range<usize>, key: &str) -> Option<Cow<'a, str>> {
    document.string(&document.member(object, key)?.value)
}
