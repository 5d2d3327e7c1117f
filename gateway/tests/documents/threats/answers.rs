//! What comes back from servers, row by row. Only text.

/// U.
pub(super) const ROWS: &[(&str, &str)] = &[
    ("U01", "a list as JSON is filtered, and its length is right"),
    ("U02", "a list as events is filtered, wherever it is cut"),
    (
        "U03",
        "events are read by the grammar; what two readers split differently does not pass as it is",
    ),
    ("U04", "the lines of an event are one message or none"),
    (
        "U05",
        "line ends of Unicode never reach a reader raw where it would split there",
    ),
    ("U06", "an event without its blank line is an event"),
    (
        "U07",
        "a message is exactly one thing; a disguised result is replaced by an error",
    ),
    ("U08", "an answer to another id is dropped"),
    ("U09", "an answer is JSON or events by its exact media type"),
    (
        "U10",
        "every status of success is filtered; the body of an error is the gateway's own",
    ),
    ("U11", "a compressed answer is refused"),
    ("U12", "a list that cannot be read is not passed on"),
    ("U13", "beside a list only what lists have is passed on"),
    (
        "U14",
        "requests of a server pass only where they are listed, and never in 2026-07-28",
    ),
    (
        "U15",
        "a server sends people only to listed hosts, and only where the client can",
    ),
    ("U16", "progress belongs to the request it is about"),
    (
        "U17",
        "events, answers and streams have a largest size or age",
    ),
    (
        "U18",
        "what follows an answer is never taken for the next one",
    ),
    (
        "U19",
        "an answer that breaks off is an error, and a call is never sent again",
    ),
    (
        "U20",
        "errors of transport are the gateway's own words, and none is logged raw",
    ),
    (
        "U21",
        "the session of the upstream stays behind the gateway",
    ),
    ("U22", "nothing is compressed or held back on its way"),
    ("U23", "an answer that has no body gets none"),
];
