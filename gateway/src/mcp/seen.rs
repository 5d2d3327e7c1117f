//! What a server's message was, for whoever keeps books. Never holds a result.

use super::call::RequestId;

/// Something that came over an answer or a stream of a server, in the order in which it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'a> {
    /// The id of an event, to resume after.
    EventId(&'a str),
    /// The answer to a request.
    Response {
        /// The id of that request.
        id: &'a RequestId,
        /// The id of the task that it made (`result.task.taskId`, or `result.taskId` where `resultType` is `task`).
        task: Option<&'a str>,
    },
    /// A request of the server; before 2026-07-28 only.
    Request {
        /// Its id.
        id: &'a RequestId,
        /// Its method.
        method: &'a str,
    },
    /// A notification.
    Notification {
        /// Its method.
        method: &'a str,
        /// `params.progressToken`, as it is written.
        progress_token: Option<&'a str>,
        /// `params.taskId`, or `params.task.taskId`.
        task: Option<&'a str>,
    },
}

/// Whether a message that was seen goes on to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Onward {
    /// It does.
    Pass,
    /// It does not, and the rest of the stream does.
    Drop,
}
