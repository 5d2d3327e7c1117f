//! Reads what a server's message was, for whoever keeps books. Never judges it, and never keeps what it says.

use std::ops::Range;

use super::call::RequestId;
use super::document::Document;
use super::envelope::Envelope;
use super::jsonrpc::{Limits, scan};
use super::seen::{Onward, Seen};

/// Tells `see` of one message of a server; nothing when it is none.
pub fn witness(message: &[u8], see: &mut dyn FnMut(&Seen<'_>) -> Onward) -> Option<Onward> {
    let document = scan(message, Limits::ANSWER).ok()?;
    let envelope = Envelope::of(&document).ok()?;
    let id = envelope.id.as_ref();
    let id = id.and_then(|id| RequestId::from_token(document.text(id)));
    match (&envelope.method, id) {
        (None, Some(id)) => {
            let result = envelope.result.as_ref();
            let task = result.and_then(|result| made(&document, result));
            Some(see(&Seen::Response {
                id: &id,
                task: task.as_deref(),
            }))
        }
        (Some(method), Some(id)) => {
            let method = document.string(method)?;
            Some(see(&Seen::Request {
                id: &id,
                method: &method,
            }))
        }
        (Some(method), None) => {
            let method = document.string(method)?;
            let task = envelope.params.as_ref();
            let task = task.and_then(|params| about(&document, params));
            Some(see(&Seen::Notification {
                method: &method,
                progress_token: None,
                task: task.as_deref(),
            }))
        }
        (None, None) => None,
    }
}

/// The task that a call made.
fn made(document: &Document<'_>, result: &Range<usize>) -> Option<String> {
    let inner = within(document, result, "task");
    if let Some(task) = inner.and_then(|task| text(document, &task, "taskId")) {
        return Some(task);
    }
    let kind = text(document, result, "resultType")?;
    (kind == "task").then(|| text(document, result, "taskId"))?
}

/// The task that a notification is about.
fn about(document: &Document<'_>, params: &Range<usize>) -> Option<String> {
    let direct = text(document, params, "taskId");
    direct.or_else(|| text(document, &within(document, params, "task")?, "taskId"))
}

fn within(document: &Document<'_>, place: &Range<usize>, key: &str) -> Option<Range<usize>> {
    let member = document.member(place, key)?;
    Some(member.value.clone())
}

fn text(document: &Document<'_>, place: &Range<usize>, key: &str) -> Option<String> {
    let member = document.member(place, key)?;
    document.string(&member.value).map(Into::into)
}
