//! Sessions, tasks and streams, row by row. Only text.

/// X.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("X01", "a session of somebody else is an unknown one"),
    (
        "X02",
        "a session is bound to who opened it, with which client, key and roles",
    ),
    ("X03", "sessions are named by the gateway, at random"),
    (
        "X04",
        "the name of a session has one form, looked at before anything else",
    ),
    ("X05", "a stream is opened with a token, like everything"),
    (
        "X06",
        "a stream goes on only after an event of the same session",
    ),
    ("X07", "nobody ends another's session"),
    (
        "X08",
        "a session ends with the roles and the policy it was opened under, at its server too, and so do open streams; switching a principal off comes with a later version",
    ),
    (
        "X09",
        "sessions are bounded, in all and for each principal, and end unused",
    ),
    ("X10", "the transport of 2024-11-05 is not served"),
    (
        "X11",
        "a stream ends with its token, and so does a call unless the configuration lets it finish",
    ),
    (
        "X13",
        "what comes over a stream is filtered by the policy in force",
    ),
    ("X14", "a task of somebody else is an unknown one"),
    (
        "X15",
        "the result of a task needs the right to its tool; cancelling it does not",
    ),
    ("X16", "equal ids of two principals stay apart"),
    (
        "X17",
        "no byte of one answer is in another, however connections are shared and broken",
    ),
];
