//! Messages of clients and ways around the plain call, row by row. Only text.

/// Q and S.
pub(super) const ROWS: &[(&str, &str)] = &[
    (
        "Q01",
        "a batch is refused, whatever is in it and whatever the revision",
    ),
    (
        "Q02",
        "a member that is named twice at the top is a refusal",
    ),
    (
        "Q03",
        "a member that is named twice at any depth is a refusal",
    ),
    ("Q04", "keys are compared after unescaping"),
    (
        "Q05",
        "a key that some reader takes for a known one is a refusal",
    ),
    (
        "Q06",
        "names are compared byte for byte; an unusual name needs a rule that spells it out",
    ),
    (
        "Q07",
        "a target is one short string without control characters",
    ),
    ("Q08", "params and arguments are objects"),
    ("Q09", "a method has one spelling; any other is not found"),
    ("Q10", "a call without an id is refused"),
    (
        "Q11",
        "an id is an integer or a short string; an answer to another has none",
    ),
    (
        "Q12",
        "answers belong to their request: one exchange with the upstream for each, and no id twice at once in a session",
    ),
    ("Q13", "`jsonrpc` is the string 2.0"),
    (
        "Q14",
        "what is not JSON of RFC 8259 is refused; the public corpus is tried whole and as an argument",
    ),
    ("Q15", "a number goes on as it was written, or not at all"),
    (
        "Q16",
        "half a surrogate pair and raw control characters are refused",
    ),
    (
        "Q17",
        "depth, keys and size are bounded, and reading takes time and memory in proportion",
    ),
    ("Q18", "only white space may stand around the message"),
    (
        "Q19",
        "headers that repeat the body must say the same; decided is on the body, and every reader reads it alike",
    ),
    ("Q20", "a name in base64 is undone exactly once"),
    ("Q21", "a header that is decided on comes once"),
    ("Q22", "a header that 2026-07-28 demands is there"),
    (
        "Q23",
        "a version stands alike in head and body, and is a known one",
    ),
    (
        "Q24",
        "headers of another revision say nothing and go no further",
    ),
    ("Q25", "what `_meta` must hold is there"),
    ("Q26", "keys of the gateway's own in `_meta` are refused"),
    (
        "Q27",
        "trace fields are well-formed and short: refused in the body, dropped from the head, never logged",
    ),
    (
        "Q28",
        "headers with arguments come once and readable; no policy goes by them",
    ),
    (
        "Q29",
        "a tool that calls tools is a tool of its own; what stands in its arguments grants nothing",
    ),
    ("Q30", "a client answers only what its session was asked"),
    ("Q31", "a client cancels only what it has under way"),
    (
        "Q32",
        "a retry is judged as the call it is, by its own name",
    ),
    ("Q33", "the task of a call is its caller's"),
    (
        "Q34",
        "the bytes of all bodies together are bounded: past that 503",
    ),
    (
        "S01",
        "what a list hides a call refuses: one decision for both",
    ),
    ("S02", "every method has a rule; those without are denied"),
    (
        "S03",
        "a pattern does not reach over dots, escapes and backslashes in a URI",
    ),
    (
        "S04",
        "every page of a list is filtered, and cursors stay as they are",
    ),
    ("S05", "a filtered list is private and short-lived"),
    ("S06", "no answer may be stored on its way"),
    (
        "S07",
        "a role that changes denies at once, and lists are told to be old",
    ),
    ("S08", "floods of changed lists are thinned"),
    ("S09", "what a server says of itself can be left out"),
    (
        "S10",
        "completion follows the rule of its prompt or resource",
    ),
    (
        "S11",
        "a tool whose definition changes is reported, or withheld until it is approved",
    ),
    (
        "S12",
        "no schema is followed anywhere, and none is deeper than the bounds",
    ),
    (
        "S13",
        "a tool that asks for headers it may not have is left out",
    ),
];
